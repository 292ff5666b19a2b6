package doctor

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/target"
)

// ProbeTitle is what page titles of a probe visit begin with, by which it is known in the visitor log.
const ProbeTitle = "Trafficinator probe visit"

// ProbeLimit is how long a probe visit is looked for.
const ProbeLimit = time.Minute

// probePause lies between two looks at the visitor log. A visit that is not complete is final when as many looks on end
// show the same of it.
const probePause, finalLooks = time.Second, 3

// Probe is one marked visit that was sent, and what became of it.
type Probe struct {
	Visitor string
	// Lag is from its last answer until it was seen in the visitor log.
	Lag time.Duration
	// Stored is the visit as Matomo shows it, the first where it became several.
	Stored Visit
	// Hits are how many were sent.
	Hits int
	// Findings are the differences between what was meant and what is recorded; without any there is one that is good.
	Findings []Finding
}

// Works reports that no hit was lost.
func (p Probe) Works() bool {
	return !slices.ContainsFunc(p.Findings, func(f Finding) bool { return f.Verdict == Error })
}

// ErrNotVisible means that the probe visit was taken, but did not become visible in time.
var ErrNotVisible = errors.New("was accepted, but is not visible")

// Probe sends one visit that has each kind of hit that e tells of, as the run would send it, and a pause as long as the
// run's longest. It follows the visit in the visitor log until it is seen, for ProbeLimit or as long as ctx lasts, and
// compares what Matomo made of it with what was meant: that shows settings that no method of the API tells of. The
// visit stays in the site's data. The token's user needs view access to the site.
func (d Doctor) Probe(ctx context.Context, t target.Target, e Expectation) (Probe, error) {
	if t.APIToken() == "" {
		return Probe{}, errors.New(
			"a probe visit needs a token with view access to the site, to follow it in the visitor log")
	}
	ctx, cancel := context.WithTimeout(ctx, ProbeLimit)
	defer cancel()
	now, zone := time.Now(), calendar.Zone{}
	if ahead, err := d.Skew(ctx, t); err == nil { // a hit of Matomo's future would be of now
		now = now.Add(min(0, ahead))
	}
	if e.Zone != nil {
		zone = *e.Zone
	}
	site, err := d.Site(ctx, t)
	if class := matomo.ClassOf(err); err != nil && class != matomo.Later && class != matomo.Unreadable {
		return Probe{}, fmt.Errorf("no probe visit sent: the site cannot be read: %w", err)
	}
	if z, err := site.Zone(); err == nil {
		zone = z
	}
	x := &prober{Client: d.Client, target: t, expect: &e, now: now, zone: zone}
	return x.probe(ctx)
}

// prober is one probe under way.
type prober struct {
	*matomo.Client
	target target.Target
	expect *Expectation
	// now is the target's clock at the start, zone the site's.
	now  time.Time
	zone calendar.Zone
}

func (x *prober) probe(ctx context.Context) (Probe, error) {
	if x.expect.Bulk {
		p, hits, first := x.visit()
		refusedAll, err := x.sendBulk(ctx, hits)
		if err != nil {
			return p, fmt.Errorf("send probe visit: %w", err)
		}
		if refusedAll == nil {
			return p, x.follow(ctx, &p, hits, first)
		}
		single, err := x.single(ctx)
		single.Findings = append([]Finding{*refusedAll}, single.Findings...)
		return single, err
	}
	return x.single(ctx)
}

// visit is a new one.
func (x *prober) visit() (Probe, []probeHit, time.Time) {
	p := Probe{Visitor: matomo.NewVisitorID()}
	hits := probeHits(x.expect, p.Visitor)
	first := firstMoment(x.now, hits[len(hits)-1].at, x.zone)
	for i := range hits {
		hits[i].address(x.target, x.expect, p.Visitor, first)
	}
	p.Hits = len(hits)
	return p, hits, first
}

