package cli

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/sink"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/testbed"
)

// A target that answers slowly needs more connections than the run can have.
func TestRunWithFewDescriptorsFailsNoHits(t *testing.T) {
	t.Parallel()
	m := newMatomo(t, sink.Config{}, func(_ int, _ http.ResponseWriter, r *http.Request) bool {
		pause := time.NewTimer(300 * time.Millisecond)
		defer pause.Stop()
		select {
		case <-pause.C:
		case <-r.Context().Done():
		}
		return false
	})
	dir := t.TempDir()
	env := settings(m, map[string]string{
		"STATE_DIR": filepath.Join(dir, "state"), "SUMMARY_FILE": filepath.Join(dir, "summary.json"),
		"CONCURRENCY":           "200",
		"TARGET_VISITS_PER_DAY": "8640000", "STOP_AFTER_VISITS": "300", "THRESHOLDS": "failed=0", // most hits are late
	})
	child := exec.Command("sh", "-c", `ulimit -n 64 && exec "$0" run`, testbed.Loadgen(t))
	for key, v := range env {
		child.Env = append(child.Env, key+"="+v)
	}
	printed, err := child.CombinedOutput()
	// on a busy machine most is not in time
	if got := child.ProcessState.ExitCode(); got != exitcode.OK && got != exitcode.Missed {
		t.Fatalf("%v:\n%s", err, printed)
	}
	if text := string(
		printed,
	); !strings.Contains(text, "reduced to 32") ||
		strings.Contains(text, "goes on in memory") {
		t.Errorf("it printed\n%s", text)
	}
	s := readSummary(t, afero.NewOsFs(), env["SUMMARY_FILE"])
	addsUp(t, s)
	recorded(t, s, m)
	if s.Hits.Failed > 0 {
		t.Errorf("%+v", s.Hits)
	}
}
