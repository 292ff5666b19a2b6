package main

import (
	"fmt"
	"io"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/shared/outcome"
)

const (
	// sampleRequests is how many requests of a run are made to find how large they get.
	sampleRequests = 20
	// sampleHits is how many hits are made for that where each goes alone.
	sampleHits = 5_000
)

// mostHits is how many hits a request of the run has at most.
func mostHits(p *plan.Plan, bulk bool) int {
	switch k := &p.Spec; {
	case k.BackfillEnabled:
		return k.BackfillBatch()
	case bulk:
		return k.BulkSize
	}
	return 1
}

// largest is the size in bytes of the largest of the first requests to a target, without its head.
func (s *sender) largest(p *plan.Plan, target int) int {
	most := mostHits(p, s.bulk)
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

// tryLargest asks whether a target that takes a hit takes it in a request as large as the largest of the run. It is
// false where hits would be lost.
func (s *sender) tryLargest(w io.Writer, p *plan.Plan, target int, hit []byte) bool {
	t := p.Targets[target]
	most, size := mostHits(p, s.bulk), max(s.largest(p, target), len(hit))
	res := s.ask(target, hit, size-len(hit))
	if res.Class.Outcome() == outcome.Accepted {
		_, _ = fmt.Fprintf(w, "target %s: takes requests of %d bytes, as large as the largest of the run\n",
			t.Name, size)
		return true
	}
	taken := size / 2
	for taken > len(hit) && s.ask(target, hit, taken-len(hit)).Class.Outcome() != outcome.Accepted {
		taken /= 2
	}
	_, _ = fmt.Fprintf(w, "target %s: takes no requests of %d bytes, as large as the largest of the run, but some "+
		"of %d: %s\n", t.Name, size, taken, res.String())
	cure := "let the server take larger requests (nginx: client_max_body_size, PHP: post_max_size)"
	if most > 1 {
		cure += fmt.Sprintf(", or set BULK_SIZE=%d", max(1, most*taken/size))
	}
	_, _ = fmt.Fprintf(w, "  %-11s  -> %s\n", "", cure)
	return res.Class.Split() && most > 1 // the run sends smaller ones by itself
}
