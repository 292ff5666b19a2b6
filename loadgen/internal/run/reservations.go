package run

import (
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/loadgen/internal/routing"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// reservations computes the hits of visits whose numbers are reserved and that have not started. It caches them by
// visit.
type reservations struct {
	plan   *plan.Plan
	router *routing.Router

	first    uint64              // visit number of outlines[0]
	outlines [][hit.Kinds]uint16 // hits of each visit by kind
	visit    visit.Visit
}

// addTo adds the reserved visits from <= n < upTo to a summary.
func (a *reservations) addTo(s *runsummary.Summary, from, upTo uint64, now time.Time) {
	if started := from - a.first; started < uint64(len(a.outlines)) {
		a.outlines = append(a.outlines[:0], a.outlines[started:]...)
	} else {
		a.outlines = a.outlines[:0]
	}
	a.first = from
	for n := from + uint64(len(a.outlines)); n < upTo; n++ {
		a.outlines = append(a.outlines, a.outline(n))
	}
	visits, kinds := make([]uint64, len(a.plan.Targets)), make([]ledger.Kinds, len(a.plan.Targets))
	for i := range a.outlines[:min(upTo-from, uint64(len(a.outlines)))] {
		t := a.router.Pick(from+uint64(i), now)
		visits[t]++
		for k, n := range a.outlines[i] {
			kinds[t][k] += uint64(n)
		}
	}
	for t, name := range a.plan.TargetNames() {
		if visits[t] == 0 {
			continue
		}
		r := &runsummary.Reserved{Visits: visits[t], ByKind: map[string]uint64{}}
		for k, n := range kinds[t] {
			if n > 0 {
				r.ByKind[hit.Kind(k).String()] = n
			}
		}
		target := s.Targets[name]
		target.Reserved = r
		s.Targets[name] = target
	}
}

func (a *reservations) outline(n uint64) (kinds [hit.Kinds]uint16) {
	a.plan.Visits.Outline(n, &a.visit)
	for i := range a.visit.Hits {
		kinds[a.visit.Hits[i].RecordedAs]++
	}
	return kinds
}
