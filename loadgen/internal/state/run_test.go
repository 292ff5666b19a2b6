package state_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/state"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/statedir"
)

// real is an empty state folder on the machine, because locks are the machine's.
func real(t *testing.T) (state.Folder, string) {
	t.Helper()
	dir := t.TempDir()
	f, err := state.Open(afero.NewOsFs(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return f, dir
}

func acquire(t *testing.T, f state.Folder, id string) *state.Run {
	t.Helper()
	r, err := f.Acquire(id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// killed leaves a run as a kill does: its place is free, and nothing was ended.
func killed(t *testing.T, f state.Folder, s *runsummary.Summary) {
	t.Helper()
	r := acquire(t, f, s.RunID)
	must(t, r.Save(s), r.Close())
}

// tidy puts a folder in order for the run "own" and returns what is logged.
func tidy(t *testing.T, f state.Folder) string {
	t.Helper()
	var log bytes.Buffer
	must(t, f.CleanUp("own", now.Add(time.Minute), slog.New(slog.NewTextHandler(&log, nil))))
	return log.String()
}

func summary(t *testing.T, dir, id string) (s runsummary.Summary) {
	t.Helper()
	data, err := statedir.Read(afero.NewOsFs(), dir, id)
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// names are the files of a folder, without its folders.
func names(t *testing.T, dir string) (out []string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	must(t, err)
	for _, f := range files {
		if !f.IsDir() {
			out = append(out, f.Name())
		}
	}
	return out
}

func TestARunHasItsPlaceAlone(t *testing.T) {
	t.Parallel()
	f, dir := real(t)
	first := acquire(t, f, "one")
	must(t, first.Save(&runsummary.Summary{RunID: "one", Started: now}))
	if _, err := f.Acquire("one"); !errors.Is(err, state.ErrRunning) {
		t.Fatalf("a second one: %v", err)
	}
	if logged := tidy(t, f); logged != "" || !summary(t, dir, "one").Ended.IsZero() {
		t.Errorf("the ledger of a run that is alive was touched: %s", logged)
	}
	must(t, first.End(&runsummary.Summary{RunID: "one", Started: now, Ended: now, NextVisit: 7}), first.Close())
	if left := names(t, dir); len(left) > 0 {
		t.Errorf("the run has ended and left %v", left)
	}
	again := acquire(t, f, "one")
	if next, killed, err := again.Resume(now); err != nil || next != 7 || killed {
		t.Errorf("it continues at %d, killed %t, %v", next, killed, err)
	}
	must(t, again.Close())
}

func TestTheLedgerOfAKilledRunIsClosed(t *testing.T) {
	t.Parallel()
	f, dir := real(t)
	killed(t, f, &runsummary.Summary{RunID: "one", Started: now, NextVisit: 9})
	must(t, os.WriteFile(filepath.Join(dir, ".one.json.123"), []byte("{"), 0o600)) // half of the next write
	if logged := tidy(t, f); !strings.Contains(logged, "run_id=one") {
		t.Errorf("it is not reported: %s", logged)
	}
	if s := summary(t, dir, "one"); s.Reason != "killed" || !s.Ended.Equal(now.Add(time.Minute)) {
		t.Errorf("it ended at %s: %q", s.Ended, s.Reason)
	}
	if left := names(t, dir); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
	if logged := tidy(t, f); logged != "" {
		t.Errorf("closed again: %s", logged)
	}
}

func TestEachLifeOfARunIsKept(t *testing.T) {
	t.Parallel()
	f, dir := real(t)
	var next uint64
	for life := range uint64(4) { // all in one second
		r := acquire(t, f, "own")
		first, killed, err := r.Resume(now)
		if err != nil || first != next || killed != (life > 0) {
			t.Fatalf("life %d starts at %d, killed %t, %v", life, first, killed, err)
		}
		next = first + 10
		must(t, r.Save(&runsummary.Summary{RunID: "own", Started: now, FirstVisit: first, NextVisit: next}), r.Close())
	}
	lives, err := statedir.Lives(afero.NewOsFs(), dir, "own")
	if err != nil || len(lives) != 3 {
		t.Errorf("kept %v, %v", lives, err)
	}
}

// A kill between two steps of going on must neither lose nor double a life.
func TestGoingOnTwiceKeepsALifeOnce(t *testing.T) {
	t.Parallel()
	f, dir := real(t)
	killed(t, f, &runsummary.Summary{RunID: "own", Started: now, NextVisit: 10})
	for i := range 2 {
		r := acquire(t, f, "own")
		// The second time in another month.
		if next, _, err := r.Resume(now.AddDate(0, i, 0)); err != nil || next != 10 {
			t.Fatalf("next %d, %v", next, err)
		}
		must(t, r.Close())
	}
	if lives, err := statedir.Lives(afero.NewOsFs(), dir, "own"); err != nil || len(lives) != 1 {
		t.Errorf("kept %v, %v", lives, err)
	}
}

func TestABrokenLedgerRefusesItsOwnRunAlone(t *testing.T) {
	t.Parallel()
	f, dir := real(t)
	pipe := filepath.Join(dir, "pipe.json")
	must(t, os.WriteFile(filepath.Join(dir, "empty.json"), nil, 0o600),
		os.WriteFile(filepath.Join(dir, "own.json"), []byte("{"), 0o600),
		os.WriteFile(filepath.Join(dir, "no ledger.json"), []byte("[]"), 0o600), syscall.Mkfifo(pipe, 0o600),
		syscall.Mkfifo(filepath.Join(dir, "p.lock"), 0o600))
	logged := tidy(t, f)
	for _, want := range []string{"empty.json", "no ledger.json", "pipe.json"} {
		if !strings.Contains(logged, want) {
			t.Errorf("%s is not reported:\n%s", want, logged)
		}
	}
	r := acquire(t, f, "own")
	if _, _, err := r.Resume(now); err == nil ||
		!strings.Contains(err.Error(), "own.json: unexpected end of JSON input; move it away") {
		t.Errorf("its own is taken: %v", err)
	}
	must(t, r.Close())
}

func TestALockThatIsNoFileRefusesItsRun(t *testing.T) {
	t.Parallel()
	f, dir := real(t)
	must(t, syscall.Mkfifo(filepath.Join(dir, "own.lock"), 0o600),
		os.Symlink(os.DevNull, filepath.Join(dir, "device.lock")))
	for _, id := range []string{"own", "device"} {
		if _, err := f.Acquire(id); err == nil ||
			!strings.HasSuffix(err.Error(), id+".lock is not a regular file; remove it") {
			t.Errorf("%s: %v", id, err)
		}
	}
	logged := tidy(t, f)
	if !strings.Contains(logged, "run_id=device") {
		t.Errorf("no report of the lock of another run:\n%s", logged)
	}
}

// reading counts the ledgers that are opened.
type reading struct {
	afero.Fs
	opened *[]string
}

func (r reading) note(name string) {
	if strings.HasSuffix(name, ".json") {
		*r.opened = append(*r.opened, filepath.Base(name))
	}
}

func (r reading) Open(name string) (afero.File, error) {
	r.note(name)
	return r.Fs.Open(name)
}

func (r reading) OpenFile(name string, flag int, mode fs.FileMode) (afero.File, error) {
	r.note(name)
	return r.Fs.OpenFile(name, flag, mode)
}

func TestAStartReadsItsOwnLedgerAndThoseOfKilledRunsAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var opened []string
	f, err := state.Open(reading{afero.NewOsFs(), &opened}, dir)
	must(t, err)
	// An earlier version left all in one folder, and a kill the last one open.
	const old = 500
	for i := range old {
		path := filepath.Join(dir, fmt.Sprintf("old-%d.json", i))
		must(t, os.WriteFile(path, fmt.Appendf(nil, `{"run_id":"old-%d","ended":"2026-10-01T00:00:00Z"}`, i), 0o600),
			os.Chtimes(path, now, now.Add(time.Duration(i-old)*time.Hour)))
	}
	must(t, os.WriteFile(filepath.Join(dir, "open.json"), []byte(`{"run_id":"open"}`), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "old-1.20261001T000000.json"), []byte(`{}`), 0o600))
	tidy(t, f)
	if len(opened) > 100 || summary(t, dir, "open").Reason != "killed" {
		t.Errorf("%d ledgers were opened to find the one that is open", len(opened))
	}
	if left := names(t, dir); len(left) > 0 {
		t.Errorf("%d files are left", len(left))
	}
	if lives, err := statedir.Lives(afero.NewOsFs(), dir, "old-1"); err != nil || len(lives) != 1 {
		t.Errorf("the earlier life of a run is lost: %v, %v", lives, err)
	}

	killed(t, f, &runsummary.Summary{RunID: "dead", Started: now})
	killed(t, f, &runsummary.Summary{RunID: "own", Started: now})
	opened = nil
	tidy(t, f)
	r := acquire(t, f, "own")
	_, _, err = r.Resume(now)
	must(t, err, r.Close())
	slices.Sort(opened)
	if got := slices.Compact(opened); !slices.Equal(got, []string{"dead.json", "own.json"}) {
		t.Errorf("with %d ended ledgers a start opens %v", old, got)
	}
}

func TestADeletedRunIsRemovedAtTheNextStart(t *testing.T) {
	t.Parallel()
	f, dir := real(t)
	write := func(name string, age time.Duration) {
		path := filepath.Join(dir, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(`{}`), 0o600),
			os.Chtimes(path, now, now.Add(-age)))
	}
	for _, name := range []string{
		statedir.EndedFile("a", now), statedir.LifeFile("a", 0, now), statedir.JournalFile("a"),
		statedir.EndedFile("b", now),
		statedir.EndedFile("own", now), "jobs/j/ended/2026-11/j.json", "jobs/j/j.batches", "jobs/k/k.json",
	} {
		write(name, time.Hour)
	}
	write(statedir.EndedFile("newer", now), -time.Hour)
	alive := acquire(t, f, "alive")
	must(t, alive.Save(&runsummary.Summary{RunID: "alive"}),
		os.Chtimes(filepath.Join(dir, "alive.json"), now, now.Add(-time.Hour)))
	gone := map[string]time.Time{}
	for _, id := range []string{"a", "j", "own", "newer", "alive", "never"} {
		gone[id] = now
	}
	var log bytes.Buffer
	f.DeleteRuns("own", exchange.DeletedRuns{Runs: gone}, slog.New(slog.NewTextHandler(&log, nil)))
	must(t, alive.Close())
	var left []string
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			left = append(left, strings.TrimPrefix(path, dir+"/"))
		}
		return err
	}))
	want := []string{"alive.json", "alive.lock", "ended/2026-11/b.json", "ended/2026-11/newer.json",
		"ended/2026-11/own.json", "jobs/k/k.json"}
	if !slices.Equal(left, want) || log.Len() > 0 {
		t.Errorf("left are\n%v\nwant\n%v\n%s", left, want, log.String())
	}
}

