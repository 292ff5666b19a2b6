package main

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/loadgen/internal/sink"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/target"
	"github.com/puttrix/trafficinator/shared/testbed"
)

func TestRequestsInFlightFitTheDescriptors(t *testing.T) {
	t.Parallel()
	const may = ` is more than this process can have, which may open `
	for name, c := range map[string]struct {
		spec        spec.Spec
		descriptors uint64
		want        int // requests, 0 where it is refused
		said        string
	}{
		"enough":  {spec.Spec{Concurrency: 200}, 232, 200, ""},
		"unknown": {spec.Spec{Concurrency: 200}, 0, 200, ""},
		"too few": {spec.Spec{Concurrency: 200}, 64, 32,
			`CONCURRENCY="200":` + may +
				`64 files: reduced to 32; allow it 232: ulimit -n, or nofile of the container`},
		"a backfill": {spec.Spec{Concurrency: 200, BackfillShards: 8, BackfillEnabled: true}, 36, 4,
			`BACKFILL_SHARDS="8":` + may +
				`36 files: reduced to 4; allow it 40: ulimit -n, or nofile of the container`},
		"not one a target": {spec.Spec{Concurrency: 50}, 33,
			0, `CONCURRENCY="50":` + may + `33 files; allow it 82: ulimit -n, or nofile of the container`},
		"fewer than spared": {spec.Spec{Concurrency: 50}, 9, 0,
			`CONCURRENCY="50":` + may + `9 files; allow it 82: ulimit -n, or nofile of the container`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &plan.Plan{Spec: c.spec, Targets: make([]target.Target, 2)}
			var said []string
			problems := fit(p, c.descriptors)
			for _, p := range problems {
				said = append(said, p.String())
			}
			if strings.Join(said, " ") != c.said || (problems.Err() != nil) != (c.want == 0) {
				t.Errorf("said %q, want %q", said, c.said)
			}
			got := p.Spec.Concurrency
			if c.spec.BackfillEnabled {
				got = p.Spec.BackfillShards
			}
			if c.want > 0 && got != c.want {
				t.Errorf("%d requests, want %d", got, c.want)
			}
		})
	}
}

// A target that answers slowly needs more connections than the run can have.
func TestARunWithFewDescriptorsFailsNoHits(t *testing.T) {
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
	said, err := child.CombinedOutput()
	// on a busy machine most is not in time
	if got := child.ProcessState.ExitCode(); got != exitOK && got != exitThreshold {
		t.Fatalf("%v:\n%s", err, said)
	}
	if text := string(said); !strings.Contains(text, "reduced to 32") || strings.Contains(text, "goes on in memory") {
		t.Errorf("it says\n%s", text)
	}
	s := readSummary(t, afero.NewOsFs(), env["SUMMARY_FILE"])
	addsUp(t, s)
	recorded(t, s, m)
	if s.Hits.Failed > 0 {
		t.Errorf("%+v", s.Hits)
	}
}
