package proof_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/proof"
	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/record"
	"github.com/puttrix/trafficinator/shared/target"
)

// shows is a Matomo whose reports and raw log change with time.
type shows struct {
	site     matomo.Site
	report   func(since time.Duration) matomo.Recorded
	lately   func(since time.Duration) matomo.Lately
	denied   bool
	asked    []matomo.Slice
	notes    []string
	findings []matomo.Finding
	began    time.Time
}

func (m *shows) Site(context.Context, target.Target) (matomo.Site, error) { return m.site, nil }
func (m *shows) Recorded(_ context.Context, _ target.Target, s matomo.Slice) (matomo.Recorded, error) {
	if m.denied {
		return matomo.Recorded{}, errors.New("ask VisitsSummary.get: refused with status 401")
	}
	m.asked = append(m.asked, s)
	return m.report(time.Since(m.began)), nil
}
func (m *shows) Lately(context.Context, target.Target, int, string) (matomo.Lately, error) {
	return m.lately(time.Since(m.began)), nil
}
func (m *shows) Failures(context.Context, target.Target) ([]matomo.Failure, error) {
	return nil, errors.New("refused")
}
func (m *shows) Exclusions(context.Context, target.Target) (matomo.Exclusions, error) {
	return matomo.Exclusions{}, errors.New("refused")
}
func (m *shows) Skew(context.Context, target.Target) (time.Duration, error) { return 0, nil }

func (m *shows) Examine(context.Context, target.Target, matomo.Expect) matomo.Diagnosis {
	return matomo.Diagnosis{Findings: m.findings}
}
func (m *shows) Annotate(_ context.Context, _ target.Target, day time.Time, note string) error {
	m.notes = append(m.notes, day.Format(time.DateOnly)+" "+note)
	return nil
}

const visits, pages = 10_000, 50_000

// ended is a run of 10,000 visits with 50,000 pages, all of which were accepted.
func ended() proof.Run {
	at := time.Now()
	day := at.UTC().Format(time.DateOnly)
	return proof.Run{
		Zone: time.UTC, Targets: []target.Target{{Name: "matomo", SiteID: 1}},
		Summary: record.Summary{RunID: "r1", Started: at.Add(-time.Minute), Ended: at, Reason: "stop_after_visits", Targets: map[string]record.Target{"matomo": {
			ByKind: map[string]record.Hits{"pageview": {Planned: pages, Accepted: pages}},
			Account: record.Account{
				Visits: record.Visits{Planned: visits, Complete: visits}, Revenue: 10.1 + 20.2,
				Opened: record.Opened{Days: map[string]uint64{day: visits}, Countries: map[string]uint64{"se": visits}, Sources: map[string]uint64{"direct": visits}, Devices: map[string]uint64{"tablet": visits}},
			},
		}}},
	}
}

// shown is what a Matomo shows of n visits of p pages.
func shown(n, p uint64) matomo.Recorded {
	one := func(name string) map[string]uint64 { return map[string]uint64{name: n} }
	return matomo.Recorded{
		Visits: n, Unique: &n, Pageviews: p, Revenue: 30.3,
		Days: one(time.Now().UTC().Format(time.DateOnly)), Countries: one("se"), Sources: one("direct"), Devices: one("tablet"),
	}
}

func always(r matomo.Recorded) func(time.Duration) matomo.Recorded {
	return func(time.Duration) matomo.Recorded { return r }
}

func holds(n, actions uint64) func(time.Duration) matomo.Lately {
	return func(time.Duration) matomo.Lately { return matomo.Lately{Visits: n, Actions: actions} }
}

// reconcile does so with the usual options, and tells how long it took.
func reconcile(t *testing.T, m *shows, r proof.Run) (record.Reconciliation, time.Duration) {
	t.Helper()
	m.began = time.Now()
	got, err := proof.Reconcile(t.Context(), m, func(context.Context) (proof.Run, error) { return r, nil },
		proof.Options{Every: proof.DefaultEvery, Limit: proof.DefaultLimit}, func(record.Reconciliation) {})
	if err != nil {
		t.Fatal(err)
	}
	return got, time.Since(m.began)
}

