package live_test

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/ledgers"
	"github.com/puttrix/trafficinator/controller/internal/live"
	"github.com/puttrix/trafficinator/shared/record"
	"github.com/puttrix/trafficinator/shared/spec"
)

// loadgen answers scrapes with what is set.
type loadgen struct {
	// unreachable: nobody can ask it, so that its ledger is all there is.
	unreachable bool

	mu     sync.Mutex
	body   string
	down   bool
	ledger string
	knobs  map[string]string
}

func (l *loadgen) settings(string) (spec.Spec, bool) {
	s, problems := spec.Parse(l.knobs, nil)
	return s, l.knobs != nil && problems.Err() == nil
}

func (l *loadgen) cap() (record.Cap, error) {
	return record.Cap{
		WindowStart: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC),
		Reserved:    40,
	}, nil // when virtual time begins
}

func (l *loadgen) where() string {
	if l.unreachable {
		return ""
	}
	return "http://loadgen.test"
}

func (l *loadgen) rate() float64 { return 2 }

func (l *loadgen) RoundTrip(*http.Request) (*http.Response, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		return nil, fmt.Errorf("refused")
	}
	w := httptest.NewRecorder()
	_, _ = w.WriteString(l.body) // memory
	return w.Result(), nil
}

// says is what a loadgen exposes: started at start seconds, accepted hits of a, of b none, all answered within 50 ms.
func (l *loadgen) says(run string, start, accepted int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = false
	l.body = strings.NewReplacer("RUN", run, "START", fmt.Sprint(start), "ACCEPTED", fmt.Sprint(accepted), "PLANNED",
		fmt.Sprint(accepted+3)).Replace(`
# TYPE trafficinator_plan_info gauge
trafficinator_plan_info{hash="abc",run_id="RUN"} 1
# TYPE trafficinator_phase gauge
trafficinator_phase{phase="idle"} 0
trafficinator_phase{phase="running"} 1
# TYPE process_start_time_seconds gauge
process_start_time_seconds START
# TYPE trafficinator_hits_planned_total counter
trafficinator_hits_planned_total{target="a",kind="pageview"} PLANNED
trafficinator_hits_planned_total{target="b",kind="event"} 0
# TYPE trafficinator_hits_total counter
trafficinator_hits_total{target="a",kind="pageview",outcome="accepted"} ACCEPTED
trafficinator_hits_total{target="a",kind="pageview",outcome="failed"} 1
# TYPE trafficinator_hits_in_flight gauge
trafficinator_hits_in_flight{target="a"} 2
trafficinator_hits_in_flight{target="b"} 0
# TYPE trafficinator_target_health gauge
trafficinator_target_health{target="a",state="healthy"} 1
trafficinator_target_health{target="b",state="healthy"} 0
trafficinator_target_health{target="b",state="failed"} 1
# TYPE trafficinator_visits_total counter
trafficinator_visits_total{fate="complete"} 5
# TYPE trafficinator_visits_planned_total counter
trafficinator_visits_planned_total ACCEPTED
# TYPE trafficinator_visits_due_total counter
trafficinator_visits_due_total PLANNED
# TYPE trafficinator_visits_open gauge
trafficinator_visits_open 4
# TYPE trafficinator_revenue_total counter
trafficinator_revenue_total 12.5
# TYPE trafficinator_hit_latency_seconds histogram
trafficinator_hit_latency_seconds_bucket{target="a",le="0.025"} 0
trafficinator_hit_latency_seconds_bucket{target="a",le="0.05"} ACCEPTED
trafficinator_hit_latency_seconds_bucket{target="a",le="+Inf"} ACCEPTED
trafficinator_hit_latency_seconds_sum{target="a"} 1
trafficinator_hit_latency_seconds_count{target="a"} ACCEPTED
`)
}

// stop ends the loadgen until it says something again.
func (l *loadgen) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = true
}

func (l *loadgen) writes(ledger string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ledger = ledger
}

