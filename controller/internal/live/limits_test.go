package live_test

import (
	"testing"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/live"
	"github.com/puttrix/trafficinator/shared/phase"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/status"
)

func TestSampleHasTheLimitsOfItsRun(t *testing.T) {
	t.Parallel()
	l := &loadgen{knobs: map[string]string{
		"STOP_AFTER_VISITS": "100", "AUTO_STOP_AFTER_HOURS": "1", "LOAD_PROFILE": "10m:2400", "MAX_TOTAL_VISITS": "200",
		"STOP_ERROR_SHARE": "0.5", "THRESHOLD_ABORT": "true", "STATE_DIR": "state",
	}}
	watch(t, l, func(w *live.Monitor, _ *live.Hub, _ *[]live.Interval) {
		began := now()
		started, value := time.Now().Truncate(time.Second), .05
		report := func(accepted int) {
			l.report("r", began, accepted)
			l.also(func(s *status.Snapshot) {
				s.Run.Started = started
				s.Run.Thresholds = []runsummary.Verdict{
					{Expression: "p95<1s", Metric: "p95", Value: &value, Held: true},
				}
				s.Run.Reasons = []runsummary.Reason{{Target: "a", Class: "in_front", Status: 403, Hits: 7,
					Excerpt: "Blocked"}}
			})
		}
		report(1)
		find := func(kind live.StopKind) live.Stop {
			t.Helper()
			s := latest(t, w)
			for _, stop := range s.Stops {
				if stop.Kind == kind {
					return stop
				}
			}
			t.Fatalf("there should be a limit of %s: %+v", kind, s.Stops)
			return live.Stop{}
		}
		time.Sleep(30 * time.Second)
		report(25)
		l.also(func(s *status.Snapshot) { s.Phase = phase.Paused })
		time.Sleep(10 * time.Second)
		if s := latest(t, w); s.Due != 28 || !s.Aborts || len(s.Thresholds) != 1 || s.Thresholds[0].Metric != "p95" ||
			s.Capacity != nil || s.Phase != "paused" {
			t.Errorf("want what is due and the loadgen's verdict: %+v", s)
		} else if len(s.Reasons) != 1 || s.Reasons[0].Hits != 7 || s.Reasons[0].Excerpt != "Blocked" ||
			s.Warnings == nil {
			t.Errorf("want why hits were not accepted: %+v", s.Reasons)
		}
		for _, want := range []live.Stop{
			{Kind: live.StopVisits, Unit: "visits", Current: 25, Limit: 100, Judged: true},
			{Kind: live.StopHours, Unit: "s", Current: 40, Limit: 3600, Judged: true},
			// nine seconds of the pause were seen
			{Kind: live.StopProfile, Unit: "s", Current: 31, Limit: 600, Judged: true},
			{Kind: live.StopCap, Unit: "visits", Current: 40, Limit: 200, Judged: true},
		} {
			if got := find(want.Kind); got != want {
				t.Errorf("want %+v, got %+v", want, got)
			}
		}
		if b := find(live.StopBrake); b.Judged || b.Limit != .5 {
			t.Errorf("want the brake undecided in the first minute, got %+v", b)
		}
		time.Sleep(21 * time.Second)
		if b := find(live.StopBrake); !b.Judged || b.Current <= 0 || b.Current >= .05 {
			t.Errorf("want the share of the one hit of 26 that failed: %+v", b)
		}
	})
}

func TestRunWithUnknownSettingsHasNoLimits(t *testing.T) {
	t.Parallel()
	l := &loadgen{}
	watch(t, l, func(w *live.Monitor, _ *live.Hub, _ *[]live.Interval) {
		l.report("r", now(), 1)
		time.Sleep(time.Second)
		if s := latest(t, w); s.Stops == nil || len(s.Stops) != 0 || s.Thresholds == nil {
			t.Errorf("want empty lists: %+v", s)
		}
	})
}

func TestRestartedRunHasTheReasonsOfAllLives(t *testing.T) {
	t.Parallel()
	l := &loadgen{}
	watch(t, l, func(w *live.Monitor, _ *live.Hub, _ *[]live.Interval) {
		reasons := func(run, ledger string, want uint64) {
			t.Helper()
			l.writes(ledger)
			l.report(run, now(), 1)
			l.also(func(s *status.Snapshot) {
				s.Run.FirstVisit, s.Run.Reasons = 100, []runsummary.Reason{{Target: "a", Hits: 1}}
			})
			time.Sleep(time.Second)
			if s := latest(t, w); len(s.Reasons) != 1 || s.Reasons[0].Hits != want {
				t.Errorf("run %s with the ledger %s: %+v", run, ledger, s.Reasons)
			}
		}
		both := `{"reasons":[{"target":"a","hits":5}]}`
		reasons("r", both, 5)
		reasons("r", `{"reasons":`, 1)
		reasons("s", both, 1)
	})
}
