package live_test

import (
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/live"
)

func TestASampleTellsHowNearTheLimitsOfItsRunAre(t *testing.T) {
	t.Parallel()
	l := &loadgen{knobs: map[string]string{
		"STOP_AFTER_VISITS": "100", "AUTO_STOP_AFTER_HOURS": "1", "LOAD_PROFILE": "10m:2400", "MAX_TOTAL_VISITS": "200",
		"STOP_ERROR_SHARE": "0.5", "THRESHOLD_ABORT": "true", "STATE_DIR": "state",
	}}
	watch(t, l, func(w *live.Live, _ *live.Hub, _ *[]live.Interval) {
		began := now()
		l.says("r", began, 1)
		l.writes(`{"started":"` + time.Now().UTC().Format(time.RFC3339) +
			`","thresholds":[{"expression":"p95<1s","metric":"p95","value":0.05,"held":true}],"reasons":[{"target":"a","class":"in_front","status":403,"hits":7,"first_words":"Blocked"}]}`)
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
		l.says("r", began, 25)
		l.mu.Lock()
		l.body = strings.NewReplacer(`{phase="running"} 1`, `{phase="running"} 0`, `{phase="idle"} 0`,
			`{phase="paused"} 1`).Replace(l.body)
		l.mu.Unlock()
		time.Sleep(10 * time.Second)
		if s := latest(t, w); s.Due != 28 || !s.Aborts || len(s.Thresholds) != 1 || s.Thresholds[0].Metric != "p95" ||
			s.Capacity != nil || s.Phase != "paused" {
			t.Errorf("want what is due and the loadgen's verdict: %+v", s)
		} else if len(s.Reasons) != 1 || s.Reasons[0].Hits != 7 || s.Reasons[0].FirstWords != "Blocked" ||
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
			t.Errorf("the brake has not seen a minute: %+v", b)
		}
		time.Sleep(21 * time.Second)
		if b := find(live.StopBrake); !b.Judged || b.Current <= 0 || b.Current >= .05 {
			t.Errorf("want the share of the one hit of 26 that failed: %+v", b)
		}
	})
}

func TestARunOfUnknownSettingsTellsNoLimits(t *testing.T) {
	t.Parallel()
	l := &loadgen{}
	watch(t, l, func(w *live.Live, _ *live.Hub, _ *[]live.Interval) {
		l.says("r", now(), 1)
		time.Sleep(time.Second)
		if s := latest(t, w); s.Stops == nil || len(s.Stops) != 0 || s.Thresholds == nil {
			t.Errorf("want empty lists: %+v", s)
		}
	})
}
