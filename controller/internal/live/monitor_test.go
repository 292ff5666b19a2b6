package live_test

import (
	"context"
	"io/fs"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/live"
	"github.com/puttrix/trafficinator/controller/internal/summaries"
	"github.com/puttrix/trafficinator/shared/phase"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/status"
)

// loadgen reports the snapshot that is set.
type loadgen struct {
	mu       sync.Mutex
	snapshot status.Snapshot
	down     bool
	ledger   string
	knobs    map[string]string
}

func (l *loadgen) settings(string) (spec.Spec, bool) {
	s, problems := spec.Parse(l.knobs, nil)
	return s, l.knobs != nil && problems.Err() == nil
}

func (l *loadgen) cap() (runsummary.Cap, error) {
	return runsummary.Cap{
		WindowStart: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC),
		Reserved:    40,
	}, nil // when virtual time begins
}

func (l *loadgen) rate() float64 { return 2 }

// report sets the snapshot: started at start seconds, accepted hits of a, of b none, all answered within 50 ms.
func (l *loadgen) report(run string, start, accepted int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = false
	n := uint64(accepted)
	answered := make([]uint64, len(status.LatencyBuckets)+1)
	for i := slices.Index(status.LatencyBuckets, .05); i < len(answered); i++ {
		answered[i] = n
	}
	l.snapshot = status.Snapshot{
		Phase: phase.Running, Life: time.Unix(int64(start), 0),
		Run: runsummary.Summary{
			RunID: run, PlanHash: "abc", Due: n + 3, OpenVisits: 4,
			Totals: runsummary.Totals{Visits: runsummary.Visits{Planned: n, Complete: 5}, Revenue: 12.5},
			Targets: map[string]runsummary.Target{
				"a": {Health: "healthy",
					ByKind: map[string]runsummary.Hits{"pageview": {Planned: n + 3, Accepted: n, Failed: 1}}},
				"b": {Health: "failed", ByKind: map[string]runsummary.Hits{"event": {}}},
			},
		},
		Targets: map[string]status.Target{"a": {InFlight: 2, Answered: answered}, "b": {}},
	}
}

// also changes the snapshot.
func (l *loadgen) also(change func(*status.Snapshot)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(&l.snapshot)
}

// tell sends the snapshot to w each second, until ctx is done.
func (l *loadgen) tell(ctx context.Context, w *live.Monitor) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		l.mu.Lock()
		s, down := l.snapshot, l.down
		l.mu.Unlock()
		if !down && s.Phase != "" {
			w.Observe(&s)
		}
	}
}

// stop ends the loadgen until the next report.
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
func (l *loadgen) read(runID string) (*runsummary.Summary, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if runID != "r" {
		return nil, fs.ErrNotExist
	}
	return summaries.Decode([]byte(l.ledger))
}

// watch runs test with a Monitor that watches l, in virtual time.
func watch(t *testing.T, l *loadgen, test func(*live.Monitor, *live.Hub, *[]live.Interval)) []live.Interval {
	var minutes []live.Interval
	synctest.Test(t, func(t *testing.T) {
		hub := live.NewHub(time.Now())
		w := live.New(live.Config{
			Ledger: l.read, Settings: l.settings, Cap: l.cap, Hub: hub, Log: slog.New(slog.DiscardHandler),
			Scale: l.rate, SaveInterval: func(_ context.Context, m live.Interval) error {
				minutes = append(minutes, m)
				return nil
			},
		})
		ctx, cancel := context.WithCancel(t.Context())
		var background sync.WaitGroup
		background.Go(func() { w.Watch(ctx) })
		background.Go(func() { l.tell(ctx, w) })
		time.Sleep(time.Millisecond) // just after the second
		test(w, hub, &minutes)
		cancel()
		background.Wait()
	})
	return minutes
}

func now() int { return int(time.Now().Unix()) }

func latest(t *testing.T, w *live.Monitor) live.Sample {
	t.Helper()
	s, ok := w.Latest()
	if !ok {
		t.Fatal("there should be a sample")
	}
	return s
}

func TestSampleHasCountsOfTheRunAndRatesOfTheSecond(t *testing.T) {
	t.Parallel()
	l := &loadgen{down: true}
	watch(t, l, func(w *live.Monitor, _ *live.Hub, _ *[]live.Interval) {
		time.Sleep(time.Second)
		if _, ok := w.Latest(); ok {
			t.Error("nothing answered, so nothing is known")
		}
		began := now()
		l.report("r", began, 10)
		time.Sleep(time.Second)
		l.report("r", began, 50)
		time.Sleep(time.Second)
		s := latest(t, w)
		if s.RunID != "r" || s.PlanHash != "abc" || s.Phase != "running" || s.OpenVisits != 4 || s.InFlight != 2 ||
			s.Revenue != 12.5 {
			t.Errorf("want the numbers of the loadgen, got %+v", s)
		}
		if want := (runsummary.Hits{Planned: 53, Accepted: 50, Failed: 1}); s.Hits != want ||
			s.ByKind["pageview"] != want {
			t.Errorf("want %+v, got %+v and %+v", want, s.Hits, s.ByKind)
		}
		if s.HitRate != 40 || s.VisitRate != 40 || s.Delta.Accepted != 40 || s.Visits.Complete != 5 ||
			s.Visits.Planned != 50 {
			t.Errorf("want 40 hits and visits in the last second: %+v", s)
		}
		if p := s.Latency.P50; p <= 0.025 || p > 0.05 || s.Latency.P99 <= p || s.Latency.P99 > 0.05 {
			t.Errorf("all were answered between 25 and 50 ms: %+v", s.Latency)
		}
		if len(s.Targets) != 2 || s.Targets[0].Health != "healthy" || s.Targets[1].Health != "failed" ||
			s.Targets[1].Hits != (runsummary.Hits{}) {
			t.Errorf("want each target with its health: %+v", s.Targets)
		}
	})
}