// read is the ledger of the run "r"; other runs have none.
func (l *loadgen) read(runID string) (*record.Summary, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if runID != "r" {
		return nil, fs.ErrNotExist
	}
	return ledgers.Decode([]byte(l.ledger))
}

// watch runs test beside a Live that watches l, in virtual time.
func watch(t *testing.T, l *loadgen, test func(*live.Live, *live.Hub, *[]live.Interval)) []live.Interval {
	var minutes []live.Interval
	synctest.Test(t, func(t *testing.T) {
		hub := live.NewHub(time.Now())
		w := live.New(live.Config{
			Where: l.where, ByLedger: func() string { return "r" }, Client: &http.Client{Transport: l}, Ledger: l.read,
			Settings: l.settings, Cap: l.cap, Hub: hub,
			Log:   slog.New(slog.DiscardHandler),
			Scale: l.rate, Keep: func(_ context.Context, m live.Interval) error {
				minutes = append(minutes, m)
				return nil
			},
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); w.Watch(ctx) }()
		time.Sleep(time.Millisecond) // just after the second
		test(w, hub, &minutes)
		cancel()
		<-done
	})
	return minutes
}

func now() int { return int(time.Now().Unix()) }

func latest(t *testing.T, w *live.Live) live.Sample {
	t.Helper()
	s, ok := w.Latest()
	if !ok {
		t.Fatal("there should be a sample")
	}
	return s
}

func TestASampleHasTheCountsOfTheRunAndTheRatesOfTheSecond(t *testing.T) {
	t.Parallel()
	l := &loadgen{down: true}
	watch(t, l, func(w *live.Live, _ *live.Hub, _ *[]live.Interval) {
		time.Sleep(time.Second)
		if _, ok := w.Latest(); ok {
			t.Error("nothing answered, so nothing is known")
		}
		began := now()
		l.says("r", began, 10)
		time.Sleep(time.Second)
		l.says("r", began, 50)
		time.Sleep(time.Second)
		s := latest(t, w)
		if s.RunID != "r" || s.PlanHash != "abc" || s.Phase != "running" || s.OpenVisits != 4 || s.InFlight != 2 ||
			s.Revenue != 12.5 {
			t.Errorf("not what the loadgen said: %+v", s)
		}
		if want := (live.Hits{Planned: 53, Accepted: 50, Failed: 1}); s.Hits != want || s.ByKind["pageview"] != want {
			t.Errorf("want %+v, got %+v and %+v", want, s.Hits, s.ByKind)
		}
		if s.HitRate != 40 || s.VisitRate != 40 || s.Delta.Accepted != 40 || s.Visits["complete"] != 5 ||
			s.Visits["planned"] != 50 {
			t.Errorf("want 40 hits and visits in the last second: %+v", s)
		}
		if p := s.Latency.P50; p <= 0.025 || p > 0.05 || s.Latency.P99 <= p || s.Latency.P99 > 0.05 {
			t.Errorf("all were answered between 25 and 50 ms: %+v", s.Latency)
		}
		if len(s.Targets) != 2 || s.Targets[0].Health != "healthy" || s.Targets[1].Health != "failed" ||
			s.Targets[1].Hits != (live.Hits{}) {
			t.Errorf("want each target with its health: %+v", s.Targets)
		}
	})
}

