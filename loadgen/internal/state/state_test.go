package state_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/loadgen/internal/state"
	"github.com/puttrix/trafficinator/shared/record"
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

func read(t *testing.T, fs afero.Fs, path string) string {
	t.Helper()
	data, err := afero.ReadFile(fs, path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestTheLedgerOfAKilledRunIsClosed(t *testing.T) {
	fs := afero.NewMemMapFs()
	f := open(t, fs)
	killed := &record.Summary{
		RunID: "one", Started: now, Hits: record.Hits{Planned: 10, Accepted: 4, Shed: 1}, InFlight: 2, OpenVisits: 3, NextVisit: 200,
		ByKind:   map[string]record.Hits{"pageview": {Planned: 10, Accepted: 4, Shed: 1}},
		ByTarget: map[string]record.Hits{"matomo": {Planned: 10, Accepted: 4, Shed: 1}},
		Account:  record.Account{Visits: record.Visits{Planned: 5, Complete: 2}}, InFlightByKind: map[string]uint64{"pageview": 2}, InFlightByTarget: map[string]uint64{"matomo": 2},
	}
	if err := f.Save(killed); err != nil {
		t.Fatal(err)
	}
	next, closed, err := f.Resume("two", now.Add(time.Minute))
	if err != nil || next != 0 || len(closed) != 1 || closed[0] != "one" {
		t.Fatalf("next %d, closed %v, %v", next, closed, err)
	}
	got := read(t, fs, "/state/one.json")
	for _, want := range []string{`"reason": "killed"`, `"unknown": 2`, `"abandoned": 3`, `"uncertain": 198`, `"planned": 200`, `"in_flight": 0`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	if strings.Count(got, `"abandoned": 3`) != 3 {
		t.Errorf("the kinds and targets do not add up: %s", got)
	}
	if _, closed, err = f.Resume("three", now); err != nil || len(closed) != 0 {
		t.Errorf("closed again: %v, %v", closed, err)
	}
}

func TestTheSameRunGoesOnBeyondItsReservedVisits(t *testing.T) {
	fs := afero.NewMemMapFs()
	f := open(t, fs)
	if err := f.Save(&record.Summary{RunID: "one", Started: now, NextVisit: 200}); err != nil {
		t.Fatal(err)
	}
	next, _, err := f.Resume("one", now.Add(time.Minute))
	if err != nil || next != 200 {
		t.Fatalf("next %d, %v", next, err)
	}
	if kept := read(t, fs, "/state/one.20261123T120000.json"); !strings.Contains(kept, `"reason": "killed"`) {
		t.Errorf("kept %s", kept)
	}
}

func TestTheCapIsKept(t *testing.T) {
	fs := afero.NewMemMapFs()
	want := engine.CapState{WindowStart: now, Reserved: 7}
	if err := open(t, fs).SaveCap(want); err != nil {
		t.Fatal(err)
	}
	if got, err := open(t, fs).Cap(); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if err := afero.WriteFile(fs, "/state/daily.cap.json", []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, fs).Cap(); err == nil || !strings.Contains(err.Error(), "/state/daily.cap.json: unexpected end of JSON input; move it away to begin anew") {
		t.Errorf("a broken file: %v", err)
	}
}

func TestAFolderThatCannotBeWrittenIsRefused(t *testing.T) {
	if _, err := state.Open(afero.NewReadOnlyFs(afero.NewMemMapFs()), "/state"); err == nil {
		t.Error("it is opened")
	}
	f, err := state.Open(afero.NewMemMapFs(), "")
	if err != nil || f.Save(&record.Summary{RunID: "x"}) != nil {
		t.Errorf("no folder keeps nothing: %v", err)
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
	if err := state.Probe(shared{afero.NewOsFs()}, dir); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}
