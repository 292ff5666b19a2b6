package reconcile_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/reconcile"
	"github.com/puttrix/trafficinator/controller/internal/reconcile/comparison"
	"github.com/puttrix/trafficinator/controller/internal/reconcile/evidence"
	"github.com/puttrix/trafficinator/shared/doctor"
	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/target"
)

// log is what a raw log holds.
type log struct{ visits, actions uint64 }

// shows is a Matomo whose reports and raw log change with time.
type shows struct {
	site     matomo.Site
	report   func(since time.Duration) matomo.Figures
	lately   func(since time.Duration) log
	denied   error
	asked    []matomo.Query
	notes    []string
	findings []doctor.Finding
	expected doctor.Expectation
	began    time.Time
}

func (m *shows) Site(context.Context, target.Target) (matomo.Site, error) { return m.site, nil }
func (m *shows) Figures(_ context.Context, _ target.Target, s matomo.Query) (matomo.Figures, error) {
	if m.denied != nil {
		return matomo.Figures{}, m.denied
	}
	m.asked = append(m.asked, s)
	return m.report(time.Since(m.began)), nil
}
func (m *shows) RawLogSince(context.Context, target.Target, time.Time, string) (evidence.RawLog, error) {
	l := m.lately(time.Since(m.began))
	return evidence.RawLog{Visits: evidence.Span{Least: l.visits, Most: l.visits},
		Actions: &evidence.Span{Least: l.actions, Most: l.actions}}, nil
}
func (m *shows) CountVisits(context.Context, target.Target, matomo.Query, map[string]uint64) (uint64, error) {
	return m.lately(time.Since(m.began)).visits, nil
}
func (m *shows) Failures(context.Context, target.Target) ([]evidence.Failure, error) {
	return nil, errors.New("refused")
}
func (m *shows) Exclusions(context.Context, target.Target) (evidence.Exclusions, error) {
	return evidence.Exclusions{}, errors.New("refused")
}
func (m *shows) Skew(context.Context, target.Target) (time.Duration, error) { return 0, nil }

func (m *shows) Diagnose(_ context.Context, _ target.Target, e doctor.Expectation) doctor.Diagnosis {
	m.expected = e
	return doctor.Diagnosis{Findings: m.findings}
}
func (m *shows) Annotate(_ context.Context, _ target.Target, day time.Time, note string) error {
	m.notes = append(m.notes, day.Format(time.DateOnly)+" "+note)
	return nil
}

const visits, pages = 10_000, 50_000

// ended is a run of 10,000 visits with 50,000 pages, all of which were accepted.
func ended() reconcile.Run {
	at := time.Now()
	day := at.UTC().Format(time.DateOnly)
	return reconcile.Run{
		Before: before(at, shown(0, 0), nil),
		Zone:   time.UTC, Sites: []reconcile.Site{{Target: target.Target{Name: "matomo", SiteID: 1},
			Parts: []string{"matomo"}}},
		Summary: runsummary.Summary{RunID: "r1", Started: at.Add(-time.Minute), Ended: at, Reason: "stop_after_visits",
			Targets: map[string]runsummary.Target{"matomo": {
				ByKind: map[string]runsummary.Hits{"pageview": {Planned: pages, Accepted: pages}},
				Totals: runsummary.Totals{
					Visits: runsummary.Visits{Planned: visits, Complete: visits}, Revenue: 10.1 + 20.2,
					Opened: runsummary.Opened{Days: map[string]uint64{day: visits},
						Countries: map[string]uint64{"se": visits},
						Sources:   map[string]uint64{"direct": visits}, Devices: map[string]uint64{"tablet": visits}},
				},
			}}},
	}
}

// shown is what a Matomo shows of n visits of p pages.
func shown(n, p uint64) matomo.Figures {
	one := func(name string) map[string]uint64 { return map[string]uint64{name: n} }
	return matomo.Figures{
		Visits: n, Unique: &n, Hits: map[string]uint64{"pageview": p}, Revenue: 30.3,
		Days: one(time.Now().UTC().Format(time.DateOnly)), Countries: one("se"), Sources: one("direct"),
		Devices: one("tablet"),
	}
}

// before is what the site of ended showed at a day; on the day before there was nothing.
func before(day time.Time, r matomo.Figures, raw *evidence.RawLog) map[string]reconcile.Before {
	at, eve := day.UTC().Format(time.DateOnly), day.UTC().AddDate(0, 0, -1).Format(time.DateOnly)
	return map[string]reconcile.Before{
		" 1": {Parts: []reconcile.Part{{From: eve, To: eve}, {From: at, To: at, Recorded: r}},
			Log: raw},
	}
}

func always(r matomo.Figures) func(time.Duration) matomo.Figures {
	return func(time.Duration) matomo.Figures { return r }
}

func holds(n, actions uint64) func(time.Duration) log {
	return func(time.Duration) log { return log{n, actions} }
}

// reconcile does so with the usual options, and tells how long it took.
func reconciled(t *testing.T, m *shows, r reconcile.Run) (comparison.Reconciliation, time.Duration) {
	t.Helper()
	m.began = time.Now()
	got, err := reconcile.Reconcile(
		t.Context(),
		m,
		func(context.Context) (reconcile.Run, error) { return r, nil },
		reconcile.Options{
			Every: reconcile.DefaultEvery,
			Limit: reconcile.DefaultLimit,
		},
		func(comparison.Reconciliation) {},
	)
	if err != nil {
		t.Fatal(err)
	}
	return got, time.Since(m.began)
}

// row finds one by name.
func row(t *testing.T, r comparison.Reconciliation, name string) comparison.ReconciledRow {
	t.Helper()
	for _, row := range r.Targets[0].Rows {
		if row.Name == name {
			return row
		}
	}
	t.Fatalf("there is no row %s in %+v", name, r.Targets[0].Rows)
	return comparison.ReconciledRow{}
}
