package backfill

import (
	"fmt"

	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/outcome"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// ended counts the hits of a batch by outcome.
type ended [outcome.Count]int

// account books what became of a batch. Answered hits are in flight; others are those of a job that was killed meanwhile.
func (s *worker) account(b *batch, a batchResult, answered bool) (n ended) {
	if invalid := a.Receipt.Invalid - len(a.TooLarge); a.Receipt.Tracked+invalid > 0 { // Matomo saw none too large
		s.c.Ledger.AddReceipt(len(s.hits), a.Receipt.Tracked, invalid)
	}
	courses, late := make([]ledger.VisitState, len(b.visits)), make([]bool, len(b.visits))
	s.answered = s.answered[:0]
	for i := range s.hits {
		h := &s.hits[i]
		h.Class, h.Latency = a.Hit(i, len(s.hits)), a.Latency
		became := h.Class.Outcome()
		first := i == 0 || s.hits[i-1].visit != h.visit
		late[h.visit] = late[h.visit] || first && became != outcome.Accepted
		courses[h.visit].Add(became, h.Kind, h.at, true)
		n[became]++
		s.answered = append(s.answered, h.Answered)
	}
	if answered {
		s.c.Ledger.Answer(b.span.Target, &a.Answer, s.answered)
	} else {
		s.c.Ledger.End(b.span.Target, &a.Answer, s.kinds)
	}
	day := runsummary.BackfillDay{}
	for i := range courses {
		course := &courses[i]
		if course.LastAction > 0 {
			s.c.Ledger.OpenVisit(b.span.Target,
				ledger.Dimensions{Day: s.c.Days[b.day].Start.Unix(), Visitor: s.who[i], SourceLost: late[i]})
		}
		fate := course.Outcome(s.length[i], true)
		s.c.Ledger.AddSplits(b.span.Target, course.Splits, 0)
		s.c.Ledger.CloseVisit(b.span.Target, fate)
		switch fate {
		case ledger.Complete, ledger.Partial:
			day.Sent++
		case ledger.Uncertain:
			day.Unknown++
		default:
			day.Rejected++
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.progress.BatchesDone++
	d := &s.progress.Days[b.day]
	d.Sent, d.Unknown, d.Rejected = d.Sent+day.Sent, d.Unknown+day.Unknown, d.Rejected+day.Rejected
	if n[outcome.Unknown] > 0 {
		s.progress.Unknown = append(s.progress.Unknown, s.summarize(b, a.String()))
	}
	return n
}

// checkTarget looks at how a batch that was sent ended, and ends the job where a target takes nothing of one after the other.
func (s *worker) checkTarget(b *batch, a batchResult, n ended) {
	s.mu.Lock()
	s.visitsEnded += uint64(len(b.visits))
	s.refusedInARow[b.span.Target]++
	if a.TargetClass(b.hits).Outcome() == outcome.Accepted {
		s.refusedInARow[b.span.Target] = 0
	}
	hopeless := s.refusedInARow[b.span.Target] == maxRefusedBatches
	s.mu.Unlock()
	if n[outcome.Accepted] < b.hits {
		s.c.Log.Warn("a batch was not taken as a whole", "batch", b.number, "day", s.c.Days[b.day].Date.String(),
			"target", s.c.Targets[b.span.Target],
			"hits", b.hits, "accepted", n[outcome.Accepted], "rejected", n[outcome.Rejected], "unknown",
			n[outcome.Unknown], "reason", a.String())
	}
	if hopeless {
		s.fail(
			endreason.NoTarget,
			fmt.Sprintf(
				"target %s took nothing of %d batches in a row: %s",
				s.c.Targets[b.span.Target],
				maxRefusedBatches,
				a.String(),
			),
		)
	}
}
