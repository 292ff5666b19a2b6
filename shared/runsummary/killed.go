package runsummary

import (
	"fmt"
	"time"

	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/endreason"
)

// Reserved are visits whose numbers a run has reserved, and their hits. A run starts no visit before it has written it
// as reserved, so only these may have started after the last write before a kill.
type Reserved struct {
	Visits uint64            `json:"visits"`
	ByKind map[string]uint64 `json:"by_kind"`
}

// CloseKilled ends the summary of a killed run. Everything that may have been sent after the last write is unknown: the
// hits of open and of reserved visits. What a backfill sent since then is in its journal and is counted on resume.
func (s *Summary) CloseKilled(now time.Time) {
	// copies that are never nil
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
		// Older summaries do not have the hits of these visits.
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

// closed counts open hits as unknown.
func (h Hits) closed() Hits {
	h.Unknown += h.Planned - h.Tried() - h.Abandoned
	return h
}

// closed counts open visits as uncertain: which of them had an accepted hit is not known.
func (v Visits) closed() Visits {
	v.Uncertain = v.Planned - v.Complete - v.Partial - v.Lost - v.Unsent
	return v
}
