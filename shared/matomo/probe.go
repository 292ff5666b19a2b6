package matomo

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/target"
)

// Visit is one of the visitor log (Live.getLastVisitsDetails), as far as it is read here.
type Visit struct {
	Visitor string `json:"visitorId"`
	// IP is as stored, masked where Matomo masks it; Country an ISO code.
	IP      string `json:"visitIp"`
	Country string `json:"countryCode"`
}

// ProbeTitle is the page title of a probe visit, by which it is known in the visitor log.
const ProbeTitle = "Trafficinator probe visit"

// ProbeLimit is how long a probe visit is looked for.
const ProbeLimit = time.Minute

// probePause lies between two looks at the visitor log.
const probePause = time.Second

// Probe is one marked visit that was sent, and what became of it.
type Probe struct {
	Visitor string
	// Lag is from its answer until it was seen in the visitor log.
	Lag time.Duration
	// Stored is the visit as Matomo shows it.
	Stored Visit
}

// ErrUnseen means that the probe visit was taken, but did not become visible in time.
var ErrUnseen = errors.New("was taken, but is not visible")

// Probe sends one visit of one page below the first of e's pages, which stays in the site's data, and follows it in the
// visitor log until it is seen, for ProbeLimit or as long as ctx lasts. The token's user needs view access to the site.
func (c *Client) Probe(ctx context.Context, t target.Target, e Expect) (Probe, error) {
	t.Insecure = t.Insecure || e.AnyCertificate
	if t.Reader() == "" {
		return Probe{}, errors.New("a probe visit is not sent without a token: it could not be followed; give one of a user who may view the site")
	}
	ctx, cancel := context.WithTimeout(ctx, ProbeLimit)
	defer cancel()
	p := Probe{Visitor: newVisitor()}
	form := ping(t)
	form.Del("ping")
	form.Set("cid", p.Visitor)
	form.Set("action_name", ProbeTitle)
	form.Set("url", probePage(e.Pages))
	if t.Token != "" {
		form.Set("cip", someAddress)
		form.Set("country", "se")
		form.Set("token_auth", t.Token.Reveal())
	}
	r, err := c.postForm(ctx, t, t.URL, form)
	if err != nil {
		return p, fmt.Errorf("send probe visit: %w", err)
	}
	if a := answer.Hit(&r.Raw); a.Class != answer.Accepted {
		return p, fmt.Errorf("the probe visit is not accepted: %s; look at the other checks of this target for the cause", a.String())
	}
	return p, c.follow(ctx, t, &p)
}

// probePage lies below a page that is sent, so that a site which knows its URLs knows it too.
func probePage(pages []string) string {
	page := &url.URL{Scheme: "https", Host: "shop.example.test"}
	if len(pages) > 0 {
		if first, err := url.Parse(pages[0]); err == nil {
			page = first
		}
	}
	page = page.JoinPath("trafficinator-probe")
	page.RawQuery, page.Fragment = "", ""
	return page.String()
}

// follow looks for the visit again and again.
func (c *Client) follow(ctx context.Context, t target.Target, p *Probe) error {
	sent := time.Now()
	x := &examination{Client: c, target: t}
	pause := time.NewTicker(probePause)
	defer pause.Stop()
	for {
		visits, err := x.visits(ctx, "segment", "visitorId=="+p.Visitor, "filter_limit", "1", "minTimestamp", strconv.FormatInt(sent.Add(-time.Hour).Unix(), 10))
		switch {
		case err == nil && len(visits) > 0:
			p.Lag, p.Stored = time.Since(sent), visits[0]
			return nil
		case refused(err):
			return fmt.Errorf("the probe visit was taken, but cannot be followed, which needs view access to the site and the visitor log turned on: %w", err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the probe visit of visitor %s %w after %s: it may be excluded, kept back by a queue, or the server is overloaded", p.Visitor, ErrUnseen, time.Since(sent).Round(time.Second))
		case <-pause.C:
		}
	}
}

// String tells what became of the visit, in a sentence.
func (p Probe) String() string {
	return fmt.Sprintf("the probe visit is visible after %s: visitor %s, stored with address %s and country %s", p.Lag.Round(10*time.Millisecond), p.Visitor, p.Stored.IP, p.Stored.Country)
}