// The containers of a rootless engine, or of one in a virtual machine, have addresses that nobody reaches from here.
func TestALoadgenThatCannotBeReachedIsFollowedByItsLedger(t *testing.T) {
	t.Parallel()
	l := &loadgen{unreachable: true}
	intervals := watch(t, l, func(w *live.Live, _ *live.Hub, _ *[]live.Interval) {
		began := time.Now().Format(time.RFC3339Nano)
		for second := range 7 {
			l.writes(fmt.Sprintf(
				`{"run_id":"r","plan_hash":"abc","started":%q,"visits":{"planned":%d,"complete":5},"visits_due":60,"revenue":12.5,"open_visits":4,
				"targets":{"a":{"health":"healthy","by_kind":{"pageview":{"planned":%d,"accepted":%d,"failed":1}}}}}`,
				began,
				10*second,
				40*second+3,
				40*second,
			))
			time.Sleep(time.Second)
		}
		s := latest(t, w)
		if want := (live.Hits{Planned: 243, Accepted: 240, Failed: 1}); s.Hits != want ||
			s.ByKind["pageview"] != want || s.Targets[0].Hits != want {
			t.Errorf("want %+v, got %+v", want, s)
		}
		if s.RunID != "r" || s.Phase != "running" || s.HitRate != 40 || s.VisitRate != 10 ||
			s.Visits["complete"] != 5 || s.OpenVisits != 4 || s.Due != 60 {
			t.Errorf("want the numbers of the ledger: %+v", s)
		}
	})
	var stored uint64
	for _, i := range intervals {
		stored += i.Delta.Accepted
	}
	if stored != 240 {
		t.Errorf("%d hits are in the stored intervals %+v", stored, intervals)
	}
}

func TestATargetTellsItsLastErrorFromTheLedgerOfItsRun(t *testing.T) {
	t.Parallel()
	l := &loadgen{}
	watch(t, l, func(w *live.Live, _ *live.Hub, _ *[]live.Interval) {
		told := func(run, ledger, wantA, wantB string) {
			t.Helper()
			l.says(run, now(), 1)
			l.writes(ledger)
			time.Sleep(time.Second)
			if s := latest(t, w); s.RunID != run || s.Targets[0].LastError != wantA || s.Targets[1].LastError != wantB {
				t.Errorf("want the errors %q and %q, got %+v", wantA, wantB, s.Targets)
			}
		}
		ledger := `{"targets":{"a":{"health":"healthy"},"b":{"last_error":"connection refused"}}}`
		told("r", ledger, "", "connection refused")
		told("r", `{"targets":`, "", "")
		told("s", ledger, "", "")
	})
}

func TestRecentIsTheRunAtFirstAndThenItsLastMinute(t *testing.T) {
	t.Parallel()
	l := &loadgen{}
	watch(t, l, func(w *live.Live, _ *live.Hub, _ *[]live.Interval) {
		began := now()
		// Two hits a second for five minutes, then ten.
		hits := 0
		pass := func(seconds, each int) {
			for range seconds {
				hits += each
				l.says("r", began, hits)
				time.Sleep(time.Second)
			}
		}
		pass(20, 2)
		if r := latest(t, w).Recent; r.Seconds < 19 || r.Seconds > 21 || r.HitRate < 1.9 || r.HitRate > 2.1 ||
			r.Delta.Accepted != 40 {
			t.Errorf("want the 20 seconds of the run: %+v", r)
		}
		pass(280, 2)
		pass(75, 10)
		s := latest(t, w)
		if r := s.Recent; r.Seconds < 60 || r.Seconds > 66 || r.HitRate != 10 || r.VisitRate != 10 ||
			r.Latency.P50 <= 0.025 {
			t.Errorf("want a minute at ten a second: %+v", r)
		}
		if s.Targets[0].HitRate != 10 || s.Targets[0].Latency != s.Recent.Latency || s.Targets[1].HitRate != 0 {
			t.Errorf("want the same of the target that had it all: %+v", s.Targets)
		}
	})
}

func TestARunFoundOnItsWayHasNoRecentPast(t *testing.T) {
	t.Parallel()
	l := &loadgen{}
	watch(t, l, func(w *live.Live, _ *live.Hub, _ *[]live.Interval) {
		l.says("r", now()-3600, 7200)
		time.Sleep(time.Second)
		if r := latest(t, w).Recent; r != (live.Recent{}) {
			t.Errorf("nothing was measured yet: %+v", r)
		}
		l.says("r", now()-3600, 7205)
		time.Sleep(time.Second)
	})
}

