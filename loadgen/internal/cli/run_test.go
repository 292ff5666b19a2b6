package cli

import (
	"fmt"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/sink"
	"github.com/puttrix/trafficinator/shared/exitcode"
)

// goesOn is a funnel after which the visitor browses on.
const goesOn = `[{"name":"buys","probability":0.2,"exit_after_completion":false,"steps":[
	{"type":"pageview","url":"https://shop.example.test/start","title":"Start","delay_seconds_min":0,"delay_seconds_max":1},
	{"type":"site_search","search_keyword":"lamp","delay_seconds_min":0,"delay_seconds_max":1},
	{"type":"event","event_category":"Cart","event_action":"Add","event_name":"Lamp","delay_seconds_min":0,"delay_seconds_max":1},
	{"type":"ecommerce","delay_seconds_min":0,"delay_seconds_max":1}]}]`

func twoSites(m *matomo, token string) string {
	return fmt.Sprintf(
		`{"targets":[{"name":"one","url":%[1]q,"site_id":1,"token_auth":%[2]q},{"name":"two","url":%[1]q,"site_id":2,"token_auth":%[2]q}]}`,
		m.url,
		token,
	)
}

func TestEveryVisitIsRecordedAsInTheLedger(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		token string
		more  map[string]string
	}{
		"with a token":    {token, nil},
		"without a token": {"", nil},
		"live": {token,
			map[string]string{"TIMELINE": "live", "VISIT_DURATION_MIN": "0.1", "VISIT_DURATION_MAX": "0.1"}},
		"live and without any token": {"",
			map[string]string{"TIMELINE": "live", "VISIT_DURATION_MIN": "0.1", "VISIT_DURATION_MAX": "0.1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMatomo(t, sink.Config{}, nil)
			env := settings(m, map[string]string{"MATOMO_TOKEN_AUTH": "", "MULTI_TARGET_CONFIG": twoSites(m, c.token),
				"FUNNEL_CONFIG_PATH": "/funnels.json"})
			for _, feature := range []string{"SITESEARCH", "OUTLINKS", "DOWNLOADS", "CLICK_EVENTS", "RANDOM_EVENTS",
				"ECOMMERCE"} {
				env[feature+"_PROBABILITY"] = "0.2"
			}
			for key, v := range c.more {
				env[key] = v
			}
			fsys := afero.NewMemMapFs()
			write(t, fsys, "/funnels.json", goesOn)
			l := start(t, fsys, env)
			l.ends(t, exitcode.OK)
			s := l.summary(t)
			addsUp(t, s)
			recorded(t, s, m)
			sent(t, s, 100)
			if s.Reason != "stop_after_visits" {
				t.Errorf("ended by %s", s.Reason)
			}
			counts := m.Counts()
			if want := int64(100 - s.Visits.Unsent); counts.Total.UniqueVisitors != want {
				t.Errorf("%d unique visitors of %d", counts.Total.UniqueVisitors, want)
			}
			for site, target := range map[int]string{1: "one", 2: "two"} {
				var hits int64
				for _, n := range counts.Sites[site].Hits {
					hits += n
				}
				if hits == 0 || hits != int64(s.ByTarget[target].Accepted) {
					t.Errorf("target %s: %d accepted, %d recorded", target, s.ByTarget[target].Accepted, hits)
				}
			}
			if one := s.Targets["one"]; s.Strategy != "round-robin" || one.LastSuccess.Before(s.Started) ||
				!one.LastFailure.IsZero() || one.SuccessRate != 1 {
				t.Errorf("%s: %+v", s.Strategy, one)
			}
			for kind, h := range s.ByKind {
				if h.Planned == 0 {
					t.Errorf("no %s was sent: the run proves nothing for it", kind)
				}
			}
		})
	}
}

