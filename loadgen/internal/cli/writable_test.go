package cli

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/sink"
	"github.com/puttrix/trafficinator/shared/exitcode"
)

func TestUnwritableSummaryPreventsTheStart(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"run", "check"} {
		m := newMatomo(t, sink.Config{}, nil)
		d := &disk{Fs: afero.NewMemMapFs(), folder: "/out"}
		d.full.Store(true)
		l := start(t, d, settings(m, nil), command)
		l.ends(t, exitcode.BadConfig)
		want := `error: SUMMARY_FILE="/out/summary.json": write to folder: publish .write-test: no space left on device; free disk space, or use another disk`
		if !l.stderr.has(want) {
			t.Errorf("%s: stderr lacks\n%s\nbut is\n%s", command, want, l.stderr.String())
		}
		if hits, _ := m.seen(); hits > 0 {
			t.Errorf("%s: %d hits were sent", command, hits)
		}
	}
}

func TestCheckLeavesNoFiles(t *testing.T) {
	t.Parallel()
	fsys := afero.NewMemMapFs()
	start(t, fsys, settings(nil, map[string]string{"MATOMO_URL": unreachable, "STATE_DIR": "/state"}),
		"check").ends(t, exitcode.OK)
	for _, dir := range []string{"/state", "/out"} {
		if files, err := afero.ReadDir(fsys, dir); err != nil || len(files) > 0 {
			t.Errorf("%s holds %v, %v", dir, files, err)
		}
	}
}

func TestCheckEnvFileUsesTheProxiesOfTheEnvironment(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Host == "matomo.test" {
			asked.Add(1)
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	defer proxy.Close()
	fsys := afero.NewMemMapFs()
	write(t, fsys, "/my.env", "MATOMO_URL=http://matomo.test/matomo.php\n")
	l := start(t, fsys, map[string]string{"HTTP_PROXY": proxy.URL}, "check", "--env-file", "/my.env", "--connect")
	l.ends(t, exitcode.OK)
	if asked.Load() == 0 {
		t.Errorf("the proxy got no request:\n%s", l.stdout.String())
	}
}

func TestHealthcheckWithoutTelemetryIsHealthy(t *testing.T) {
	t.Parallel()
	l := start(t, afero.NewMemMapFs(), map[string]string{"TELEMETRY_ADDR": "off"}, "healthcheck")
	l.ends(t, exitcode.OK)
	if !l.stdout.has("health is not checked") {
		t.Errorf("it printed %q", l.stdout.String())
	}
}

func TestEveryLineOfAJSONLogIsJSON(t *testing.T) {
	t.Parallel()
	m := newMatomo(t, sink.Config{}, nil)
	l := start(t, afero.NewMemMapFs(), settings(m, map[string]string{"LOG_FORMAT": "json", "STOP_AFTER_VISITS": "5"}))
	l.ends(t, exitcode.OK)
	last := ""
	for line := range strings.Lines(l.stderr.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
		last = line
	}
	if !strings.Contains(last, `"msg":"summary"`) || !strings.Contains(last, `"accepted":`) {
		t.Errorf("the last line is %s", last)
	}
}
