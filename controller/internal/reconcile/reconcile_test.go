package reconcile_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/reconcile"
	"github.com/puttrix/trafficinator/controller/internal/reconcile/comparison"
	"github.com/puttrix/trafficinator/shared/doctor"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/target"
)

func TestACleanRunIsEqualAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, took := reconciled(t, &shows{report: always(shown(visits, pages)), lately: holds(visits, pages)}, ended())
		if got.Verdict != comparison.MatchEqual || got.State != "done" || took > 0 {
			t.Errorf("%+v after %v", got, took)
		}
		for _, r := range got.Targets[0].Rows {
			if r.Verdict != comparison.MatchEqual {
				t.Errorf("%+v", r)
			}
		}
	})
}

func TestOneHitInTenThousandThatIsLostIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, took := reconciled(t, &shows{report: always(shown(visits, pages-5)), lately: holds(visits, pages-5)},
			ended())
		if r := row(t, got, "pageviews"); r.Verdict != comparison.MatchShort || r.Off != -5 ||
			got.Verdict != comparison.MatchShort {
			t.Errorf("%+v", r)
		}
		if took > 2*time.Minute {
			t.Errorf("%v to tell a loss that the raw log confirms", took)
		}
	})
}

func TestHitsRecordedTwiceAreFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, _ := reconciled(t, &shows{report: always(shown(visits, pages+7)), lately: holds(visits, pages+7)}, ended())
		if r := row(t, got, "pageviews"); r.Verdict != comparison.MatchMore || r.Off != 7 ||
			got.Verdict != comparison.MatchMore {
			t.Errorf("%+v", r)
		}
	})
}

func TestArchivingIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &shows{lately: holds(visits, pages), report: func(since time.Duration) matomo.Figures {
			if since < 15*time.Minute {
				return shown(0, 0)
			}
			return shown(visits, pages)
		}}
		got, took := reconciled(t, m, ended())
		if got.Verdict != comparison.MatchEqual || took < 15*time.Minute || took > 16*time.Minute {
			t.Errorf("done after %v: %+v", took, got)
		}
	})
}

func TestAWaitHasAnEndThatNamesArchiving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, took := reconciled(t, &shows{report: always(shown(0, 0)), lately: holds(visits, pages)}, ended())
		if got.Verdict != comparison.MatchNotArchived || took != reconcile.DefaultLimit ||
			len(got.Targets[0].Causes) == 0 ||
			got.Targets[0].Causes[0].Kind != "archiving" {
			t.Errorf("after %v: %+v", took, got.Targets[0].Causes)
		}
	})
}

func TestExcludedAddressesAreNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &shows{site: matomo.Site{Timezone: "Europe/Berlin", ExcludedIPs: []string{"90.224.0.0/16"}},
			report: always(shown(visits-40, pages)), lately: holds(visits-40, pages)}
		got, _ := reconciled(t, m, ended())
		causes := got.Targets[0].Causes
		if len(causes) != 1 || causes[0].Kind != "excluded_addresses" ||
			!strings.Contains(causes[0].Message, "90.224.0.0/16") {
			t.Errorf("%+v", causes)
		}
	})
}

func TestWhatMakesOthersOfHitsIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &shows{report: always(shown(visits, pages-40)), lately: holds(visits, pages-40),
			findings: []doctor.Finding{
				{Check: "plugins", Verdict: doctor.Error, Message: "Events is not active", Cure: "activate it"},
				{Check: "created", Verdict: doctor.Warning, Message: "the site was created on 2026-11-30",
					Cure: "set it back"},
			}}
		r := ended()
		matomoOf := r.Summary.Targets["matomo"]
		matomoOf.ByKind["event"] = runsummary.Hits{Planned: 40, Accepted: 40}
		got, _ := reconciled(t, m, r)
		if !m.expected.Sends[hit.Event] || m.expected.Sends[hit.Order] {
			t.Errorf("the doctor was asked about %+v, but events are sent and orders are not", m.expected)
		}
		for _, want := range []string{"plugins", "created"} {
			if !slices.ContainsFunc(got.Targets[0].Causes, func(c comparison.Cause) bool {
				return c.Kind == want && c.Cure != ""
			}) {
				t.Errorf("%s is not among %+v", want, got.Targets[0].Causes)
			}
		}
	})
}

func TestAQueueThatHoldsHitsBackIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &shows{report: always(shown(visits-40, pages)), lately: holds(visits-40, pages),
			findings: []doctor.Finding{
				{Check: "queue", Verdict: doctor.Warning,
					Message: "QueuedTracking answers hits before they are recorded"},
				{Check: "spam", Verdict: doctor.OK, Message: "no plug-in turns hits down"},
				{Check: "currency", Verdict: doctor.Error, Message: "EUR"},
			}}
		got, _ := reconciled(t, m, ended())
		if causes := got.Targets[0].Causes; len(causes) != 1 || causes[0].Kind != "queue" {
			t.Errorf("%+v", causes)
		}
	})
}