// The containers of a rootless engine, or of one in a virtual machine, have unreachable addresses.
func TestUnreachableLoadgenIsReadFromItsLedger(t *testing.T) {
	t.Parallel()
	l := &loadgen{}
	intervals := watch(t, l, func(w *live.Monitor, _ *live.Hub, _ *[]live.Interval) {
		began := time.Now()
		for second := range 7 {
			n := uint64(second)
			l.also(func(s *status.Snapshot) { // which has no latencies and nothing in flight
				*s = status.Snapshot{Phase: phase.Running, Life: began, Run: runsummary.Summary{
					RunID: "r", PlanHash: "abc", Started: began, Due: 60, OpenVisits: 4,
					Totals: runsummary.Totals{Visits: runsummary.Visits{Planned: 10 * n, Complete: 5}, Revenue: 12.5},
					Targets: map[string]runsummary.Target{"a": {Health: "healthy", ByKind: map[string]runsummary.Hits{
						"pageview": {Planned: 40*n + 3, Accepted: 40 * n, Failed: 1}}}},
				}}
			})
			time.Sleep(time.Second)
		}
		s := latest(t, w)
		if want := (runsummary.Hits{Planned: 243, Accepted: 240, Failed: 1}); s.Hits != want ||
			s.ByKind["pageview"] != want || s.Targets[0].Hits != want {
			t.Errorf("want %+v, got %+v", want, s)
		}
		if s.RunID != "r" || s.Phase != "running" || s.HitRate != 40 || s.VisitRate != 10 ||
			s.Visits.Complete != 5 || s.OpenVisits != 4 || s.Due != 60 {
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

func TestTargetHasItsLastError(t *testing.T) {
	t.Parallel()
	l := &loadgen{}
	watch(t, l, func(w *live.Monitor, _ *live.Hub, _ *[]live.Interval) {
		l.report("r", now(), 1)
		l.also(func(s *status.Snapshot) {
			b := s.Run.Targets["b"]
			b.LastError = "connection refused"
			s.Run.Targets["b"] = b
		})
		time.Sleep(time.Second)
		if s := latest(t, w); s.RunID != "r" || s.Targets[0].LastError != "" ||
			s.Targets[1].LastError != "connection refused" {
			t.Errorf("want the error of the one, got %+v", s.Targets)
		}
	})
}

func TestRecentCoversTheLastMinute(t *testing.T) {
	t.Parallel()
	l := &loadgen{}
	watch(t, l, func(w *live.Monitor, _ *live.Hub, _ *[]live.Interval) {
		began := now()
		// Two hits a second for five minutes, then ten.
		hits := 0
		pass := func(seconds, each int) {
			for range seconds {
				hits += each
				l.report("r", began, hits)
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

func TestRunAlreadyInProgressHasNoRecentPast(t *testing.T) {
	t.Parallel()
	l := &loadgen{}
	watch(t, l, func(w *live.Monitor, _ *live.Hub, _ *[]live.Interval) {
		l.report("r", now()-3600, 7200)
		time.Sleep(time.Second)
		if r := latest(t, w).Recent; r != (live.Recent{}) {
			t.Errorf("want no measurement yet, got %+v", r)
		}
		l.report("r", now()-3600, 7205)
		time.Sleep(time.Second)
	})
}

func TestRestartedRunContinuesItsCounts(t *testing.T) {
	t.Parallel()
	l := &loadgen{}
	watch(t, l, func(w *live.Monitor, _ *live.Hub, _ *[]live.Interval) {
		l.report("r", now(), 100)
		time.Sleep(time.Second)
		l.report("r", now(), 30) // another life: 30 since its start
		time.Sleep(time.Second)
		if s := latest(t, w); s.Hits.Accepted != 130 || s.Delta.Accepted != 30 || s.HitRate != 30 ||
			s.Hits.Failed != 2 {
			t.Errorf("want both lives in the count and one in the rate: %+v", s)
		}
		l.report("r", now(), 130) // a third, which already has more than the one before
		time.Sleep(time.Second)
		if s := latest(t, w); s.Hits.Accepted != 260 {
			t.Errorf("want all three lives: %+v", s.Hits)
		}
		l.report("s", now(), 7)
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
	kept := watch(t, l, func(_ *live.Monitor, _ *live.Hub, _ *[]live.Interval) {
		time.Sleep(42 * time.Second) // not at the beginning of a minute
		start = now()
		for n := range 62 * 60 {
			l.report("r", start, n+1)
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

func TestTimeBetweenTwoLivesIsInNoInterval(t *testing.T) {
	t.Parallel()
	l := &loadgen{}
	kept := watch(t, l, func(_ *live.Monitor, _ *live.Hub, _ *[]live.Interval) {
		l.report("r", now(), 3)
		time.Sleep(3 * time.Second)
		l.stop()
		time.Sleep(10 * time.Minute)
		l.report("r", now(), 4)
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
	watch(t, l, func(w *live.Monitor, _ *live.Hub, _ *[]live.Interval) {
		began := time.Now()
		l.report("r", now(), 1)
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
