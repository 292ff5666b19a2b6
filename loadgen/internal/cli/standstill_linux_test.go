package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/sink"
	"github.com/puttrix/trafficinator/loadgen/internal/standstill"
	"github.com/puttrix/trafficinator/shared/testbed"
)

// stopped stops a process, waits until it is stopped and long enough for a standstill, and continues it.
// It returns for how long the process surely stood still.
func stopped(t *testing.T, child *os.Process) time.Duration {
	t.Helper()
	if err := child.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the process is stopped", func() bool {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(child.Pid) + "/stat")
		_, state, found := bytes.Cut(stat, []byte(") "))
		return err == nil && found && state[0] == 'T'
	})
	from := time.Now()
	<-time.After(standstill.Limit + time.Second)
	still := time.Since(from)
	if err := child.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	return still
}

func TestStoppedProcessShedsDueHits(t *testing.T) {
	t.Parallel()
	m := newMatomo(t, sink.Config{}, nil)
	dir := t.TempDir()
	env := settings(m, map[string]string{
		"STATE_DIR": filepath.Join(dir, "state"), "SUMMARY_FILE": filepath.Join(dir, "summary.json"),
		"RUN_ID":            "stopped",
		"STOP_AFTER_VISITS": "5000", "THRESHOLDS": "error_share<1%",
	})
	child := exec.Command(testbed.Loadgen(t), "run", "--junit", filepath.Join(dir, "run.xml"))
	var log output
	child.Stderr = &log
	for key, v := range env {
		child.Env = append(child.Env, key+"="+v)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "visits come", func() bool { _, visitors := m.seen(); return visitors >= 20 })
	still := stopped(t, child.Process)
	_, before := m.seen()
	eventually(t, "visits come again", func() bool { _, visitors := m.seen(); return visitors >= before+40 })
	if err := child.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // the rest is in its ledger

	s := readSummary(t, afero.NewOsFs(), env["SUMMARY_FILE"])
	addsUp(t, s)
	recorded(t, s, m)
	if len(s.Standstills) == 0 {
		t.Fatalf("no standstill in the summary:\n%s", log.String())
	}
	all := s.TotalStandstill()
	if all.Seconds < still.Seconds() || s.DurationSeconds < all.Seconds {
		t.Errorf("stood still for %v s of %v s, it was %s", all.Seconds, s.DurationSeconds, still)
	}
	if off := s.Ended.Sub(s.Started) - s.Duration(); off.Abs() > time.Millisecond {
		t.Errorf("from %s to %s, but it lasted %s", s.Started, s.Ended, s.Duration())
	}
	// 20 visits a second were due. Those of the time before between two checks may be some more.
	if least := uint64(20*still.Seconds()) - 1; all.Visits < least || s.Visits.Unsent < all.Visits ||
		s.Hits.Shed < all.Hits {
		t.Errorf("%+v for %s, want at least %d visits; %+v", all, still, least, s.Visits)
	}
	// No visit of that time came after all: a burst would be those.
	if _, visitors := m.seen(); uint64(visitors) > s.Visits.Planned-all.Visits {
		t.Errorf("%d visitors came, of %d planned and %d missed", visitors, s.Visits.Planned, all.Visits)
	}
	h := s.Hits
	bad := h.Rejected + h.Failed + h.Unknown + h.Shed - all.Hits
	if got, want := *s.Thresholds[0].Value, float64(bad)/float64(bad+h.Accepted); got != want {
		t.Errorf("the error share is %v, without the standstill's hits %v", got, want)
	}
	junit, err := os.ReadFile(filepath.Join(dir, "run.xml"))
	if err != nil {
		t.Fatal(err)
	}
	for where, text := range map[string]string{"the log": log.String(), "JUnit": string(junit)} {
		if !strings.Contains(text, "standstill") && !strings.Contains(text, "was suspended for") {
			t.Errorf("%s does not report it:\n%s", where, text)
		}
	}
}
