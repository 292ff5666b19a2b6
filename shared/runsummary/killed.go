package runsummary

import (
	"fmt"
	"time"

	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/endreason"
)

// Reserved are visits whose numbers a run has reserved and that have not begun, with the hits that they would send. A
// run begins no visit that it has not written as reserved, so that after a kill these are the only ones that may have
// begun since.
type Reserved struct {
	Visits uint64            `json:"visits"`
	ByKind map[string]uint64 `json:"by_kind"`
}

// CloseKilled ends the summary of a run that was killed. All that may have been sent after it was written last is
// unknown: the hits of visits that were open, and those of visits that were reserved. What Matomo has lies between the
// accepted hits and these together with the unknown ones.
//
// What a backfill sent since stands in its journal, and is counted when the job goes on.
func (s *Summary) CloseKilled(now time.Time) {
	// copies, which are there in an odd ledger too
	s.ByKind, s.ByTarget = addHits(s.ByKind, nil), addHits(s.ByTarget, nil)
	for name, t := range s.Targets {
		if t.Reserved != nil {
			s.begin(name, &t)
		}
		for kind, h := range t.ByKind {
			t.ByKind[kind] = h.closed()
		}
		t.Visits = t.Visits.closed()
		s.Targets[name] = t
	}
	for name, h := range s.ByKind {
		s.ByKind[name] = h.closed()
	}
	for name, h := range s.ByTarget {
		s.ByTarget[name] = h.closed()
		if open := s.ByTarget[name].Unknown - h.Unknown; open > 0 {
			s.Reasons = addReasons(s.Reasons,
				[]Reason{{Target: name, Class: answer.Broken.String(), Hits: open, Excerpt: "the loadgen was killed"}})
		}
	}
	s.Hits = s.Hits.closed()
	s.Message = "killed: what was sent after this was last written, as a rule a second before, is not known; all " +
		"that was open then is unknown"
	if s.Kind != BackfillJob {
		// Of a summary of an earlier version the hits of these visits are not known.
		if lost := s.NextVisit - s.FirstVisit - s.Visits.Planned; lost > 0 {
			s.Visits.Planned += lost
			s.Message += fmt.Sprintf("; up to %d visits that began since have no hits here", lost)
		}
	}
	s.Visits = s.Visits.closed()
	s.Due = max(s.Due, s.Visits.Planned)
	for i := range s.Thresholds {
		s.Thresholds[i].Pending = false
	}
	if s.Capacity != nil {
		s.Capacity.Progress = nil
	}
	if s.Backfill != nil {
		s.Backfill.EstimatedEnd = time.Time{}
	}
	s.Ended, s.Reason, s.Killed = now, string(endreason.Killed), 1
	if last := s.Started.Add(s.Duration()); last.After(now) { // the wall clock was set back
		s.Ended = last
	}
	s.InFlight, s.OpenVisits = 0, 0
}

// begin books the reserved visits of a target as begun.
func (s *Summary) begin(name string, t *Target) {
	t.ByKind = addHits(t.ByKind, nil)
	t.Visits.Planned += t.Reserved.Visits
	s.Visits.Planned += t.Reserved.Visits
	for kind, n := range t.Reserved.ByKind {
		plan(t.ByKind, kind, n)
		plan(s.ByKind, kind, n)
		plan(s.ByTarget, name, n)
		s.Hits.Planned += n
	}
	t.Reserved = nil
}

func plan(rows map[string]Hits, key string, n uint64) {
	h := rows[key]
	h.Planned += n
	rows[key] = h
}

// closed has all that was open as unknown.
func (h Hits) closed() Hits {
	h.Unknown += h.Planned - h.Tried() - h.Abandoned
	return h
}

// closed has all that was open as uncertain, because nothing tells which of them had an accepted hit.
func (v Visits) closed() Visits {
	v.Uncertain = v.Planned - v.Complete - v.Partial - v.Lost - v.Unsent
	return v
}
