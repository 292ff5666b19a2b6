package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/host"
	"github.com/puttrix/trafficinator/loadgen/internal/sink"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/testbed"
)

func printed(t *testing.T, env map[string]string, args ...string) string {
	t.Helper()
	l := start(t, afero.NewMemMapFs(), env, args...)
	l.ends(t, exitcode.OK)
	return l.stdout.String()
}

func TestPlanIsReproducible(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"text", "jsonl"} {
		plan := func(runID, concurrency string) string {
			env := settings(
				nil,
				map[string]string{"MATOMO_URL": unreachable, "RUN_ID": runID, "CONCURRENCY": concurrency,
					"ECOMMERCE_PROBABILITY": "0.2"},
			)
			return printed(t, env, "plan", "--visits", "50", "--format", format)
		}
		first := plan("one", "50")
		if lines := strings.Count(first, "\n"); lines < 150 {
			t.Errorf("%s: %d lines for 50 visits", format, lines)
		}
		if plan("one", "50") != first {
			t.Errorf("%s: the second time differs", format)
		}
		if plan("one", "1") != first {
			t.Errorf("%s: another CONCURRENCY differs", format)
		}
		if plan("two", "50") == first {
			t.Errorf("%s: another RUN_ID has the same ids", format)
		}
	}
}

func TestPlanIsReproducibleAcrossProcesses(t *testing.T) {
	t.Parallel()
	env := settings(nil, map[string]string{"MATOMO_URL": unreachable, "RUN_ID": "one", "ECOMMERCE_PROBABILITY": "0.2"})
	want := printed(t, env, "plan", "--visits", "50")
	for _, cores := range []string{"1", "2"} {
		child := exec.CommandContext(t.Context(), testbed.Loadgen(t), "plan", "--visits", "50")
		child.Env = []string{"GOMAXPROCS=" + cores, "CONCURRENCY=" + cores}
		for key, v := range env {
			child.Env = append(child.Env, key+"="+v)
		}
		if got, err := child.Output(); err != nil || string(got) != want {
			t.Errorf("on %s cores: %v, %d bytes that differ from %d", cores, err, len(got), len(want))
		}
	}
}

// ids are the parameters that another RUN_ID changes.
var ids = []string{"cid", "_id", "ec_id"}

func TestRunIDChangesOnlyTheIDs(t *testing.T) {
	t.Parallel()
	plan := func(runID string) (lines []map[string]any) {
		env := settings(
			nil,
			map[string]string{"MATOMO_URL": unreachable, "RUN_ID": runID, "ECOMMERCE_PROBABILITY": "0.2"},
		)
		for line := range strings.Lines(printed(t, env, "plan", "--visits", "50", "--format", "jsonl")) {
			var l map[string]any
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				t.Fatal(err)
			}
			lines = append(lines, l)
		}
		return lines
	}
	one, two := plan("one"), plan("two")
	if len(one) != len(two) {
		t.Fatalf("%d hits, then %d", len(one), len(two))
	}
	for i := range one {
		for _, l := range []map[string]any{one[i], two[i]} {
			delete(l, "visitor")
		}
		a, b := one[i]["parameters"].(map[string]any), two[i]["parameters"].(map[string]any)
		for _, id := range []string{"cid", "ec_id"} {
			if a[id] != nil && a[id] == b[id] {
				t.Fatalf("hit %d has the same %s in both runs", i, id)
			}
		}
		for _, id := range ids {
			delete(a, id)
			delete(b, id)
		}
		if fmt.Sprint(one[i]) != fmt.Sprint(two[i]) {
			t.Fatalf("hit %d differs in more than its ids:\n%v\n%v", i, one[i], two[i])
		}
	}
}

func TestEnvFileOverridesTheEnvironment(t *testing.T) {
	t.Parallel()
	m := newMatomo(t, sink.Config{}, nil)
	fsys := afero.NewMemMapFs()
	write(t, fsys, "/x/loadgen.env", "STOP_AFTER_VISITS=7\nRUN_ID=from-file\nMATOMO_TOKEN_AUTH="+token+"\n")
	env := settings(m, map[string]string{"LOADGEN_ENV_FILE": "/x/loadgen.env", "RUN_ID": "from-env",
		"MATOMO_TOKEN_AUTH": "", "MATOMO_TOKEN_AUTH_FILE": "/none"})
	l := start(t, fsys, env)
	l.ends(t, exitcode.OK)
	s := l.summary(t)
	recorded(t, s, m)
	sent(t, s, 7)
	if s.RunID != "from-file" {
		t.Errorf("run %s, want from-file", s.RunID)
	}
	if l.stderr.has(token) {
		t.Error("the token is logged")
	}
	if !l.stderr.has(`from_file="MATOMO_TOKEN_AUTH RUN_ID STOP_AFTER_VISITS"`) {
		t.Errorf("the log does not report what came from the file:\n%s", l.stderr.String())
	}
}

