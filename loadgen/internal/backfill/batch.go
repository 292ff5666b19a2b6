package backfill

import (
	"cmp"
	"slices"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// batch is one request: complete visits of one day and target, so that a visitor's hits are in order and in no other
// request.
type batch struct {
	span
	// number names it in the log and in the summary. It changes when the job is resumed.
	number   uint64
	day      int
	visits   []plannedVisit
	hits     int
	opensDay bool         // the others of the day wait for it
	known    *batchResult // from an earlier run of the job, nil if it is still to be sent
}

// span identifies a batch in the journal: consecutive visits in the order of a target.
type span struct {
	Target int    `json:"target,omitempty"`
	From   uint64 `json:"from"`
	Visits int    `json:"visits"`
}

// batchResult is the outcome of a batch.
type batchResult struct {
	answer.Answer
	// Latency is 0 if no answer came before the job was killed, and ledger.NoLatency after a standstill.
	Latency time.Duration `json:"latency,omitempty"`
	// TooLarge are the hits, from 0, that were too large even alone. The receipt has them among the invalid ones.
	TooLarge []int `json:"too_large,omitempty"`
}

// HitClass returns the class of hit i of n.
func (r *batchResult) HitClass(i, n int) answer.Class {
	if slices.Contains(r.TooLarge, i) {
		return answer.TooLarge
	}
	return r.Answer.HitClass(i, n)
}

// plannedVisit is a visit with the Unix time of its first hit.
type plannedVisit struct {
	number uint64
	at     int64
	hits   int
	device int
}

// hitTime returns when a hit of the visit is recorded.
func (v plannedVisit) hitTime(h *visit.Hit) time.Time {
	return time.Unix(v.at+int64(h.Offset/time.Second), 0)
}

// halves splits a batch of two or more visits into two with about as many hits each.
func (b *batch) halves() (first, second *batch) {
	n, hits := 1, b.visits[0].hits
	for n < len(b.visits)-1 && hits+b.visits[n].hits <= b.hits/2 {
		hits += b.visits[n].hits
		n++
	}
	first, second = new(*b), new(*b)
	first.visits, first.hits, first.Visits = b.visits[:n], hits, n
	second.visits, second.hits, second.span = b.visits[n:], b.hits-hits,
		span{b.Target, b.From + uint64(n), b.Visits - n}
	return first, second
}

// summarize returns a batch as the run summary lists it.
func (j *Job) summarize(b *batch, why string) runsummary.Batch {
	first := slices.MinFunc(b.visits, func(a, b plannedVisit) int { return cmp.Compare(a.number, b.number) })
	return runsummary.Batch{Number: b.number, Date: j.date(b), Target: j.target(b), FirstVisit: first.number,
		Visits: len(b.visits), Hits: b.hits, Why: why}
}

func (j *Job) date(b *batch) string   { return j.c.Days[b.day].Date.String() }
func (j *Job) target(b *batch) string { return j.c.Targets[b.Target] }