// row finds one by name.
func row(t *testing.T, r record.Reconciliation, name string) record.ReconciledRow {
	t.Helper()
	for _, row := range r.Targets[0].Rows {
		if row.Name == name {
			return row
		}
	}
	t.Fatalf("there is no row %s in %+v", name, r.Targets[0].Rows)
	return record.ReconciledRow{}
}

func TestACleanRunIsEqualAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, took := reconcile(t, &shows{report: always(shown(visits, pages)), lately: holds(visits, pages)}, ended())
		if got.Lost() || got.State != "done" || took > 0 {
			t.Errorf("%+v after %v", got, took)
		}
		for _, r := range got.Targets[0].Rows {
			if r.Verdict != record.RowEqual {
				t.Errorf("%+v", r)
			}
		}
	})
}

func TestOneHitInTenThousandThatIsLostIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, took := reconcile(t, &shows{report: always(shown(visits, pages-5)), lately: holds(visits, pages-5)}, ended())
		if r := row(t, got, "pageviews"); r.Verdict != record.RowShort || r.Off != -5 || !got.Lost() {
			t.Errorf("%+v", r)
		}
		if took > 2*time.Minute {
			t.Errorf("%v to tell a loss that the raw log confirms", took)
		}
	})
}

func TestHitsRecordedTwiceAreFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, _ := reconcile(t, &shows{report: always(shown(visits, pages+7)), lately: holds(visits, pages+7)}, ended())
		if r := row(t, got, "pageviews"); r.Verdict != record.RowMore || r.Off != 7 || got.Lost() {
			t.Errorf("%+v", r)
		}
	})
}

func TestArchivingIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &shows{lately: holds(visits, pages), report: func(since time.Duration) matomo.Recorded {
			if since < 15*time.Minute {
				return shown(0, 0)
			}
			return shown(visits, pages)
		}}
		got, took := reconcile(t, m, ended())
		if got.Lost() || took < 15*time.Minute || took > 16*time.Minute {
			t.Errorf("done after %v: %+v", took, got)
		}
	})
}

func TestAWaitHasAnEndThatNamesArchiving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, took := reconcile(t, &shows{report: always(shown(0, 0)), lately: holds(visits, pages)}, ended())
		if !got.Lost() || took != proof.DefaultLimit || len(got.Targets[0].Causes) == 0 || got.Targets[0].Causes[0].Kind != "archiving" {
			t.Errorf("after %v: %+v", took, got.Targets[0].Causes)
		}
	})
}

func TestExcludedAddressesAreNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &shows{site: matomo.Site{Timezone: "Europe/Berlin", ExcludedIPs: []string{"90.224.0.0/16"}}, report: always(shown(visits-40, pages)), lately: holds(visits-40, pages)}
		got, _ := reconcile(t, m, ended())
		causes := got.Targets[0].Causes
		if len(causes) != 1 || causes[0].Kind != "excluded_addresses" || !strings.Contains(causes[0].Message, "90.224.0.0/16") {
			t.Errorf("%+v", causes)
		}
	})
}

func TestAQueueThatHoldsHitsBackIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &shows{report: always(shown(visits-40, pages)), lately: holds(visits-40, pages), findings: []matomo.Finding{
			{Check: "queue", Verdict: matomo.Doubtful, Message: "QueuedTracking answers hits before they are recorded"},
			{Check: "spam", Verdict: matomo.Good, Message: "no plug-in turns hits down"}, {Check: "currency", Verdict: matomo.Bad, Message: "EUR"},
		}}
		got, _ := reconcile(t, m, ended())
		if causes := got.Targets[0].Causes; len(causes) != 1 || causes[0].Kind != "queue" {
			t.Errorf("%+v", causes)
		}
	})
}

func TestHitsInDoubtWidenWhatIsExpected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := ended()
		at := r.Summary.Targets["matomo"]
		at.ByKind["pageview"] = record.Hits{Planned: pages, Accepted: pages - 30, Unknown: 10, Rejected: 20}
		at.Visits = record.Visits{Planned: visits, Complete: visits - 5, Uncertain: 5}
		r.Summary.Targets["matomo"] = at
		got, _ := reconcile(t, &shows{report: always(shown(visits, pages-3)), lately: holds(visits, pages-3)}, r)
		if got.Lost() || row(t, got, "pageviews").Verdict != record.RowEqual || row(t, got, "pageviews").Why == "" {
			t.Errorf("%+v", got.Targets[0].Rows)
		}
	})
}