// A controller that used the folder before has left its settings there: another target, idle, and no end.
func TestUnusedEnvFileIsIgnoredWithAWarning(t *testing.T) {
	t.Parallel()
	m, other := newMatomo(t, sink.Config{}, nil), newMatomo(t, sink.Config{}, nil)
	fsys := afero.NewMemMapFs()
	write(t, fsys, "/x/loadgen.env", "MATOMO_URL="+other.url+"\nAUTO_START=false\nRUN_ID=theirs\nSTOP_AFTER_VISITS=\n")
	l := start(t, fsys, settings(m,
		map[string]string{"EXCHANGE_DIR": "/x", "RUN_ID": "mine", "STOP_AFTER_VISITS": "7"}))
	l.wait(t, patience)
	s := l.summary(t)
	recorded(t, s, m)
	sent(t, s, 7)
	if hits, _ := other.seen(); s.RunID != "mine" || hits > 0 {
		t.Errorf("run %s, want mine; %d hits elsewhere", s.RunID, hits)
	}
	if !l.stderr.has("/x/loadgen.env: is ignored because LOADGEN_ENV_FILE is not set") {
		t.Errorf("the file is not reported:\n%s", l.stderr.String())
	}
}

// In the web stack the loadgen can be there before the controller has written its settings.
func TestIdleLoadgenNeedsNoSettings(t *testing.T) {
	t.Parallel()
	l := start(t, afero.NewMemMapFs(),
		map[string]string{"AUTO_START": "false", "LOADGEN_ENV_FILE": "/x/loadgen.env", "TELEMETRY_ADDR": "off"})
	eventually(t, "it idles", func() bool { return l.stderr.has("idle") })
	l.signals <- syscall.SIGTERM
	l.ends(t, exitcode.OK)
	refused(
		t,
		start(t, afero.NewMemMapFs(),
			settings(nil, map[string]string{"MATOMO_URL": unreachable, "LOADGEN_ENV_FILE": "/x/loadgen.env"})),
		`LOADGEN_ENV_FILE="/x/loadgen.env": cannot be read: open /x/loadgen.env: file does not exist; set it to an existing file that this user can read`,
	)
}

var listens = regexp.MustCompile(`telemetry listening.* addr=(\S+)`)

// address is the printed address of the telemetry.
func address(t *testing.T, l *loadgen) string {
	t.Helper()
	eventually(t, "telemetry listening", func() bool { return listens.MatchString(l.stderr.String()) })
	return listens.FindStringSubmatch(l.stderr.String())[1]
}

func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", url, resp.Status, err)
	}
	return string(body)
}

func TestAutoStartOffIdlesUntilASignal(t *testing.T) {
	t.Parallel()
	l := start(t, afero.NewMemMapFs(), map[string]string{"AUTO_START": "false", "TELEMETRY_ADDR": "127.0.0.1:0"})
	addr := address(t, l)
	if health := get(t, "http://"+addr+"/healthz"); !strings.Contains(health, `"status":"ok"`) ||
		!strings.Contains(health, `"phase":"idle"`) {
		t.Errorf("health is %s", health)
	}
	if metrics := get(t, "http://"+addr+"/metrics"); !strings.Contains(metrics, `trafficinator_phase{phase="idle"} 1`) {
		t.Errorf("metrics lack the phase:\n%s", metrics)
	}
	if health := printed(t, map[string]string{"TELEMETRY_ADDR": addr}, "healthcheck"); !strings.Contains(health,
		`"phase":"idle"`) {
		t.Errorf("healthcheck printed %s", health)
	}
	l.signals <- syscall.SIGTERM
	l.ends(t, exitcode.OK)
	h := start(t, afero.NewMemMapFs(), map[string]string{"TELEMETRY_ADDR": addr}, "healthcheck")
	h.ends(t, exitcode.Internal)
	if !h.stderr.has("unhealthy: ") {
		t.Errorf("healthcheck of a stopped loadgen printed %s", h.stderr.String())
	}
}

