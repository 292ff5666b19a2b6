package sender

import (
	"bytes"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
)

const (
	// sampleRequests is how many requests of a run are made to find how large they get.
	sampleRequests = 20
	// sampleHits is how many hits are made for that where each goes alone.
	sampleHits = 5_000
)

// LargestRequest is the size in bytes of the largest of the first requests to a target, without its head.
func (s *Sender) LargestRequest(p *plan.Plan, target int) int {
	most := p.Sending.Batch
	requests := max(sampleRequests, sampleHits/most)
	var v visit.Visit
	var body []byte
	largest, hits := 0, 0
	for n := uint64(0); requests > 0; n++ {
		p.Visits.Outline(n, &v)
		p.Visits.Fill(&v, len(v.Hits))
		for i := range v.Hits {
			if s.bulk {
				body = tracking.AppendBulk(body)
			}
			body = tracking.Append(body, &v, i, s.forms[target], time.Now())
			if hits++; hits == most {
				largest = max(largest, len(body))
				body, hits = body[:0], 0
				requests--
			}
		}
	}
	return largest
}

// SendProbe sends a hit as those of the run are sent, in a request that is larger by so many bytes: Matomo takes some tokens
// in a form, but not in a bulk request. A form is widened by one parameter that Matomo does not read, because PHP reads
// the first 1,000 alone (max_input_vars) and the token comes last; a bulk request by white space.
func (s *Sender) SendProbe(target int, hit []byte, more int) tracking.Result {
	if !s.bulk {
		const name = "&rand="
		if more >= len(name) {
			hit = append(append(hit, name...), bytes.Repeat([]byte("0"), more-len(name))...)
		}
		return s.targets[target].Send(hit, "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
	}
	return s.targets[target].SendBulk(append(tracking.AppendPadded(tracking.BulkBody(), more), hit...), 1)
}
