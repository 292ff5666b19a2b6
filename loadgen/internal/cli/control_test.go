package cli

import (
	"fmt"
	"maps"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/sink"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

func TestFinishEndsWithCompleteVisits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind   string
		paused bool
		env    map[string]string
	}{
		"compressed": {kind: runsummary.Live},
		"live": {kind: runsummary.Live,
			env: map[string]string{"TIMELINE": "live", "VISIT_DURATION_MIN": "0.1", "VISIT_DURATION_MAX": "0.1"}},
		"paused": {kind: runsummary.Live, paused: true},
		"a search": {kind: runsummary.CapacitySearch, env: map[string]string{
			"CAPACITY_SEARCH": "true", "CAPACITY_FROM": "20", "CAPACITY_TO": "30", "STOP_AFTER_VISITS": "0",
			"TARGET_VISITS_PER_DAY": "",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, fsys := newMatomo(t, sink.Config{}, nil), withExchange(t)
			steer := func(more string) { write(t, fsys, "/x/control.json", `{"run_id":"asked"`+more+`}`) }
			env := map[string]string{
				"RUN_ID": "asked", "EXCHANGE_DIR": "/x", "STATE_DIR": "/state", "STOP_AFTER_VISITS": "100000",
				"PAUSE_BETWEEN_PVS_MIN": "0.5", "PAUSE_BETWEEN_PVS_MAX": "1",
			}
			maps.Copy(env, c.env)
			l := start(t, fsys, settings(m, env))
			eventually(t, "50 hits", func() bool { hits, _ := m.seen(); return hits >= 50 })
			if c.paused {
				steer(`,"paused":true`)
				eventually(t, "the pause", func() bool { return l.stderr.has("paused=true") })
			}
			steer(`,"finish_seconds":100`)
			l.ends(t, exitcode.OK)
			s := l.summary(t)
			addsUp(t, s)
			recorded(t, s, m)
			sent(t, s, s.Visits.Planned)
			if s.Reason != "stopped" || s.Kind != c.kind || s.Hits.Abandoned != 0 || s.CutVisits != 0 {
				t.Errorf("%s of a %s run: %d hits abandoned, %d visits cut, %+v", s.Reason, s.Kind, s.Hits.Abandoned,
					s.CutVisits, s.Visits)
			}
			if s.FinishBy.Before(s.Ended) {
				t.Errorf("open visits would have been cut off at %s, it ended at %s", s.FinishBy, s.Ended)
			}
		})
	}
}

func TestFinishShowsItsDeadlineAndCutVisits(t *testing.T) {
	t.Parallel()
	m, fsys := newMatomo(t, sink.Config{}, nil), withExchange(t)
	l := start(t, fsys, settings(m, map[string]string{
		"RUN_ID": "asked", "EXCHANGE_DIR": "/x", "STATE_DIR": "/state", "STOP_AFTER_VISITS": "100000",
		"TELEMETRY_ADDR":        "127.0.0.1:0",
		"PAUSE_BETWEEN_PVS_MIN": "60", "PAUSE_BETWEEN_PVS_MAX": "60",
	}))
	addr := address(t, l)
	eventually(t, "open visits", func() bool { hits, _ := m.seen(); return hits >= 20 })
	write(t, fsys, "/x/control.json", `{"run_id":"asked","finish_seconds":10000}`)
	eventually(t, "draining", func() bool {
		return strings.Contains(get(t, "http://"+addr+"/healthz"), `"phase":"draining"`)
	})
	if text := get(t, "http://"+addr+"/metrics"); !regexp.MustCompile(`(?m)^trafficinator_finish_by_seconds [1-9]`).
		MatchString(text) {
		t.Errorf("the metrics do not contain when open visits are cut off:\n%s", text)
	}
	eventually(t, "a ledger that contains it", func() bool {
		data, err := afero.ReadFile(fsys, "/state/asked.json")
		return err == nil && strings.Contains(string(data), `"finish_by"`)
	})
	write(t, fsys, "/x/control.json", `{"run_id":"asked","finish_seconds":0.1}`)
	l.ends(t, exitcode.OK)
	s := l.summary(t)
	addsUp(t, s)
	recorded(t, s, m)
	if s.Reason != "stopped" || s.CutVisits == 0 || s.Hits.Abandoned < s.CutVisits {
		t.Errorf("%s: %d visits cut, %d hits abandoned", s.Reason, s.CutVisits, s.Hits.Abandoned)
	}
	if want := fmt.Sprintf(
		"%d open visits had not finished in time",
		s.CutVisits,
	); !strings.Contains(
		s.Message,
		want,
	) ||
		!l.stderr.has(want) {
		t.Errorf("the end does not report that %s: %q", want, s.Message)
	}
}

func TestPausedRunSendsNothingUntilResumed(t *testing.T) {
	t.Parallel()
	m, fsys := newMatomo(t, sink.Config{}, nil), afero.NewMemMapFs()
	steer := func(paused bool) {
		write(t, fsys, "/x/control.json", fmt.Sprintf(`{"run_id":"steered","paused":%t,"scale":10}`, paused))
	}
	steer(true)
	l := start(t, fsys, settings(m, map[string]string{"RUN_ID": "steered", "EXCHANGE_DIR": "/x", "STATE_DIR": "/state",
		"LOAD_PROFILE": "10s:864000"}))
	eventually(t, "a record of the paused run", func() bool {
		_, err := fsys.Stat("/state/steered.json")
		return err == nil
	})
	if s := readSummary(t, fsys, "/state/steered.json"); s.Visits.Planned != 0 || s.Due != 0 {
		t.Errorf("%d visits began while it was paused, %d were due", s.Visits.Planned, s.Due)
	}
	steer(false)
	l.ends(t, exitcode.OK)
	s := l.summary(t)
	addsUp(t, s)
	if s.Visits.Planned != 100 || s.Due != 100 || s.Reason != "stop_after_visits" {
		t.Errorf("%s, %+v, %d due", s.Reason, s.Visits, s.Due)
	}
}

func TestRunEndsWithItsStages(t *testing.T) {
	t.Parallel()
	m := newMatomo(t, sink.Config{}, nil)
	l := start(t, afero.NewMemMapFs(),
		settings(m, map[string]string{"LOAD_PROFILE": "1s:0→1728000, 1s:1728000, 1s:0", "ARRIVALS": "poisson"}))
	l.ends(t, exitcode.OK)
	s := l.summary(t)
	addsUp(t, s)
	recorded(t, s, m)
	if s.Reason != "profile_ended" || s.Visits.Planned != 30 || s.Due != 30 {
		t.Errorf("%s after %+v, %d due", s.Reason, s.Visits, s.Due)
	}
	if took := s.Ended.Sub(s.Started); took < 3*time.Second {
		t.Errorf("ended after %s", took)
	}
}