// sendBulk sends all hits in one request. The finding is there where not all of them were taken.
func (x *prober) sendBulk(ctx context.Context, hits []probeHit) (*Finding, error) {
	lines := make([]string, len(hits))
	for i, h := range hits {
		lines[i] = "?" + h.form.Encode()
	}
	token := x.target.Token.Reveal()
	body, err := json.Marshal(map[string]any{"requests": lines, "token_auth": token})
	if err != nil {
		return nil, err
	}
	r, err := x.Post(ctx, x.target, x.target.URL, "application/json", string(body), token)
	if err != nil {
		return nil, err
	}
	if a := answer.ParseBulk(&r.Raw, len(hits)); a.Class != answer.Accepted && a.Class != answer.NoReceipt ||
		a.Receipt.Invalid > 0 {
		f := failed(probed, "see the single hits below: one that is rejected is the likely cause",
			"a bulk request with one hit of each kind was not accepted (%[2]d of %[1]d hits): %[3]s", len(hits),
			a.Receipt.Tracked, a.String())
		return &f, nil
	}
	return nil, nil
}

// single sends hit after hit.
func (x *prober) single(ctx context.Context) (Probe, error) {
	p, hits, first := x.visit()
	taken, why := make([]probeHit, 0, len(hits)), ""
	for _, h := range hits {
		if x.target.Token != "" {
			h.form.Set("token_auth", x.target.Token.Reveal())
		}
		r, err := x.PostForm(ctx, x.target, x.target.URL, h.form)
		if err != nil {
			return p, fmt.Errorf("send probe visit: %w", err)
		}
		a := answer.ParseHit(&r.Raw)
		if a.Class == answer.Accepted {
			taken = append(taken, h)
			continue
		}
		why = cmp.Or(why, a.String())
		p.Findings = append(p.Findings,
			failed(probed, cureRefused(h.kind.String()), "the %s was rejected (%d), other hits of the visit were not",
				h.kind, a.Status))
	}
	if len(taken) == 0 {
		return p, fmt.Errorf("the probe visit was not accepted: %s; see the other checks of this target", why)
	}
	return p, x.follow(ctx, &p, taken, first)
}

// follow looks for the visit again and again, and compares what is there.
func (x *prober) follow(ctx context.Context, p *Probe, hits []probeHit, first time.Time) error {
	sent, same, before := time.Now(), 0, ""
	why := "it may be excluded (" + exclusions + "), delayed by a queue, or the server is overloaded"
	pause := time.NewTicker(probePause)
	defer pause.Stop()
	for {
		visits, err := x.recorded(ctx, p.Visitor, first)
		switch {
		case err == nil && len(visits) > 0:
			if p.Lag == 0 {
				p.Lag = time.Since(sent)
			}
			found := x.compare(visits, hits, first, p.Visitor)
			if now := fmt.Sprint(found); now == before {
				same++
			} else {
				same, before = 1, now
			}
			if len(found) == 0 || same == finalLooks {
				p.Stored = visits[0].visit()
				p.conclude(found)
				return nil
			}
		case matomo.IsRefusal(err):
			return fmt.Errorf(
				"the probe visit was accepted, but following it needs view access and the visitor log enabled: %w", err)
		case err != nil && ctx.Err() == nil:
			why = err.Error()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the probe visit of visitor %s %w after %s: %s", p.Visitor, ErrNotVisible,
				time.Since(sent).Round(time.Second), why)
		case <-pause.C:
		}
	}
}

// conclude adds what was found, or that nothing was.
func (p *Probe) conclude(found []Finding) {
	p.Findings = append(p.Findings, found...)
	if len(p.Findings) == 0 {
		p.Findings = []Finding{passed(probed, "all %d hits are recorded as sent", p.Hits)}
	}
}

// recorded are the visits of a visitor, the first one first.
func (x *prober) recorded(ctx context.Context, visitor string, since time.Time) ([]row, error) {
	form := url.Values{
		"idSite": {strconv.Itoa(x.target.SiteID)}, "segment": {"visitorId==" + visitor}, "filter_limit": {"50"},
		"minTimestamp": {strconv.FormatInt(since.Add(-time.Hour).Unix(), 10)},
	}
	var visits matomo.List[row]
	err := x.Call(ctx, x.target, "Live.getLastVisitsDetails", form, &visits)
	slices.SortStableFunc(visits, func(a, b row) int {
		return int(a.number("firstActionTimestamp") - b.number("firstActionTimestamp"))
	})
	return visits, err
}

// String tells what became of the visit, in a sentence.
func (p Probe) String() string {
	return fmt.Sprintf("the probe visit of %d hits is visible after %s: visitor %s, stored with address %s "+
		"and country %s",
		p.Hits, p.Lag.Round(10*time.Millisecond), p.Visitor, cmp.Or(p.Stored.IP, "unknown"),
		cmp.Or(strings.ToLower(p.Stored.Country), "unknown"))
}
