// Package sender connects the engine to package tracking: it encodes the hits of a plan for each target. It does not depend
// on when hits are due, or on the meaning of outcomes.
package sender

import (
	"bytes"
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
	*tracking.Client
	targets []*tracking.Target
	forms   []tracking.Form
	bulk    bool
}

// New returns a sender for the targets of a plan.
func New(p *plan.Plan, env target.Environment, o tracking.Options) (*Sender, error) {
	o.Environment = env
	s := &Sender{Client: tracking.NewClient(o), bulk: p.Sending.Bulk}
	for _, t := range p.Targets {
		to, err := s.Target(t)
		if err != nil {
			return nil, fmt.Errorf("target %s: %w", t.Name, err)
		}
		s.targets = append(s.targets, to)
		s.forms = append(s.forms, tracking.Form{SiteID: t.SiteID, WithPlace: t.Token.Reveal() != "",
			WithTime: !p.Sending.Live, RunID: p.RunID, RunDimension: p.Sending.RunDimension})
	}
	return s, nil
}

// Bulk reports whether requests carry hits of many visits.
func (s *Sender) Bulk() bool { return s.bulk }

// Targets returns the targets in the order of the plan.
func (s *Sender) Targets() []*tracking.Target { return s.targets }

// Request implements engine.Sender.
func (s *Sender) Request() engine.Request {
	if s.bulk {
		return &bulkRequest{Sender: s}
	}
	return &singleRequest{Sender: s}
}

type singleRequest struct {
	*Sender
	target    int
	form      tracking.Form
	body      []byte
	userAgent string
}

// Begin implements engine.Request.
func (r *singleRequest) Begin(target int, proven bool) {
	r.target, r.form, r.body = target, r.forms[target], r.body[:0]
	r.form.NoContent = proven
}

// Add implements engine.Request.
func (r *singleRequest) Add(v *visit.Visit, i int, at time.Time) {
	r.body = tracking.Append(r.body, v, i, r.form, at)
	r.userAgent = v.Visitor.Device.UserAgent
}

// Send implements engine.Request.
func (r *singleRequest) Send() tracking.Result { return r.targets[r.target].Send(r.body, r.userAgent) }

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

const (
	// sampleRequests is how many requests are generated to find how large they get.
	sampleRequests = 20
	// sampleHits is how many hits are generated for that, at least.
	sampleHits = 5_000
)

// LargestRequest returns the size of the largest of the first requests to a target, in bytes without the head.
func (s *Sender) LargestRequest(p *plan.Plan, target int) int {
	batch := p.Sending.Batch
	requests := max(sampleRequests, sampleHits/batch)
	var v visit.Visit
	var body []byte
	largest, hits := 0, 0
	for n := uint64(0); requests > 0; n++ {
		p.Visits.Make(n, &v)
		for i := range v.Hits {
			if s.bulk {
				body = tracking.AppendBulk(body)
			}
			body = tracking.Append(body, &v, i, s.forms[target], time.Now())
			if hits++; hits == batch {
				largest = max(largest, len(body))
				body, hits = body[:0], 0
				requests--
			}
		}
	}
	return largest
}

// SendProbe sends a hit in the same way as a run, in a request that is padded by so many bytes. Both matter: Matomo
// accepts some tokens in a form but not in a bulk request. A form is padded with one parameter that Matomo does not
// read, because PHP reads only the first 1,000 (max_input_vars) and the token comes last; a bulk request is padded with
// spaces.
func (s *Sender) SendProbe(target int, hit []byte, padding int) tracking.Result {
	if !s.bulk {
		const name = "&rand="
		if padding >= len(name) {
			hit = append(append(hit, name...), bytes.Repeat([]byte("0"), padding-len(name))...)
		}
		return s.targets[target].Send(hit, "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
	}
	return s.targets[target].SendBulk(append(tracking.AppendPadded(tracking.BulkBody(), padding), hit...), 1)
}
