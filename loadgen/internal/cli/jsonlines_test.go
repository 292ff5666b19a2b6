package cli

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/sink"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/logline"
	"github.com/puttrix/trafficinator/shared/problem"
)

func TestEveryCommandWritesProblemsAsJSONForAController(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"run", "check", "plan", "healthcheck"} {
		l := start(t, afero.NewMemMapFs(), settings(nil, map[string]string{logline.EnvVar: logline.JSON,
			"MATOMO_URL": "http://127.0.0.1:1/matomo.php", "CONCURRENCY": "0", "TELEMETRY_ADDR": "nowhere"}), args)
		l.ends(t, exitcode.BadConfig)
		var found problem.List
		for text := range strings.Lines(l.stderr.String()) {
			line, ok := logline.Parse(strings.TrimSpace(text))
			if !ok || line.Problem == nil {
				t.Fatalf("%s: not a problem as JSON: %s", args, text)
			}
			found = append(found, *line.Problem)
		}
		if len(found.Errors()) < 2 || !strings.Contains(found.Error(), `CONCURRENCY="0": `) {
			t.Errorf("%s: got %v", args, found)
		}
	}
}

func TestRunWritesItsLogAsJSONForAController(t *testing.T) {
	t.Parallel()
	m := newMatomo(t, sink.Config{}, nil)
	l := start(
		t,
		afero.NewMemMapFs(),
		settings(m, map[string]string{logline.EnvVar: logline.JSON, "STOP_AFTER_VISITS": "5",
			"STATE_DIR": "/state", "RUN_ID": "r1", "LOG_FORMAT": "text", "PAGEVIEWS_MAX": "3"}),
	)
	l.ends(t, exitcode.OK)
	log, table, _ := strings.Cut(l.stderr.String(), "\n\n")
	for text := range strings.Lines(log) {
		if line, ok := logline.Parse(strings.TrimSpace(text)); !ok || line.Level < slog.LevelInfo ||
			line.Problem != nil {
			t.Errorf("not a log line as JSON: %s", text)
		}
	}
	if !strings.Contains(log, `"run_id":"r1"`) || !strings.HasPrefix(table, "run r1, seed 7: ") {
		t.Errorf("want a log with the run's id, then the summary as text:\n%s\n\n%s", log, table)
	}
}
