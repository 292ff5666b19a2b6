package state_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/state"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func open(t *testing.T, fs afero.Fs) state.Folder {
	t.Helper()
	f, err := state.Open(fs, "/state")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestTheCapIsKept(t *testing.T) {
	fs := afero.NewMemMapFs()
	want := runsummary.Cap{WindowStart: now, Reserved: 7}
	if err := open(t, fs).SaveCap(want); err != nil {
		t.Fatal(err)
	}
	if got, err := open(t, fs).Cap(); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if err := afero.WriteFile(fs, "/state/daily.cap.json", []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, fs).Cap(); err == nil ||
		!strings.Contains(err.Error(),
			"/state/daily.cap.json: unexpected end of JSON input; move it away to start without it") {
		t.Errorf("a broken file: %v", err)
	}
}

func TestAFolderThatCannotBeWrittenIsRefused(t *testing.T) {
	if _, err := state.Open(afero.NewReadOnlyFs(afero.NewMemMapFs()), "/state"); err == nil {
		t.Error("it is opened")
	}
	f, err := state.Open(afero.NewMemMapFs(), "")
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.Acquire("x")
	if err != nil || r.Save(&runsummary.Summary{RunID: "x"}) != nil || r.End(&runsummary.Summary{RunID: "x"}) != nil {
		t.Errorf("without a folder something is stored: %v", err)
	}
}

// shared is a folder in which another one removes whatever this one does a moment before.
type shared struct{ afero.Fs }

func (s shared) Remove(name string) error {
	if err := s.Fs.Remove(name); err != nil {
		return err
	}
	return s.Fs.Remove(name)
}

func TestTwoMayTryAFolderAtATime(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := state.CheckWritable(shared{afero.NewOsFs()}, dir); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}