// The daily cap pauses the run with all visits ended, so that the metrics can be compared with the ledger of the end.
func TestMetricsEqualTheLedger(t *testing.T) {
	t.Parallel()
	m := newMatomo(t, sink.Config{ErrorShare: .1}, nil)
	l := start(t, afero.NewMemMapFs(), settings(m, map[string]string{
		"TELEMETRY_ADDR": "127.0.0.1:0", "STOP_AFTER_VISITS": "0", "MAX_TOTAL_VISITS": "60",
		"ECOMMERCE_PROBABILITY": "0.3",
	}))
	addr := address(t, l)
	eventually(t, "the cap is reached", func() bool { return l.stderr.has("daily cap of 60 visits reached") })
	var metrics string
	eventually(t, "no visit is open", func() bool {
		metrics = get(t, "http://"+addr+"/metrics")
		return strings.Contains(metrics, "trafficinator_visits_open 0\n")
	})
	l.signals <- syscall.SIGTERM
	l.ends(t, exitcode.Interrupted)
	s := l.summary(t)
	addsUp(t, s)
	want := []string{
		fmt.Sprintf("trafficinator_visits_planned_total %d", s.Visits.Planned),
		fmt.Sprintf(`trafficinator_visits_total{fate="complete"} %d`, s.Visits.Complete),
		fmt.Sprintf(`trafficinator_visits_total{fate="partial"} %d`, s.Visits.Partial),
		fmt.Sprintf(`trafficinator_revenue_total %v`, s.Revenue),
		`trafficinator_phase{phase="paused"} 1`, `trafficinator_hits_in_flight{target="matomo"} 0`,
		fmt.Sprintf("trafficinator_plan_info{hash=%q,run_id=%q} 1", s.PlanHash, s.RunID),
	}
	for kind, h := range s.ByKind {
		want = append(want, fmt.Sprintf(`trafficinator_hits_planned_total{kind=%q,target="matomo"} %d`, kind,
			h.Planned))
		for outcome, n := range outcomes(h) {
			want = append(want, fmt.Sprintf(`trafficinator_hits_total{kind=%q,outcome=%q,target="matomo"} %d`, kind,
				outcome, n))
		}
	}
	for _, line := range want {
		if !strings.Contains(metrics, line+"\n") {
			t.Errorf("/metrics lacks %s", line)
		}
	}
	if s.Hits.Unknown == 0 || s.Visits.Planned != 60 {
		t.Errorf("nothing failed, or not all visits began: %+v %+v", s.Hits, s.Visits)
	}
}

func outcomes(h runsummary.Hits) map[string]uint64 {
	return map[string]uint64{
		"accepted": h.Accepted, "rejected": h.Rejected, "failed": h.Failed, "unknown": h.Unknown, "shed": h.Shed,
		"abandoned": h.Abandoned,
	}
}

// An image has one healthcheck, whatever a container of it runs.
func TestSinkAnswersHealthChecks(t *testing.T) {
	t.Parallel()
	l := start(t, afero.NewMemMapFs(), map[string]string{"TELEMETRY_ADDR": "127.0.0.1:0"}, "sink", "--addr",
		"127.0.0.1:0", "--quiet")
	endpoint := regexp.MustCompile(`health endpoint at http://(\S+)/healthz`)
	eventually(t, "the sink prints its address", func() bool { return endpoint.MatchString(l.stderr.String()) })
	addr := endpoint.FindStringSubmatch(l.stderr.String())[1]
	if health := printed(t, map[string]string{"TELEMETRY_ADDR": addr}, "healthcheck"); !strings.Contains(health,
		`"phase":"sink"`) {
		t.Errorf("healthcheck printed %s", health)
	}
	l.signals <- syscall.SIGTERM
	l.ends(t, exitcode.OK)
}

// Whoever has the usual port may be another program, or another run: a run that finds it taken is at a free one.
func TestHealthcheckRejectsOtherServersAndRuns(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w,
			map[string]string{"/healthz": `{"status":"ok","phase":"running","run_id":"other"}`}[r.URL.Path])
	}))
	t.Cleanup(other.Close)
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, "<html>")
	}))
	t.Cleanup(page.Close)
	const moved = "; TELEMETRY_ADDR is not set, so the run may listen on another port"
	for name, c := range map[string]struct {
		set, given, id string
		want           string
	}{
		"another program":                     {set: page.URL, want: "is not a loadgen\n"},
		"another program at the default port": {given: page.URL, want: "is not a loadgen" + moved},
		"another run": {given: other.URL, id: "nightly-7",
			want: `has run "other", not "nightly-7"` + moved},
		"no server":     {given: "http://127.0.0.1:1", want: "connection refused" + moved},
		"a set address": {set: other.URL, id: "nightly-7"},
		"the same run":  {given: other.URL, id: "other"},
		"any run":       {given: other.URL},
	} {
		var out, problems strings.Builder
		s := spec.Spec{TelemetryAddr: strings.TrimPrefix(c.set+c.given, "http://"), RunID: c.id,
			Set: map[string]bool{"TELEMETRY_ADDR": c.set != ""}}
		code := queryHealth(t.Context(), host.Host{Stdout: &out, Stderr: &problems}, s)
		if c.want == "" && (code != exitcode.OK || !strings.Contains(out.String(), `"run_id":"other"`)) {
			t.Errorf("%s: %d, %s", name, code, problems.String())
		}
		if c.want != "" && (code != exitcode.Internal || !strings.Contains(problems.String(), c.want)) {
			t.Errorf("%s: %d, %q lacks %q", name, code, problems.String(), c.want)
		}
	}
}