func TestHitsInDoubtWidenWhatIsExpected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := ended()
		at := r.Summary.Targets["matomo"]
		at.ByKind["pageview"] = runsummary.Hits{Planned: pages, Accepted: pages - 30, Unknown: 10, Rejected: 20}
		at.Visits = runsummary.Visits{Planned: visits, Complete: visits - 5, Uncertain: 5}
		r.Summary.Targets["matomo"] = at
		got, _ := reconciled(t, &shows{report: always(shown(visits, pages-3)), lately: holds(visits, pages-3)}, r)
		if got.Verdict != comparison.MatchEqual || row(t, got, "pageviews").Verdict != comparison.MatchEqual ||
			row(t, got, "pageviews").Why == "" {
			t.Errorf("%+v", got.Targets[0].Rows)
		}
	})
}

func TestVisitsThatMatomoMayHaveTwiceAreNoSurplus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := ended()
		at := r.Summary.Targets["matomo"]
		at.Visits.Repeated = 3
		r.Summary.Targets["matomo"] = at
		for recorded, want := range map[uint64]comparison.Match{
			visits: comparison.MatchEqual, visits + 3: comparison.MatchEqual, visits + 4: comparison.MatchMore,
		} {
			is, unique := shown(recorded, pages), uint64(visits)
			is.Unique = &unique
			got, _ := reconciled(t, &shows{report: always(is), lately: holds(recorded, pages)}, r)
			if got.Verdict != want {
				t.Errorf("%d visits of %d: %s", recorded, visits, got.Verdict)
			}
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
		r.Before = before(time.Now(), there, nil)
		m := &shows{report: always(both), lately: holds(visits+300, pages+900)}
		got, took := reconciled(t, m, r)
		if took > 0 || got.Verdict != comparison.MatchEqual || got.Targets[0].Slice != "difference" ||
			got.Targets[0].Limits == "" || row(t, got, "unique visitors").Verdict != comparison.MatchIncomparable {
			t.Errorf("by difference: %+v", got)
		}
		m.report, m.lately = always(shown(visits+300, pages+899)), holds(visits+300, pages+899)
		if got, took := reconciled(t, m, r); got.Verdict != comparison.MatchShort || took > 2*time.Minute {
			t.Errorf("a loss by difference, after %v: %+v", took, got)
		}
		r.Dimension, m.report, m.lately = 7, always(shown(visits, pages)), holds(visits, pages)
		if got, _ := reconciled(t, m, r); got.Verdict != comparison.MatchEqual || got.Targets[0].Slice != "dimension" ||
			m.asked[len(m.asked)-1].Segment != "dimension7==r1" {
			t.Errorf("by dimension: %+v", got)
		}
	})
}

func TestATokenThatMayNotReadIsNoLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, took := reconciled(t, &shows{denied: errors.New("ask VisitsSummary.get: refused with status 401")},
			ended())
		if took > time.Minute || got.Verdict != comparison.MatchNotAsked ||
			!strings.Contains(got.Targets[0].Error, "401") {
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
		m := &shows{began: began, report: always(shown(0, 0)), lately: func(since time.Duration) log {
			return log{visits: perSecond(since - 30*time.Second)} // half a minute late
		}}
		ctx, cancel := context.WithCancel(t.Context())
		var last comparison.Reconciliation
		_, err := reconcile.Reconcile(ctx, m, func(context.Context) (reconcile.Run, error) {
			at := r.Summary.Targets["matomo"]
			at.Visits.Complete = perSecond(time.Since(began))
			r.Summary.Targets["matomo"] = at
			if !time.Now().Before(end) {
				cancel()
			}
			return r, nil
		}, reconcile.Options{Every: 10 * time.Second, Limit: time.Minute}, func(r comparison.Reconciliation) { last = r })
		if err != nil || last.State != "following" {
			t.Fatalf("%+v, %v", last, err)
		}
		if f := last.Targets[0].Freshness; f == nil || *f < 20 || *f > 40 {
			t.Errorf("freshness %v, visits are visible after 30 s", f)
		}
	})
}