func TestAStartIsKnownAgain(t *testing.T) {
	t.Parallel()
	f, _ := real(t)
	if again, err := f.AlreadyStarted("s1"); again || err != nil {
		t.Errorf("known before it was made: %v", err)
	}
	must(t, f.RecordStart("s1"))
	for id, want := range map[string]bool{"s1": true, "s2": false} {
		if again, err := f.AlreadyStarted(id); again != want || err != nil {
			t.Errorf("%s: %t, %v", id, again, err)
		}
	}
}

// full is a disk that takes nothing more: what a file already has can be written again.
type full struct {
	afero.Fs
	is *bool
}

func (f full) OpenFile(name string, flag int, mode fs.FileMode) (afero.File, error) {
	if *f.is && flag&os.O_CREATE != 0 {
		return nil, syscall.ENOSPC
	}
	return f.Fs.OpenFile(name, flag, mode)
}

func (f full) MkdirAll(name string, mode fs.FileMode) error {
	if *f.is {
		return syscall.ENOSPC
	}
	return f.Fs.MkdirAll(name, mode)
}

func TestTheEndOfARunIsWrittenOnAFullDisk(t *testing.T) {
	t.Parallel()
	dir, is := t.TempDir(), false
	f, err := state.Open(full{afero.NewOsFs(), &is}, dir)
	must(t, err)
	r := acquire(t, f, "one")
	s := &runsummary.Summary{RunID: "one", Hits: runsummary.Hits{Planned: 10, Accepted: 1}}
	must(t, r.Save(s))
	is = true
	s.Hits.Accepted = 10
	if err := r.Save(s); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	s.Ended, s.Reason, s.Message = now, "interrupted", strings.Repeat("x", 10_000)
	must(t, r.End(s), r.Close())
	if got := summary(t, dir, "one"); got.Hits.Accepted != 10 || got.Reason != "interrupted" {
		t.Errorf("the ledger has %q, %+v", got.Reason, got.Hits)
	}
	is = false
	tidy(t, f)
	if left := names(t, dir); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
	if got := summary(t, dir, "one"); got.Hits.Accepted != 10 || got.Reason != "interrupted" {
		t.Errorf("the next start makes of it %q, %+v", got.Reason, got.Hits)
	}
}
