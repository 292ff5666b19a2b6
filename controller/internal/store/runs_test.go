package store_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

func TestARunOfAnOlderVersionHasNothingOfWhatIsNew(t *testing.T) {
	data, err := os.ReadFile(old)
	must(t, err)
	path := filepath.Join(t.TempDir(), "db")
	must(t, os.WriteFile(path, data, 0o600))
	s := open(t, path)
	r, err := s.Run(t.Context(), "r1")
	if err != nil || r.Note != "" || len(r.Labels) != 0 || len(r.Problems) != 0 || r.ExitCode != nil {
		t.Errorf("%+v, %v", r, err)
	}
	if files, err := s.RunFiles(t.Context(), "r1"); err != nil || len(files) != 0 {
		t.Errorf("%v, %v", files, err)
	}
}

func TestAPersonsWordsOnARunStayWhereItGoesOn(t *testing.T) {
	s := open(t, temp(t))
	ctx := t.Context()
	must(t, s.BeginRun(ctx, record.Run{Head: record.Head{ID: "r", Kind: runsummary.Live, Started: noon,
		Note: "first"}}))
	note := "second"
	must(t, s.DescribeRun(ctx, "r", &note, []string{"a", "b"}))
	code := 4
	must(t, s.EndRun(ctx, record.Run{
		Head: record.Head{ID: "r", Kind: runsummary.CapacitySearch, Ended: new(noon), Reason: "error_brake",
			ExitCode: &code},
		Summary: &runsummary.Summary{}, Problems: []record.Problem{{Text: "1"}},
	}))
	r, err := s.Run(ctx, "r")
	if err != nil || r.Note != "second" || strings.Join(r.Labels, "") != "ab" || r.Kind != runsummary.CapacitySearch ||
		*r.ExitCode != 4 || len(r.Problems) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	must(t, s.BeginRun(ctx, record.Run{Head: record.Head{ID: "r", Kind: runsummary.Live, Started: noon,
		Note: "third"}}))
	r, err = s.Run(ctx, "r")
	if err != nil || r.Note != "second" || len(r.Labels) != 2 || r.ExitCode != nil || r.Summary != nil ||
		len(r.Problems) != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if err := s.DescribeRun(ctx, "none", &note, nil); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestFilesOfRunsAreKeptOnceAndSealed(t *testing.T) {
	path := temp(t)
	s := open(t, path)
	ctx := t.Context()
	const words = "nobody but us reads this"
	for _, id := range []string{"one", "two"} {
		must(t, s.BeginRun(ctx, record.Run{Head: record.Head{ID: id, Kind: runsummary.Live, Started: noon}}))
		must(t, s.KeepFiles(ctx, id, map[string][]byte{"urls.txt": []byte(words), "of-" + id: []byte(id)}))
	}
	must(t, s.KeepFiles(ctx, "two", map[string][]byte{"urls.txt": []byte(words)}))
	one, err := s.RunFiles(ctx, "one")
	two, err2 := s.RunFiles(ctx, "two")
	if err := errors.Join(err, err2); err != nil || len(one) != 2 || len(two) != 1 || one[1] != two[0] ||
		len(two[0].Hash) != 64 {
		t.Errorf("equal files have one hash, and the last files count: %v, %v, %v", one, two, err)
	}
	files, err := s.KeptFiles(ctx, "two")
	if err != nil || string(files["urls.txt"]) != words {
		t.Errorf("%v, %v", files, err)
	}
	for _, name := range []string{path, path + "-wal"} {
		if data, err := os.ReadFile(name); err == nil && strings.Contains(string(data), words) {
			t.Errorf("%s tells what is sealed", name)
		}
	}
}

func TestADeletedRunComesBackForADayAndIsThenPurged(t *testing.T) {
	now := noon
	path := temp(t)
	s, err := store.Open(t.Context(), afero.NewOsFs(), path, key, func() time.Time { return now })
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	ctx := t.Context()
	for _, id := range []string{"one", "two"} {
		must(t, s.BeginRun(ctx, record.Run{Head: record.Head{ID: id, Kind: runsummary.Live, Started: noon}}))
		must(t, s.KeepFiles(ctx, id, map[string][]byte{id: []byte(id)}))
		must(t, s.SaveInterval(ctx, id, record.Interval{At: noon, Body: []byte("{}")}))
	}
	if err := s.DeleteRun(ctx, "one", true); !errors.Is(err, store.ErrOpen) {
		t.Errorf("a run that goes on stays: %v", err)
	}
	for _, id := range []string{"one", "two"} {
		must(t, s.EndRun(ctx, record.Run{Head: record.Head{ID: id, Kind: runsummary.Live, Ended: new(noon)}}))
	}
	must(t, s.DeleteRun(ctx, "one", false))
	must(t, s.RestoreRun(ctx, "one"))
	if m, err := s.Intervals(ctx, "one"); err != nil || len(m) != 1 {
		t.Errorf("it should come back whole: %v, %v", m, err)
	}
	must(t, s.DeleteRun(ctx, "one", false))
	now = now.Add(25 * time.Hour)
	must(t, s.DeleteRun(ctx, "two", false))
	runs, err := s.Purgeable(ctx)
	if err != nil || len(runs) != 1 || !runs["one"].Equal(noon) {
		t.Errorf("want the one of a day ago and when it was deleted: %v, %v", runs, err)
	}
	must(t, s.Purge(ctx, runs))
	if err := s.RestoreRun(ctx, "one"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("after a day it is gone: %v", err)
	}
	if m, err := s.Intervals(ctx, "one"); err != nil || len(m) != 0 {
		t.Errorf("with all it had: %v, %v", m, err)
	}
	must(t, s.RestoreRun(ctx, "two"))
	if files, err := s.KeptFiles(ctx, "two"); err != nil || len(files) != 1 {
		t.Errorf("the other one has its files: %v, %v", files, err)
	}
}

func TestAViewReadsBesideTheControllerAndMakesNothing(t *testing.T) {
	path := temp(t)
	s := open(t, path)
	must(t, fill(t.Context(), s))
	v, err := store.OpenReadOnly(t.Context(), afero.NewOsFs(), path)
	must(t, err)
	t.Cleanup(func() { must(t, v.Close()) })
	later := record.Head{ID: "later", Kind: runsummary.Live, Started: noon.Add(time.Hour)}
	must(t, s.BeginRun(t.Context(), record.Run{Head: later}))
	if runs, err := v.Runs(t.Context(), record.Query{}); err != nil || len(runs) != 2 || runs[0].ID != "later" {
		t.Errorf("%+v, %v", runs, err)
	}
	none := filepath.Join(t.TempDir(), "db")
	if _, err := store.OpenReadOnly(t.Context(), afero.NewOsFs(), none); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	data, err := os.ReadFile(old)
	must(t, err)
	must(t, os.WriteFile(none, data, 0o600))
	if _, err := store.OpenReadOnly(t.Context(), afero.NewOsFs(), none); !errors.Is(err, store.ErrOlder) {
		t.Errorf("got %v", err)
	}
}

func TestARunWhoseEndNobodyRecordedCanBeDeleted(t *testing.T) {
	s := open(t, temp(t))
	ctx := t.Context()
	must(t, s.BeginRun(ctx, record.Run{Head: record.Head{ID: "stuck", Kind: runsummary.Live, Started: noon}}))
	must(t, s.DeleteRun(ctx, "stuck", false))
	must(t, s.RestoreRun(ctx, "stuck"))
	if r, err := s.Run(ctx, "stuck"); err != nil || r.Open() || r.Reason != "killed" {
		t.Errorf("it should come back ended: %+v, %v", r, err)
	}
}

func TestAClockThatIsSetBackDoesNotChangeWhichRunWasLast(t *testing.T) {
	s := open(t, temp(t))
	ctx := t.Context()
	must(t, s.BeginRun(ctx, record.Run{Head: record.Head{ID: "a", Kind: runsummary.Live, Started: noon}}))
	must(t, s.BeginRun(ctx, record.Run{Head: record.Head{ID: "b", Kind: runsummary.Live,
		Started: noon.Add(-time.Hour)}}))
	runs, err := s.Runs(ctx, record.Query{Limit: 1})
	if err != nil || len(runs) != 1 || runs[0].ID != "b" {
		t.Errorf("%+v, %v", runs, err)
	}
}

func TestADamagedRunHidesNoOther(t *testing.T) {
	for _, text := range []string{"", "{", "not JSON", "3", `[1]`, `{"A": 1, "B": {}}`} {
		s := open(t, temp(t))
		ctx := t.Context()
		for _, id := range []string{"whole", "damaged"} {
			must(t, s.BeginRun(ctx, record.Run{Head: record.Head{ID: id, Kind: runsummary.Live, Started: noon}}))
		}
		must(t, s.Damage(ctx, "damaged", text))
		runs, err := s.Runs(ctx, record.Query{})
		if err != nil || len(runs) != 2 {
			t.Errorf("%q: %d runs, %v", text, len(runs), err)
		}
		r, err := s.Run(ctx, "damaged")
		if err != nil || r.Config == nil || r.Labels == nil || r.Problems == nil {
			t.Errorf("%q: %+v, %v", text, r, err)
		}
	}
}