func TestWhatAKilledLoadgenMayHaveSentIsNotTooMuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := change(func(at *runsummary.Target) {
			at.ByKind["pageview"] = runsummary.Hits{Planned: pages + 9, Accepted: pages, Unknown: 9}
			at.Visits = runsummary.Visits{Planned: visits + 2, Complete: visits, Uncertain: 2}
		})
		r.Summary.Killed = 1
		for _, c := range []struct {
			visits, pages uint64
			want          comparison.Match
		}{{visits, pages, comparison.MatchEqual}, {visits + 2, pages + 9, comparison.MatchEqual},
			{visits, pages - 1, comparison.MatchShort}, {visits + 2, pages + 10, comparison.MatchMore}} {
			if got, _ := reconciled(t,
				&shows{report: always(shown(c.visits, c.pages)), lately: holds(c.visits, c.pages)},
				r); got.Verdict != c.want {
				t.Errorf("%+v: %+v", c, got.Targets[0].Rows)
			}
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
		if got, _ := reconciled(t, &shows{report: always(as), lately: holds(visits, pages)},
			r); got.Verdict != comparison.MatchEqual || row(t, got, "direct").Verdict != comparison.MatchEqual {
			t.Errorf("%+v", got.Targets[0].Rows)
		}
		as.Sources = map[string]uint64{"search": visits - 7, "direct": 7}
		if got, _ := reconciled(t, &shows{report: always(as), lately: holds(visits, pages)}, r); row(t, got,
			"search").Verdict != comparison.MatchShort {
			t.Errorf("one that changed its source: %+v", got.Targets[0].Rows)
		}
	})
}

func TestActionsThatAreNotArchivedAreWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &shows{lately: holds(visits, pages), report: func(since time.Duration) matomo.Figures {
			if since < 15*time.Minute {
				return shown(visits, pages-300) // archived while the last visits were still open
			}
			return shown(visits, pages)
		}}
		if got, took := reconciled(t, m, ended()); got.Verdict != comparison.MatchEqual || took < 15*time.Minute {
			t.Errorf("done after %v: %+v", took, got.Targets[0].Rows)
		}
	})
}

func TestATargetThatNobodyCanAskIsNotLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := ended()
		r.Summary.Targets["gone"] = runsummary.Target{SiteID: 9}
		r.Sites = append([]reconcile.Site{{Target: target.Target{Name: "gone", SiteID: 9}, Error: "nobody can ask"}},
			r.Sites...)
		got, _ := reconciled(t, &shows{report: always(shown(visits, pages)), lately: holds(visits, pages)}, r)
		if len(got.Targets) != 2 || got.Targets[0].Name != "gone" || got.Targets[0].SiteID != 9 ||
			got.Targets[0].Error == "" || got.Targets[1].Error != "" {
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
		r.Before = before(time.Now(), shown(0, 0), nil)
		there := shown(visits, pages)
		there.Days = at.Opened.Days
		got, _ := reconciled(t, &shows{report: always(there), lately: holds(0, 0)}, r)
		if got.Verdict != comparison.MatchEqual || !strings.Contains(got.Targets[0].Limits, "not queried") {
			t.Errorf("%+v", got.Targets[0].Limits)
		}
	})
}

func TestABackfillThatIsResumedIsWaitedForAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		m := &shows{began: began, lately: holds(visits, pages), report: func(since time.Duration) matomo.Figures {
			if since < 70*time.Minute {
				return shown(0, 0)
			}
			return shown(visits, pages)
		}}
		got, err := reconcile.Reconcile(t.Context(), m, func(context.Context) (reconcile.Run, error) {
			r := ended()
			// it goes on again, longer than is waited for
			if since := time.Since(began); since > 10*time.Minute && since < time.Hour {
				r.Summary.Ended = time.Time{}
			}
			return r, nil
		}, reconcile.Options{Every: reconcile.DefaultEvery, Limit: reconcile.DefaultLimit},
			func(comparison.Reconciliation) {})
		if took := time.Since(began); err != nil || got.Verdict != comparison.MatchEqual || took < 70*time.Minute {
			t.Errorf("done after %v: %+v, %v", took, got, err)
		}
	})
}

func TestAQueueThatIsWorkedOffOnceAMinuteIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		worked := func(since time.Duration) uint64 { return min(visits, 4000*uint64(1+since/time.Minute)) }
		m := &shows{
			report: func(since time.Duration) matomo.Figures { return shown(worked(since), 5*worked(since)) },
			lately: func(since time.Duration) log {
				return log{worked(since), 5 * worked(since)}
			},
		}
		if got, took := reconciled(t, m, ended()); got.Verdict != comparison.MatchEqual || took < 2*time.Minute {
			t.Errorf("done after %v: %+v", took, got.Targets[0].Rows)
		}
	})
}

func TestASummaryOfTheLastStartIsNotTakenForTheEntireRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := ended()
		r.Dimension, r.Summary.FirstVisit = 7, 100
		got, _ := reconciled(t, &shows{report: always(shown(visits+61, pages)), lately: holds(visits+61, pages)}, r)
		if row(t, got, "visits").Verdict != comparison.MatchIncomparable ||
			!strings.HasPrefix(got.Targets[0].Limits, "The loadgen was restarted") {
			t.Errorf("%+v", got.Targets[0].Limits)
		}
	})
}