// outage refuses hits, from the nth on: by a broken connection where status is 0, else by that answer.
func outage(from, hits, status int) instead {
	return func(n int, w http.ResponseWriter, _ *http.Request) bool {
		switch {
		case n < from || n >= from+hits:
			return false
		case status == 0:
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(status)
		return true
	}
}

func TestLedgerAddsUpAfterAnOutage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cfg    sink.Config
		status int
	}{
		"connections are closed": {status: 0}, "answers are 503": {status: 503},
		"answers are 500":                 {status: 500},
		"answers of stored hits are lost": {status: 503, cfg: sink.Config{DropShare: .1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMatomo(t, c.cfg, outage(20, 40, c.status))
			env := settings(m, map[string]string{"MULTI_TARGET_CONFIG": twoSites(m, token), "MATOMO_TOKEN_AUTH": "",
				"STOP_AFTER_VISITS": "150"})
			l := start(t, afero.NewMemMapFs(), env)
			l.ends(t, exitcode.OK)
			s := l.summary(t)
			addsUp(t, s)
			if s.Hits.Failed+s.Hits.Unknown == 0 && c.status != 503 || s.Visits.Planned != 150 {
				t.Errorf("the outage left no trace, or stopped the run: %+v %+v", s.Hits, s.Visits)
			}
			visitsAgree(t, s, m)
		})
	}
}

func TestSignalAbandonsOpenVisits(t *testing.T) {
	t.Parallel()
	m := newMatomo(t, sink.Config{}, nil)
	l := start(t, afero.NewMemMapFs(),
		settings(m, map[string]string{"STOP_AFTER_VISITS": "100000", "PAUSE_BETWEEN_PVS_MIN": "1",
			"PAUSE_BETWEEN_PVS_MAX": "2"}))
	eventually(t, "50 hits", func() bool { hits, _ := m.seen(); return hits >= 50 })
	l.signals <- syscall.SIGTERM
	if code := l.wait(t, patience); code != exitcode.Interrupted {
		t.Errorf("exit code %d", code)
	}
	s := l.summary(t)
	addsUp(t, s)
	recorded(t, s, m)
	if s.Reason != "interrupted" || s.Hits.Abandoned == 0 {
		t.Errorf("%s: nothing was abandoned: %+v", s.Reason, s.Hits)
	}
}

// hang leaves hits without an answer, from the nth on.
func hang(from int, hanging chan<- struct{}) instead {
	return func(n int, _ http.ResponseWriter, r *http.Request) bool {
		if n < from {
			return false
		}
		select {
		case hanging <- struct{}{}:
		default:
		}
		<-r.Context().Done()
		return true
	}
}

func TestHangingServer(t *testing.T) {
	t.Parallel()
	// See the engine's own tests for the time.
	for name, signals := range map[string]int{"is given up after a signal": 1, "is given up at the second signal": 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hanging := make(chan struct{}, 1)
			m := newMatomo(t, sink.Config{}, hang(50, hanging))
			l := start(t, afero.NewMemMapFs(),
				settings(m, map[string]string{"STOP_AFTER_VISITS": "100000", "REQUEST_TIMEOUT": "300"}))
			<-hanging
			for range signals {
				l.signals <- syscall.SIGTERM
			}
			if code := l.wait(t, patience); code != exitcode.Interrupted {
				t.Errorf("exit code %d", code)
			}
			s := l.summary(t)
			addsUp(t, s)
			visitsAgree(t, s, m)
			if s.Hits.Unknown == 0 {
				t.Errorf("no hit is unknown: %+v", s.Hits)
			}
		})
	}
}

func write(t *testing.T, fsys afero.Fs, path, content string) {
	t.Helper()
	if err := afero.WriteFile(fsys, path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestHitTimesAreNotAfterTheTargetsClock(t *testing.T) {
	t.Parallel()
	m := newMatomo(t, sink.Config{ClockSkew: -10 * time.Minute}, nil)
	l := start(t, afero.NewMemMapFs(), settings(m, map[string]string{"STOP_AFTER_VISITS": "20"}))
	l.ends(t, exitcode.OK)
	if v := m.Violations(); len(v) > 0 {
		t.Errorf("the sink objects: %+v", v)
	}
	s := l.summary(t)
	addsUp(t, s)
	recorded(t, s, m)
}
