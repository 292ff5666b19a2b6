// Package sender is the way from the engine to the wire: it knows how the hits of a plan are written for each target.
// It does not know when a hit is due, nor judges what came of it.
package sender

import (
	"fmt"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/shared/target"
)

// Sender implements engine.Sender for the targets of a plan.
type Sender struct {
	client  *tracking.Client
	targets []*tracking.Target
	forms   []tracking.Form
	bulk    bool
}

// New makes a sender for the targets of a plan, which knows what o leaves out.
func New(p *plan.Plan, m target.Environment, o tracking.Options) (*Sender, error) {
	o.Environment = m
	s := &Sender{client: tracking.NewClient(o), bulk: p.Sending.Bulk}
	for _, t := range p.Targets {
		to, err := s.client.Target(t)
		if err != nil {
			return nil, fmt.Errorf("target %s: %w", t.Name, err)
		}
		s.targets = append(s.targets, to)
		s.forms = append(s.forms, tracking.Form{
			SiteID: t.SiteID, WithPlace: t.Token.Reveal() != "", WithTime: !p.Sending.Live, RunID: p.RunID,
			RunDimension: p.Sending.RunDimension,
		})
	}
	return s, nil
}

// Close ends its connections.
func (s *Sender) Close() { s.client.Close() }

// Bulk says that requests carry hits of many visits.
func (s *Sender) Bulk() bool { return s.bulk }

// Targets are those of the plan, in their order.
func (s *Sender) Targets() []*tracking.Target { return s.targets }

// Abort implements engine.Sender.
func (s *Sender) Abort() { s.client.Abort() }

// Request implements engine.Sender.
func (s *Sender) Request() engine.Request {
	if s.bulk {
		return &bulkRequest{Sender: s}
	}
	return &singleRequest{Sender: s}
}

// singleRequest carries one hit.
type singleRequest struct {
	*Sender
	target int
	form   tracking.Form
	body   []byte
	agent  string
}

// Begin implements engine.Request.
func (r *singleRequest) Begin(target int, proven bool) {
	r.target, r.form, r.body = target, r.forms[target], r.body[:0]
	r.form.NoContent = proven
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
	*Sender
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
