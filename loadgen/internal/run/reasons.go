package run

import (
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/record"
)

// logReasons logs each reason for which hits were not accepted once, when it is seen first. While the run lasts observe
// alone calls it.
func (s *session) logReasons() {
	var sum record.Summary
	s.ledger.FillReasons(&sum, s.Targets())
	for _, r := range sum.Reasons {
		if r.Class != answer.Stopped.String() && s.firstOf(r) { // which is what somebody asked for
			s.log.Warn("hits are not accepted", "target", r.Target, "class", r.Class, "hits", r.Hits, "reason",
				r.String())
		}
	}
	for _, r := range sum.Warnings {
		if s.firstOf(r) {
			s.log.Warn("hits are accepted by an odd answer", "target", r.Target, "class", r.Class, "hits", r.Hits,
				"reason", r.String())
		}
	}
}

// firstOf says that a reason was not logged before.
func (s *session) firstOf(r record.Reason) bool {
	what := record.Reason{Target: r.Target, Class: r.Class, Status: r.Status}
	before := s.logged[what]
	s.logged[what] = true
	return !before
}
