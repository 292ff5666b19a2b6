package backfill

import (
	"cmp"
	"slices"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// batch is one request: whole visits of one day and one target, so that a visitor's hits are in order and in no other
// request.
type batch struct {
	// number names it to people. Once the job is resumed it is that of another.
	number uint64
	day    int
	span   span
	visits []plannedVisit
	hits   int
	// opensDay says that others of the day wait until this one has ended.
	opensDay bool
	// known is what a job before has found out about it, nil where it is still to be sent.
	known *batchResult
}

// span is what a journal knows a batch by: visits that follow one another in the order of a target's.
type span struct {
	Target int    `json:"target,omitempty"`
	From   uint64 `json:"from"`
	Visits int    `json:"visits"`
}

// plannedVisit is a visit and the Unix second of its first hit.
type plannedVisit struct {
	number uint64
	at     int64
	hits   int
	device int
}

// hitTime is when a hit of the visit is recorded.
func (s plannedVisit) hitTime(h *visit.Hit) time.Time {
	return time.Unix(s.at+int64(h.Offset/time.Second), 0)
}

// halves are the two batches that have the visits of b, of which it has two or more, and about as many hits.
func (b *batch) halves() (first, second *batch) {
	n, hits := 1, b.visits[0].hits
	for n < len(b.visits)-1 && hits+b.visits[n].hits <= b.hits/2 {
		hits += b.visits[n].hits
		n++
	}
	first, second = &batch{}, &batch{}
	*first, *second = *b, *b
	first.visits, first.hits, first.span.Visits = b.visits[:n], hits, n
	second.visits, second.hits, second.span = b.visits[n:], b.hits-hits,
		span{b.span.Target, b.span.From + uint64(n), b.span.Visits - n}
	return first, second
}

// summarize is what people are shown of a batch.
func (j *Job) summarize(b *batch, why string) runsummary.Batch {
	lowest := slices.MinFunc(b.visits, func(a, b plannedVisit) int { return cmp.Compare(a.number, b.number) })
	return runsummary.Batch{
		Number: b.number, Date: j.c.Days[b.day].Date.String(), Target: j.c.Targets[b.span.Target],
		FirstVisit: lowest.number, Visits: len(b.visits), Hits: b.hits, Why: why,
	}
}
