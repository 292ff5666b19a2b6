package cli

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/sink"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/statedir"
	"github.com/puttrix/trafficinator/shared/testbed"
)

func TestMain(m *testing.M) {
	flag.Parse()
	// These tests wait far more than they compute.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// killed runs the program and kills it as soon as its ledger of record tells of accepted hits and the sink knows of
// enough visitors.
func killed(t *testing.T, m *matomo, env map[string]string, enough int) {
	t.Helper()
	child := exec.Command(testbed.Loadgen(t))
	for key, v := range env {
		child.Env = append(child.Env, key+"="+v)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	record := filepath.Join(env["STATE_DIR"], env["RUN_ID"]+".json")
	eventually(t, "a ledger of accepted hits", func() bool {
		if _, err := os.Stat(record); err != nil {
			return false
		}
		_, visitors := m.seen()
		return visitors >= enough && readSummary(t, afero.NewOsFs(), record).Hits.Accepted > 0
	})
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := child.Wait(); err == nil {
		t.Fatal("the run ended before it was killed")
	}
}

// oldLedgerIsClosed checks the ledger of the killed run, which the next start has archived.
func oldLedgerIsClosed(t *testing.T, env map[string]string) {
	t.Helper()
	found, err := statedir.Lives(afero.NewOsFs(), env["STATE_DIR"], env["RUN_ID"])
	if err != nil || len(found) != 1 {
		t.Fatalf("%d old ledgers, %v", len(found), err)
	}
	old := readSummary(t, afero.NewOsFs(), found[0])
	addsUp(t, old)
	if old.Reason != "killed" || old.Hits.Unknown == 0 || old.Hits.Abandoned > 0 {
		t.Errorf("the old ledger has %q, %+v", old.Reason, old.Hits)
	}
}

func TestRestartAfterAKillUsesNewVisitors(t *testing.T) {
	t.Parallel()
	m, next := newMatomo(t, sink.Config{}, nil), newMatomo(t, sink.Config{}, nil)
	dir := t.TempDir()
	env := settings(m, map[string]string{
		"STATE_DIR": filepath.Join(dir, "state"), "SUMMARY_FILE": filepath.Join(dir, "summary.json"),
		"RUN_ID":                "nightly",
		"TARGET_VISITS_PER_DAY": "4320000", "STOP_AFTER_VISITS": "300", "PAUSE_BETWEEN_PVS_MAX": "1",
	})
	killed(t, m, env, 40)
	env["MATOMO_URL"] = next.url
	l := start(t, afero.NewOsFs(), env)
	l.ends(t, exitcode.OK)
	oldLedgerIsClosed(t, env)
	s := l.summary(t)
	addsUp(t, s)
	if !l.stderr.has("closed the ledger of a killed run") || s.RunID != "nightly" {
		t.Errorf("run %s did not report the killed one:\n%s", s.RunID, l.stderr.String())
	}
	if s.Visits.Planned == 0 {
		t.Fatal("the second run made no visit: it proves nothing")
	}
	recorded(t, s, next)
	before, after := m.ids(), next.ids()
	if len(after) != int(s.Visits.Planned-s.Visits.Unsent) || len(before)+len(after) > 300 {
		t.Errorf("%d visitors, then %d in %d visits, with STOP_AFTER_VISITS=300", len(before), len(after),
			s.Visits.Planned)
	}
	for _, id := range after {
		if slices.Contains(before, id) {
			t.Errorf("visitor %s came in both runs", id)
		}
	}
}

func TestDailyCapSurvivesAKill(t *testing.T) {
	t.Parallel()
	m := newMatomo(t, sink.Config{}, nil)
	dir := t.TempDir()
	env := settings(m, map[string]string{
		"STATE_DIR": filepath.Join(dir, "state"), "SUMMARY_FILE": filepath.Join(dir, "summary.json"), "RUN_ID": "first",
		"TARGET_VISITS_PER_DAY": "4320000", "STOP_AFTER_VISITS": "0", "MAX_TOTAL_VISITS": "120",
		"PAUSE_BETWEEN_PVS_MAX": "1",
	})
	killed(t, m, env, 30)
	env["RUN_ID"] = "daily-cap" // the cap is that of the folder, and no run's name touches it
	l := start(t, afero.NewOsFs(), env)
	eventually(t, "the cap is reached", func() bool {
		return l.stderr.has("daily cap of 120 visits reached, resuming at ")
	})
	l.signals <- syscall.SIGTERM
	l.ends(t, exitcode.Interrupted)
	first := storedSummary(t, afero.NewOsFs(), env["STATE_DIR"], "first")
	addsUp(t, first)
	if first.Reason != "killed" {
		t.Errorf("the first run ended %q", first.Reason)
	}
	second := l.summary(t)
	addsUp(t, second)
	if second.Visits.Planned == 0 {
		t.Error("the second run made no visit: it proves nothing")
	}
	if _, all := m.seen(); all > 120 {
		t.Errorf("%d visitors came under a cap of 120", all)
	}
}

// disk is a file system with a folder that can be full: files are made there, and no byte goes into them.
type disk struct {
	afero.Fs
	folder string
	full   atomic.Bool
	broken atomic.Bool // not even what a file has can be written again
}

func (d *disk) OpenFile(name string, flag int, perm os.FileMode) (afero.File, error) {
	f, err := d.Fs.OpenFile(name, flag, perm)
	if err != nil || !strings.HasPrefix(name, d.folder) {
		return f, err
	}
	return diskFile{f, d}, nil
}

type diskFile struct {
	afero.File
	d *disk
}

func (f diskFile) Write(p []byte) (int, error) {
	if f.d.full.Load() {
		return 0, syscall.ENOSPC
	}
	return f.File.Write(p)
}

func (f diskFile) WriteAt(p []byte, at int64) (int, error) {
	if f.d.broken.Load() {
		return 0, syscall.EIO
	}
	return f.File.WriteAt(p, at)
}

func TestRunEndingOnAFullDiskKeepsItsLedger(t *testing.T) {
	t.Parallel()
	for _, broken := range []bool{false, true} {
		m := newMatomo(t, sink.Config{}, nil)
		d := &disk{Fs: afero.NewMemMapFs(), folder: "/state"}
		l := start(t, d, settings(m,
			map[string]string{"STATE_DIR": "/state", "RUN_ID": "full", "STOP_AFTER_VISITS": "10000"}))
		eventually(t, "20 visits", func() bool { _, visitors := m.seen(); return visitors >= 20 })
		d.full.Store(true)
		d.broken.Store(broken)
		eventually(t, "visits pause", func() bool {
			return l.stderr.has("new visits pause: cannot store the state")
		})
		l.signals <- syscall.SIGTERM
		if broken {
			l.ends(t, exitcode.Internal)
			if !l.stderr.has("cannot write the ledger") {
				t.Errorf("it is not reported:\n%s", l.stderr.String())
			}
			continue
		}
		l.ends(t, exitcode.Interrupted)
		s := storedSummary(t, d, "/state", "full")
		addsUp(t, s)
		recorded(t, s, m)
		if s.Reason != "interrupted" {
			t.Errorf("the ledger has %q", s.Reason)
		}
	}
}

func TestRunContinuesOnAFullDisk(t *testing.T) {
	t.Parallel()
	m := newMatomo(t, sink.Config{}, nil)
	d := &disk{Fs: afero.NewMemMapFs(), folder: "/state"}
	l := start(t, d, settings(m, map[string]string{"STATE_DIR": "/state"}))
	eventually(t, "20 visits", func() bool { _, visitors := m.seen(); return visitors >= 20 })
	d.full.Store(true)
	eventually(t, "visits pause", func() bool { return l.stderr.has("new visits pause: cannot store the state") })
	d.full.Store(false)
	l.ends(t, exitcode.OK)
	s := l.summary(t)
	addsUp(t, s)
	recorded(t, s, m)
	sent(t, s, 100)
	if !l.stderr.has("cannot write the ledger; it is kept in memory") || !l.stderr.has("no space left on device") {
		t.Errorf("the full disk is not reported:\n%s", l.stderr.String())
	}
	if want := fmt.Sprintf("visits: %d planned = %d complete", s.Visits.Planned,
		s.Visits.Complete); !l.stderr.has(want) {
		t.Errorf("the printed summary lacks %q:\n%s", want, l.stderr.String())
	}
}

func TestDailyCapHoldsOnAFullDisk(t *testing.T) {
	t.Parallel()
	m := newMatomo(t, sink.Config{}, nil)
	d := &disk{Fs: afero.NewMemMapFs(), folder: "/state"}
	env := settings(m, map[string]string{"STATE_DIR": "/state", "STOP_AFTER_VISITS": "0", "MAX_TOTAL_VISITS": "100"})
	l := start(t, d, env)
	eventually(t, "20 visits", func() bool { _, visitors := m.seen(); return visitors >= 20 })
	d.full.Store(true)
	// Whichever is needed first: the cap, or numbers for more visits.
	eventually(t, "visits pause", func() bool {
		return l.stderr.has("new visits pause: cannot store the daily cap") ||
			l.stderr.has("new visits pause: cannot store the state")
	})
	l.signals <- syscall.SIGTERM
	l.ends(t, exitcode.Interrupted)
	s := l.summary(t)
	addsUp(t, s)
	recorded(t, s, m)

	d.full.Store(false)
	l = start(t, d, env)
	eventually(t, "the cap is reached", func() bool { return l.stderr.has("daily cap of 100 visits reached") })
	l.signals <- syscall.SIGTERM
	l.ends(t, exitcode.Interrupted)
	again := l.summary(t)
	addsUp(t, again)
	if began := s.Visits.Planned + again.Visits.Planned; began > 100 || again.Visits.Planned == 0 {
		t.Errorf(
			"%d visits started, %d of them after the disk was full, under a cap of 100",
			began,
			again.Visits.Planned,
		)
	}
	if _, all := m.seen(); all > 100 {
		t.Errorf("%d visitors came under a cap of 100", all)
	}
}

func TestReadOnlyStateFolderPreventsTheStart(t *testing.T) {
	t.Parallel()
	m := newMatomo(t, sink.Config{}, nil)
	d := &disk{Fs: afero.NewMemMapFs(), folder: "/state"}
	d.full.Store(true)
	l := start(t, d, settings(m, map[string]string{"STATE_DIR": "/state"}))
	l.ends(t, exitcode.BadConfig)
	want := `error: STATE_DIR="/state": write to folder: publish .write-test: no space left on device; free disk space, or use another disk`
	if !l.stderr.has(want) {
		t.Errorf("stderr lacks\n%s\nbut is\n%s", want, l.stderr.String())
	}
	if hits, _ := m.seen(); hits > 0 {
		t.Errorf("%d hits were sent", hits)
	}
}

func TestSameRunIDContinuesAtTheNextVisit(t *testing.T) {
	t.Parallel()
	m, fsys := newMatomo(t, sink.Config{}, nil), afero.NewMemMapFs()
	env := settings(m, map[string]string{"STATE_DIR": "/state", "RUN_ID": "nightly", "STOP_AFTER_VISITS": "20"})
	first := start(t, fsys, env)
	first.ends(t, exitcode.OK)
	unsent := first.summary(t).Visits.Unsent
	env["STOP_AFTER_VISITS"] = "30"
	l := start(t, fsys, env)
	l.ends(t, exitcode.OK)
	s := l.summary(t)
	unsent += s.Visits.Unsent
	if s.Visits.Planned != 10 || s.NextVisit != 30 {
		t.Errorf("%d visits, next is %d; want 10 and 30", s.Visits.Planned, s.NextVisit)
	}
	if _, visitors := m.seen(); visitors != 30-int(unsent) {
		t.Errorf("%d visitors came in both runs, want 30 but for %d that were not sent", visitors, unsent)
	}
}
