package runsummary_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/shared/runsummary"
)

// open is the summary of a run under way: of 10 visits 4 are open, with 12 hits of 40, and 3 more are reserved.
func open() runsummary.Summary {
	return runsummary.Summary{
		Kind:       runsummary.Live,
		FirstVisit: 100,
		NextVisit:  113,
		Due:        11,
		InFlight:   2,
		OpenVisits: 4,
		Hits:       runsummary.Hits{Planned: 40, Accepted: 20, Failed: 3, Unknown: 1, Shed: 4},
		ByKind: map[string]runsummary.Hits{"pageview": {Planned: 30, Accepted: 20, Failed: 1},
			"order": {Planned: 10, Failed: 2, Unknown: 1, Shed: 4}},
		ByTarget: map[string]runsummary.Hits{"a": {Planned: 25, Accepted: 20},
			"b": {Planned: 15, Failed: 3, Unknown: 1, Shed: 4}},
		Totals: runsummary.Totals{
			Visits: runsummary.Visits{Planned: 10, Complete: 3, Partial: 1, Uncertain: 1, Lost: 1},
		},
		Targets: map[string]runsummary.Target{
			"a": {ByKind: map[string]runsummary.Hits{"pageview": {Planned: 25, Accepted: 20}},
				Totals:   runsummary.Totals{Visits: runsummary.Visits{Planned: 6, Complete: 3}},
				Reserved: &runsummary.Reserved{Visits: 2, ByKind: map[string]uint64{"pageview": 5, "search": 1}}},
			"b": {ByKind: map[string]runsummary.Hits{"pageview": {Planned: 5, Failed: 1},
				"order": {Planned: 10, Failed: 2, Unknown: 1, Shed: 4}},
				Totals:   runsummary.Totals{Visits: runsummary.Visits{Planned: 4, Partial: 1, Uncertain: 1, Lost: 1}},
				Reserved: &runsummary.Reserved{Visits: 1, ByKind: map[string]uint64{"order": 2}}},
		},
	}
}

func TestWhatAKilledRunMayHaveSentIsUnknown(t *testing.T) {
	t.Parallel()
	s := open()
	s.CloseKilled(time.Unix(9, 0))
	for name, c := range map[string][2]runsummary.Hits{
		"all":        {s.Hits, {Planned: 48, Accepted: 20, Failed: 3, Unknown: 21, Shed: 4}},
		"pageview":   {s.ByKind["pageview"], {Planned: 35, Accepted: 20, Failed: 1, Unknown: 14}},
		"search":     {s.ByKind["search"], {Planned: 1, Unknown: 1}},
		"order":      {s.ByKind["order"], {Planned: 12, Failed: 2, Unknown: 6, Shed: 4}},
		"to a":       {s.ByTarget["a"], {Planned: 31, Accepted: 20, Unknown: 11}},
		"order to b": {s.Targets["b"].ByKind["order"], {Planned: 12, Failed: 2, Unknown: 6, Shed: 4}},
	} {
		if c[0] != c[1] {
			t.Errorf("%s: %+v, want %+v", name, c[0], c[1])
		}
	}
	if want := (runsummary.Visits{Planned: 13, Complete: 3, Partial: 1, Uncertain: 8, Lost: 1}); s.Visits != want {
		t.Errorf("visits %+v, want %+v", s.Visits, want)
	}
	if want := (runsummary.Visits{Planned: 8, Complete: 3, Uncertain: 5}); s.Targets["a"].Visits != want {
		t.Errorf("visits of a %+v, want %+v", s.Targets["a"].Visits, want)
	}
	if s.Reason != "killed" || s.Killed != 1 || s.OpenVisits+s.InFlight != 0 || s.Due != 13 ||
		s.Targets["a"].Reserved != nil {
		t.Errorf("%+v", s)
	}
}

func TestAnEarlierVersionsLedgerSaysHowManyVisitsHaveNoHits(t *testing.T) {
	t.Parallel()
	s := open()
	for name, target := range s.Targets {
		target.Reserved = nil
		s.Targets[name] = target
	}
	s.CloseKilled(time.Unix(9, 0))
	if !strings.Contains(s.Message, "up to 3 visits that began since have no hits here") || s.Visits.Planned != 13 ||
		s.Hits.Planned != 40 {
		t.Errorf("%q, %+v, %+v", s.Message, s.Visits, s.Hits)
	}
}

// Visits of a backfill that have not begun are still to be sent.
func TestAKilledBackfillKeepsWhatItHasNotBegun(t *testing.T) {
	t.Parallel()
	s := open()
	s.Kind, s.Backfill = runsummary.BackfillJob, &runsummary.Backfill{EstimatedEnd: time.Unix(99, 0)}
	s.Targets = nil
	s.CloseKilled(time.Unix(9, 0))
	if s.Visits.Planned != 10 || s.Hits.Unknown != 13 || !s.Backfill.EstimatedEnd.IsZero() {
		t.Errorf("%+v, %+v", s.Visits, s.Hits)
	}
}

func TestClosingLeavesAClosedSumAlone(t *testing.T) {
	t.Parallel()
	s := open()
	s.CloseKilled(time.Unix(9, 0))
	hits, visits := s.Hits, s.Visits
	s.CloseKilled(time.Unix(9, 0))
	if !reflect.DeepEqual([]any{hits, visits}, []any{s.Hits, s.Visits}) {
		t.Errorf("%+v became %+v", hits, s.Hits)
	}
}
