package state_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/state"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

func TestWhatIsNoLedgerStaysAsItIs(t *testing.T) {
	t.Parallel()
	f, dir := real(t)
	files := map[string]string{
		"notes.json": `{"a":1}`, "nothing.json": `null`, "other.json": `{"run_id":"another"}`,
		"odd.json": `{"run_id":"odd","targets":{"a":{"reserved":{"visits":1,"by_kind":{"pageview":1}}}}}`,
	}
	for name, text := range files {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	logged := tidy(t, f)
	if s := summary(t, dir, "odd"); s.Reason != "killed" || s.Hits.Unknown != 1 || s.ByKind["pageview"].Unknown != 1 {
		t.Errorf("a ledger without rows is closed as %+v", s)
	}
	delete(files, "odd.json")
	for name, text := range files {
		if data, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(data) != text ||
			!strings.Contains(logged, name) {
			t.Errorf("%s is now %q, %v:\n%s", name, data, err, logged)
		}
	}
	if left := names(t, dir); len(left) != len(files) {
		t.Errorf("%v is left", left)
	}
}

// lockless is a file system without locks.
type lockless struct{ afero.Fs }

type noDescriptor struct{ afero.File }

func (noDescriptor) Fd() uintptr { return 1 << 30 }

func (l lockless) OpenFile(name string, flag int, mode fs.FileMode) (afero.File, error) {
	file, err := l.Fs.OpenFile(name, flag, mode)
	return noDescriptor{file}, err
}

func TestARunThatMayBeAliveIsNotClosed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f, err := state.Open(lockless{afero.NewOsFs()}, dir)
	must(t, err)
	alive := acquire(t, f, "alive")
	must(t, alive.Save(&runsummary.Summary{RunID: "alive", Started: now}))
	for range 2 {
		if logged := tidy(t, f); !strings.Contains(logged, "run_id=alive") || !summary(t, dir, "alive").Ended.IsZero() {
			t.Errorf("it is closed, or it is not reported: %s", logged)
		}
	}
	must(t, alive.End(&runsummary.Summary{RunID: "alive", Started: now, Ended: now}), alive.Close())
	if logged := tidy(t, f); logged != "" || summary(t, dir, "alive").Ended.IsZero() {
		t.Errorf("it has ended, and: %s", logged)
	}
}