func TestARunThatIsRestartedGoesOnCounting(t *testing.T) {
	t.Parallel()
	l := &loadgen{}
	watch(t, l, func(w *live.Live, _ *live.Hub, _ *[]live.Interval) {
		l.says("r", now(), 100)
		time.Sleep(time.Second)
		l.says("r", now(), 30) // another life: 30 since its start
		time.Sleep(time.Second)
		if s := latest(t, w); s.Hits.Accepted != 130 || s.Delta.Accepted != 30 || s.HitRate != 30 ||
			s.Hits.Failed != 2 {
			t.Errorf("want both lives in the count and one in the rate: %+v", s)
		}
		l.says("r", now(), 130) // a third, which already has more than the one before
		time.Sleep(time.Second)
		if s := latest(t, w); s.Hits.Accepted != 260 {
			t.Errorf("want all three lives: %+v", s.Hits)
		}
		l.says("s", now(), 7)
		time.Sleep(time.Second)
		if s := latest(t, w); s.Hits.Accepted != 7 || s.RunID != "s" {
			t.Errorf("another run begins at 0: %+v", s)
		}
	})
}

func TestIntervalsAddUpToTheRun(t *testing.T) {
	t.Parallel()
	l := &loadgen{}
	start := 0
	kept := watch(t, l, func(_ *live.Live, _ *live.Hub, _ *[]live.Interval) {
		time.Sleep(42 * time.Second) // not at the beginning of a minute
		start = now()
		for n := range 62 * 60 {
			l.says("r", start, n+1)
			time.Sleep(time.Second)
		}
	})
	rows := map[time.Time]live.Interval{}
	for _, i := range kept {
		rows[i.At] = i
	}
	var sum uint64
	fine := 0
	for _, i := range rows {
		sum += i.Delta.Accepted
		if i.At.Before(time.Unix(int64(start), 0).Add(time.Hour)) {
			fine++
			if i.Seconds < 4 || i.Seconds > 6 {
				t.Errorf("an interval of the first hour lasts %g s", i.Seconds)
			}
		}
	}
	if fine != 720 || len(rows) > 723 || sum != 62*60 || kept[0].RunID != "r" || kept[0].At.Unix() != int64(start) {
		t.Errorf("want 720 intervals of five seconds from the start on and few minutes with %d hits in all, got %d "+
			"of %d rows, %d hits, the first %+v",
			62*60, fine, len(rows), sum, kept[0])
	}
}

func TestTheTimeBetweenTwoLivesOfARunIsInNoInterval(t *testing.T) {
	t.Parallel()
	l := &loadgen{}
	kept := watch(t, l, func(_ *live.Live, _ *live.Hub, _ *[]live.Interval) {
		l.says("r", now(), 3)
		time.Sleep(3 * time.Second)
		l.stop()
		time.Sleep(10 * time.Minute)
		l.says("r", now(), 4)
		time.Sleep(2 * time.Second)
	})
	for _, i := range kept {
		if i.Seconds > 6 {
			t.Errorf("an interval spans the gap: %+v", i)
		}
	}
}

func TestHistoryKeepsTwoHours(t *testing.T) {
	t.Parallel()
	l := &loadgen{}
	watch(t, l, func(w *live.Live, _ *live.Hub, _ *[]live.Interval) {
		began := time.Now()
		l.says("r", now(), 1)
		time.Sleep(2*time.Hour + 10*time.Second)
		h := w.History(time.Time{})
		if len(h) != 7200 || !h[len(h)-1].Time.After(h[0].Time) || h[0].Time.Before(began.Add(10*time.Second)) {
			t.Errorf("want the last 7,200 seconds, got %d from %s", len(h), h[0].Time)
		}
		if got := w.History(h[len(h)-3].Time); len(got) != 2 {
			t.Errorf("want the two since then, got %d", len(got))
		}
	})
}
