package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/sink"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/statedir"
	"github.com/puttrix/trafficinator/shared/testbed"
)

// victim is a run with its sink.
type victim struct {
	env    map[string]string
	came   func() int // requests
	counts func() sink.Counts
}

func victimOf(t *testing.T, kind string) victim {
	t.Helper()
	dir := t.TempDir()
	env := map[string]string{"STATE_DIR": filepath.Join(dir, "state"),
		"SUMMARY_FILE": filepath.Join(dir, "summary.json"), "RUN_ID": kind}
	if kind == "backfill" {
		a := newArchive(t, "CET", time.Now)
		env["TARGET_VISITS_PER_DAY"], env["BULK_SIZE"], env["BACKFILL_SHARDS"] = "700", "10", "3"
		return victim{pastSettings(a, env), func() int { n, _ := a.seen(); return n }, a.Counts}
	}
	m := newMatomo(t, sink.Config{}, nil)
	env["STOP_AFTER_VISITS"], env["TARGET_VISITS_PER_DAY"], env["PAUSE_BETWEEN_PVS_MAX"] = "100000", "8640000", "1"
	if kind == "bulk" {
		env["SEND_MODE"], env["BULK_SIZE"], env["BULK_MAX_DELAY"] = "bulk", "20", "0.1"
	}
	return victim{settings(m, env), func() int { n, _ := m.seen(); return n }, m.Counts}
}

// start runs the program, whose output goes to output.
func (v victim) start(t *testing.T, output *os.File) *exec.Cmd {
	t.Helper()
	child := exec.Command(testbed.Loadgen(t))
	for key, value := range v.env {
		child.Env = append(child.Env, key+"="+value)
	}
	child.Stdout, child.Stderr = output, output
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = child.Process.Kill() }) // it fails where the child has ended, as it should have
	return child
}

// sends waits until n more requests came.
func (v victim) sends(t *testing.T, n int) {
	t.Helper()
	before := v.came()
	eventually(t, "more requests", func() bool { return v.came() >= before+n })
}

// bounded compares the ledger of an ended run with the sink: what it has lies between what is known and what
// may be.
func (v victim) bounded(t *testing.T) runsummary.Summary {
	t.Helper()
	fsys := afero.NewOsFs()
	paths, err := statedir.Lives(fsys, v.env["STATE_DIR"], v.env["RUN_ID"])
	if err != nil {
		t.Fatal(err)
	}
	var lives []runsummary.Summary
	for _, path := range paths {
		lives = append(lives, readSummary(t, fsys, path))
	}
	s := runsummary.Merge(append(lives, storedSummary(t, fsys, v.env["STATE_DIR"], v.env["RUN_ID"])))
	addsUp(t, s)
	c := v.counts().Total
	for kind, got := range c.Hits {
		if h := s.ByKind[kind]; got < int64(h.Accepted) || got > int64(h.Accepted+h.Unknown) {
			t.Errorf("%s: the sink has %d, the ledger %d and %d unknown", kind, got, h.Accepted, h.Unknown)
		}
	}
	sure := int64(s.Visits.Complete + s.Visits.Partial + s.Visits.Split)
	if c.Visits < sure || c.Visits > sure+int64(s.Visits.Uncertain) {
		t.Errorf("the sink has %d visits, the ledger %d and %d uncertain", c.Visits, sure, s.Visits.Uncertain)
	}
	for _, name := range []string{s.RunID + ".json", s.RunID + ".lock"} {
		if _, err := os.Stat(filepath.Join(v.env["STATE_DIR"], name)); err == nil {
			t.Errorf("%s is left of a run that has ended", name)
		}
	}
	return s
}

// next starts another run in the same state folder, and closes what a kill left open.
func (v victim) next(t *testing.T) {
	t.Helper()
	m := newMatomo(t, sink.Config{}, nil)
	start(t, afero.NewOsFs(), settings(m, map[string]string{
		"STATE_DIR": v.env["STATE_DIR"], "SUMMARY_FILE": v.env["SUMMARY_FILE"], "RUN_ID": "next",
		"STOP_AFTER_VISITS": "3",
	})).wait(t, patience)
}

func code(child *exec.Cmd) int {
	_ = child.Wait() // see the exit code
	return child.ProcessState.ExitCode()
}

// Whatever is killed while a run sends, its ledger is true afterwards.
func TestLedgerIsCorrectAfterKills(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"live", "bulk", "backfill"} {
		t.Run(kind+" loses the loadgen", func(t *testing.T) {
			t.Parallel()
			v := victimOf(t, kind)
			for life := range 3 { // the next lives continue where the one before was
				child := v.start(t, nil)
				v.sends(t, 40)
				if err := child.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				if code(child) != -1 {
					t.Fatal("the run ended before it was killed")
				}
				if life > 0 {
					v.next(t)
					if s := v.bounded(t); !strings.HasPrefix(s.Message, "killed") || kind != "backfill" &&
						s.Killed != life+1 {
						t.Errorf("after %d kills the ledger says %d: %s", life+1, s.Killed, s.Message)
					}
				}
			}
			if kind != "backfill" {
				return
			}
			if got := code(v.start(t, nil)); got != exitcode.OK {
				t.Errorf("the job continues and ends with %d", got)
			}
			if s := v.bounded(t); s.Visits.Planned != s.Backfill.Visits {
				t.Errorf("%d visits of %d", s.Visits.Planned, s.Backfill.Visits)
			}
		})
		t.Run(kind+" gets a signal", func(t *testing.T) {
			t.Parallel()
			v := victimOf(t, kind)
			child := v.start(t, nil)
			v.sends(t, 40)
			if err := child.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if got := code(child); got != exitcode.Interrupted {
				t.Errorf("exit code %d", got)
			}
			if s := v.bounded(t); s.Reason != "interrupted" {
				t.Errorf("it ended as %q", s.Reason)
			}
		})
		t.Run(kind+" loses the reader of its output", func(t *testing.T) {
			t.Parallel()
			v := victimOf(t, kind)
			reader, output, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			child := v.start(t, output)
			v.sends(t, 20)
			if err := output.Close(); err != nil {
				t.Fatal(err)
			}
			if err := reader.Close(); err != nil {
				t.Fatal(err)
			}
			v.sends(t, 20)
			if err := child.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if got := code(child); got != exitcode.Interrupted {
				t.Errorf("exit code %d: %s", got, child.ProcessState)
			}
			if s := v.bounded(t); s.Reason != "interrupted" {
				t.Errorf("it ended as %q", s.Reason)
			}
		})
	}
}
