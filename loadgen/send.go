package main

import (
	"fmt"
	"net/url"
	"time"

	"golang.org/x/net/http/httpproxy"

	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
)

// sender is the way from the engine to the wire: it knows how hits are written for each target.
type sender struct {
	client  *tracking.Client
	targets []*tracking.Target
	forms   []tracking.Form
	bulk    bool
}

// newSender makes a sender for the targets of a plan, which knows what o leaves out.
func newSender(p *plan.Plan, env map[string]string, o tracking.Options) (*sender, error) {
	o.InsecureTLS, o.Proxy = !p.Spec.TLSVerify, proxy(env)
	s := &sender{client: tracking.NewClient(o), bulk: p.Spec.SendMode == "bulk"}
	for _, t := range p.Targets {
		to, err := s.client.Target(t.URL, t.Token.Reveal())
		if err != nil {
			return nil, fmt.Errorf("target %s: %w", t.Name, err)
		}
		s.targets = append(s.targets, to)
		s.forms = append(s.forms, tracking.Form{
			SiteID: t.SiteID, Located: t.Token.Reveal() != "", Dated: p.Spec.Timeline != "live", Run: p.RunID, RunDimension: p.Spec.RunDimension,
		})
	}
	return s, nil
}

// proxy follows the usual variables; an address on this machine is never asked for through a proxy.
func proxy(env map[string]string) func(*url.URL) (*url.URL, error) {
	get := func(upper, lower string) string {
		if v := env[lower]; v != "" {
			return v
		}
		return env[upper]
	}
	return (&httpproxy.Config{
		HTTPProxy: get("HTTP_PROXY", "http_proxy"), HTTPSProxy: get("HTTPS_PROXY", "https_proxy"), NoProxy: get("NO_PROXY", "no_proxy"),
	}).ProxyFunc()
}

// Break implements engine.Sender.
func (s *sender) Break() { s.client.Break() }

// Request implements engine.Sender.
func (s *sender) Request() engine.Request {
	if s.bulk {
		return &bulkRequest{sender: s}
	}
	return &singleRequest{sender: s}
}

// singleRequest carries one hit.
type singleRequest struct {
	*sender
	target int
	form   tracking.Form
	body   []byte
	agent  string
}

// Begin implements engine.Request.
func (r *singleRequest) Begin(target int, proven bool) {
	r.target, r.form, r.body = target, r.forms[target], r.body[:0]
	r.form.Quiet = proven
}

// Add implements engine.Request.
func (r *singleRequest) Add(v *visit.Visit, i int, at time.Time) {
	r.body = tracking.Append(r.body, v, i, r.form, at)
	r.agent = v.Visitor.Device.UserAgent
}

// Send implements engine.Request.
func (r *singleRequest) Send() tracking.Result { return r.targets[r.target].Send(r.body, r.agent) }

// bulkRequest carries hits of many visits.
type bulkRequest struct {
	*sender
	target int
	body   []byte
	hits   int
}

// Begin implements engine.Request.
func (r *bulkRequest) Begin(target int, _ bool) {
	r.target, r.body, r.hits = target, tracking.BulkBody(), 0
}

// Add implements engine.Request.
func (r *bulkRequest) Add(v *visit.Visit, i int, at time.Time) {
	r.body = tracking.Append(tracking.AppendBulk(r.body), v, i, r.forms[r.target], at)
	r.hits++
}

// Send implements engine.Request.
func (r *bulkRequest) Send() tracking.Result { return r.targets[r.target].SendBulk(r.body, r.hits) }
