package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/target"
)

const (
	// ProbeTitle begins the page titles of probe visits.
	ProbeTitle = "Trafficinator probe visit"
	// ProbeLimit is how long a probe visit is looked for.
	ProbeLimit = time.Minute
	// A visit that is not as sent is final when stableReads reads in a row, probePause apart, show the same.
	probePause, stableReads = time.Second, 3
)

// Probe is a marked visit and what Matomo recorded of it.
type Probe struct {
	Visitor  string
	Lag      time.Duration // the time from its last answer until it was visible in the visitor log
	Stored   Visit         // the visit in the visitor log, the first if it became several
	Hits     int           // counts the hits sent
	Findings []Finding     // the differences between sent and recorded, or one finding that there are none
}

// Works reports that no hit was lost.
func (p Probe) Works() bool { return hasNoError(p.Findings) }

// ErrNotVisible means that Matomo accepted the probe visit, but did not show it in time.
var ErrNotVisible = errors.New("was accepted, but is not visible")

// Probe sends one visit with each kind of hit that e contains and a pause as long as its longest. It follows the visit
// in the visitor log until it is visible, for ProbeLimit or until ctx is done, and compares the two: that reveals
// settings that the API does not show. The visit stays in the site's data. The token's user needs view access.
func (d Doctor) Probe(ctx context.Context, t target.Target, e Expectation) (Probe, error) {
	if t.APIToken() == "" {
		return Probe{}, errors.New(
			"a probe visit needs a token with view access to the site, to follow it in the visitor log")
	}
	ctx, cancel := context.WithTimeout(ctx, ProbeLimit)
	defer cancel()
	x := &prober{Client: d.Client, target: t, expect: &e, now: time.Now()}
	if ahead, err := d.Skew(ctx, t); err == nil { // Matomo would date a hit of its future to now
		x.now = x.now.Add(min(0, ahead))
	}
	if e.Zone != nil {
		x.zone = *e.Zone
	}
	site, err := d.Site(ctx, t)
	if class := matomo.ClassOf(err); err != nil && class != matomo.Later && class != matomo.Unreadable {
		return Probe{}, fmt.Errorf("no probe visit sent: the site cannot be read: %w", err)
	}
	if z, err := site.Zone(); err == nil {
		x.zone = z
	}
	return x.probe(ctx)
}

type prober struct {
	*matomo.Client
	target target.Target
	expect *Expectation
	now    time.Time     // the target's clock at the start
	zone   calendar.Zone // the site's
}

func (x *prober) probe(ctx context.Context) (Probe, error) {
	var rejected []Finding
	if x.expect.Bulk {
		p, hits, first := x.newVisit()
		var err error
		if rejected, err = x.sendBulk(ctx, hits); err != nil {
			return p, fmt.Errorf("send probe visit: %w", err)
		}
		if rejected == nil {
			return p, x.follow(ctx, &p, hits, first)
		}
	}
	p, err := x.sendSingly(ctx)
	p.Findings = append(rejected, p.Findings...)
	return p, err
}

func (x *prober) newVisit() (Probe, []probeHit, time.Time) {
	p := Probe{Visitor: matomo.NewVisitorID()}
	hits := probeHits(x.expect, p.Visitor)
	first := firstMoment(x.now, hits[len(hits)-1].at, x.zone)
	for i := range hits {
		hits[i].address(x.target, x.expect, p.Visitor, first)
	}
	p.Hits = len(hits)
	return p, hits, first
}

func (x *prober) sendBulk(ctx context.Context, hits []probeHit) ([]Finding, error) {
	lines := make([]string, len(hits))
	for i, h := range hits {
		lines[i] = "?" + h.form.Encode()
	}
	a, err := postBulk(ctx, x.Client, x.target, lines)
	if err != nil || (a.Class == answer.Accepted || a.Class == answer.NoReceipt) && a.Receipt.Invalid == 0 {
		return nil, err
	}
	return failed(probed, "see the single hits below: one that is rejected is the likely cause",
		"a bulk request with one hit of each kind was not accepted (%d of %d hits): %s", a.Receipt.Tracked, len(hits),
		a.String()), nil
}

func (x *prober) sendSingly(ctx context.Context) (Probe, error) {
	p, hits, first := x.newVisit()
	accepted, why := make([]probeHit, 0, len(hits)), ""
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
			accepted = append(accepted, h)
			continue
		}
		why = cmp.Or(why, a.String())
		cure := cures[h.kind.String()]
		if cure == "" || h.kind == hit.Pageview {
			cure = "see this target's other checks for the cause"
		}
		p.Findings = append(p.Findings, failed(probed, cure,
			"the %s was rejected (%d), other hits of the visit were not", h.kind, a.Status)...)
	}
	if len(accepted) == 0 {
		return p, fmt.Errorf("the probe visit was not accepted: %s; see the other checks of this target", why)
	}
	return p, x.follow(ctx, &p, accepted, first)
}

// follow reads the visitor log until the visit is complete or no longer changes.
func (x *prober) follow(ctx context.Context, p *Probe, hits []probeHit, first time.Time) error {
	sent, same, before := time.Now(), 0, ""
	why := "it may be excluded (" + exclusionPlaces + "), delayed by a queue, or the server is overloaded"
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
			if len(found) == 0 || same == stableReads {
				p.Stored = visits[0].visit()
				if p.Findings = append(p.Findings, found...); len(p.Findings) == 0 {
					p.Findings = passed(probed, "all %d hits are recorded as sent", p.Hits)
				}
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

func (x *prober) recorded(ctx context.Context, visitor string, since time.Time) ([]row, error) {
	form := url.Values{
		"idSite": {strconv.Itoa(x.target.SiteID)}, "segment": {"visitorId==" + visitor}, "filter_limit": {"50"},
		"minTimestamp": {strconv.FormatInt(since.Add(-time.Hour).Unix(), 10)},
	}
	var visits matomo.List[row]
	err := x.Call(ctx, x.target, "Live.getLastVisitsDetails", form, &visits)
	slices.SortStableFunc(visits, func(a, b row) int { return cmp.Compare(a.began(), b.began()) })
	return visits, err
}

// String summarises the probe in a sentence.
func (p Probe) String() string {
	return fmt.Sprintf(
		"the probe visit of %d hits is visible after %s: visitor %s, stored with address %s and country %s",
		p.Hits, p.Lag.Round(10*time.Millisecond), p.Visitor, cmp.Or(p.Stored.IP, "unknown"),
		cmp.Or(strings.ToLower(p.Stored.Country), "unknown"))
}