func TestARunIsToldFromOtherTraffic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		there := shown(300, 900)
		there.Revenue = 5
		both := shown(visits+300, pages+900)
		both.Revenue += 5
		r := ended()
		r.Before = map[string]map[string]matomo.Recorded{" 1": {time.Now().UTC().Format(time.DateOnly): there}}
		m := &shows{report: always(both), lately: holds(visits+300, pages+900)}
		got, took := reconcile(t, m, r)
		if took > 0 || got.Lost() || got.Targets[0].Slice != "difference" || got.Targets[0].Limits == "" || row(t, got, "unique visitors").Verdict != record.RowIncomparable {
			t.Errorf("by difference: %+v", got)
		}
		m.report, m.lately = always(shown(visits+300, pages+899)), holds(visits+300, pages+899)
		if got, took := reconcile(t, m, r); !got.Lost() || took > 2*time.Minute {
			t.Errorf("a loss by difference, after %v: %+v", took, got)
		}
		r.Dimension, m.report = 7, always(shown(visits, pages))
		if got, _ := reconcile(t, m, r); got.Lost() || got.Targets[0].Slice != "dimension" || m.asked[len(m.asked)-1].Segment != "dimension7==r1" {
			t.Errorf("by dimension: %+v", got)
		}
	})
}

func TestATokenThatMayNotReadIsNoLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, took := reconcile(t, &shows{denied: true}, ended())
		if took > time.Minute || got.Lost() || !strings.Contains(got.Targets[0].Error, "401") {
			t.Errorf("%+v", got)
		}
	})
}

func TestARunThatGoesOnIsFollowedWithItsLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := ended()
		end := time.Now().Add(5 * time.Minute)
		r.Summary.Started, r.Summary.Ended = time.Now(), time.Time{}
		began := time.Now()
		perSecond := func(since time.Duration) uint64 { return uint64(max(0, since.Seconds())) }
		m := &shows{began: began, report: always(shown(0, 0)), lately: func(since time.Duration) matomo.Lately {
			return matomo.Lately{Visits: perSecond(since - 30*time.Second)} // half a minute late
		}}
		ctx, cancel := context.WithCancel(t.Context())
		var last record.Reconciliation
		_, err := proof.Reconcile(ctx, m, func(context.Context) (proof.Run, error) {
			at := r.Summary.Targets["matomo"]
			at.Visits.Complete = perSecond(time.Since(began))
			r.Summary.Targets["matomo"] = at
			if !time.Now().Before(end) {
				cancel()
			}
			return r, nil
		}, proof.Options{Every: 10 * time.Second, Limit: time.Minute}, func(r record.Reconciliation) { last = r })
		if err != nil || last.State != "following" {
			t.Fatalf("%+v, %v", last, err)
		}
		if f := last.Targets[0].Freshness; f == nil || *f < 20 || *f > 40 {
			t.Errorf("freshness %v, visits are visible after 30 s", f)
		}
	})
}

func TestWhatAKilledLoadgenSentLastIsNotTooMuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := ended()
		r.Summary.Killed = 1
		got, _ := reconcile(t, &shows{report: always(shown(visits+2, pages+9)), lately: holds(visits+2, pages+9)}, r)
		if row(t, got, "visits").Verdict != record.RowEqual || row(t, got, "pageviews").Why == "" {
			t.Errorf("%+v", got.Targets[0].Rows)
		}
		got, _ = reconcile(t, &shows{report: always(shown(visits, pages-1)), lately: holds(visits, pages-1)}, r)
		if row(t, got, "pageviews").Verdict != record.RowShort {
			t.Errorf("a loss: %+v", got.Targets[0].Rows)
		}
	})
}

func TestASourceThatNothingTellsIsNotMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := ended()
		at := r.Summary.Targets["matomo"]
		at.Opened.Sources = map[string]uint64{"search": visits - 6, "": 6} // the first hit of six was not taken
		r.Summary.Targets["matomo"] = at
		as := shown(visits, pages)
		as.Sources = map[string]uint64{"search": visits - 6, "direct": 6}
		if got, _ := reconcile(t, &shows{report: always(as), lately: holds(visits, pages)}, r); got.Lost() || row(t, got, "direct").Verdict != record.RowEqual {
			t.Errorf("%+v", got.Targets[0].Rows)
		}
		as.Sources = map[string]uint64{"search": visits - 7, "direct": 7}
		if got, _ := reconcile(t, &shows{report: always(as), lately: holds(visits, pages)}, r); row(t, got, "search").Verdict != record.RowShort {
			t.Errorf("one that changed its source: %+v", got.Targets[0].Rows)
		}
	})
}

func TestActionsThatAreNotArchivedAreWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &shows{lately: holds(visits, pages), report: func(since time.Duration) matomo.Recorded {
			if since < 15*time.Minute {
				return shown(visits, pages-300) // archived while the last visits were still open
			}
			return shown(visits, pages)
		}}
		if got, took := reconcile(t, m, ended()); got.Lost() || took < 15*time.Minute {
			t.Errorf("done after %v: %+v", took, got.Targets[0].Rows)
		}
	})
}

func TestATargetThatNobodyCanAskIsNotLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := ended()
		r.Summary.Targets["gone"] = record.Target{SiteID: 9}
		got, _ := reconcile(t, &shows{report: always(shown(visits, pages)), lately: holds(visits, pages)}, r)
		if len(got.Targets) != 2 || got.Targets[0].Name != "gone" || got.Targets[0].SiteID != 9 || got.Targets[0].Error == "" || got.Targets[1].Error != "" {
			t.Errorf("%+v", got.Targets)
		}
	})
}

func TestDaysAtWhichNobodyLookedAreNotCalledEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := ended()
		at := r.Summary.Targets["matomo"]
		at.Opened.Days = map[string]uint64{"1999-11-01": visits} // a backfill
		r.Summary.Targets["matomo"] = at
		r.Before = map[string]map[string]matomo.Recorded{" 1": {time.Now().UTC().Format(time.DateOnly): shown(0, 0)}}
		there := shown(visits, pages)
		there.Days = at.Opened.Days
		got, _ := reconcile(t, &shows{report: always(there), lately: holds(0, 0)}, r)
		if got.Lost() || !strings.Contains(got.Targets[0].Limits, "Nobody looked") {
			t.Errorf("%+v", got.Targets[0].Limits)
		}
	})
}

func TestABackfillThatIsResumedIsWaitedForAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		m := &shows{began: began, lately: holds(visits, pages), report: func(since time.Duration) matomo.Recorded {
			if since < 70*time.Minute {
				return shown(0, 0)
			}
			return shown(visits, pages)
		}}
		got, err := proof.Reconcile(t.Context(), m, func(context.Context) (proof.Run, error) {
			r := ended()
			if since := time.Since(began); since > 10*time.Minute && since < time.Hour { // it goes on again, longer than is waited for
				r.Summary.Ended = time.Time{}
			}
			return r, nil
		}, proof.Options{Every: proof.DefaultEvery, Limit: proof.DefaultLimit}, func(record.Reconciliation) {})
		if took := time.Since(began); err != nil || got.Lost() || took < 70*time.Minute {
			t.Errorf("done after %v: %+v, %v", took, got, err)
		}
	})
}

func TestAQueueThatIsWorkedOffOnceAMinuteIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		worked := func(since time.Duration) uint64 { return min(visits, 4000*uint64(1+since/time.Minute)) }
		m := &shows{
			report: func(since time.Duration) matomo.Recorded { return shown(worked(since), 5*worked(since)) },
			lately: func(since time.Duration) matomo.Lately {
				return matomo.Lately{Visits: worked(since), Actions: 5 * worked(since)}
			},
		}
		if got, took := reconcile(t, m, ended()); got.Lost() || took < 2*time.Minute {
			t.Errorf("done after %v: %+v", took, got.Targets[0].Rows)
		}
	})
}

func TestALedgerOfTheLastStartAloneIsNotTakenForTheWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := ended()
		r.Dimension, r.Summary.FirstVisit = 7, 100
		got, _ := reconcile(t, &shows{report: always(shown(visits+61, pages)), lately: holds(visits+61, pages)}, r)
		if row(t, got, "visits").Verdict != record.RowMore || !strings.HasPrefix(got.Targets[0].Limits, "The loadgen was started again") {
			t.Errorf("%+v", got.Targets[0].Limits)
		}
	})
}
