package summaries_test

import (
	"errors"
	"io/fs"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/summaries"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

func TestLivesOfARestartedRunAreAddedUp(t *testing.T) {
	fsys := afero.NewMemMapFs()
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	keep := func(name string, started time.Time, accepted uint64) {
		s := runsummary.Summary{
			RunID:   "r",
			Started: started,
			Hits:    runsummary.Hits{Planned: accepted, Accepted: accepted},
		}
		data, err := s.Encode()
		if err == nil {
			err = afero.WriteFile(fsys, "state/"+name, data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	reader := summaries.New(fsys, "state")
	read := func() runsummary.Summary {
		s, err := reader.Read("r")
		if err != nil {
			t.Fatal(err)
		}
		return *s
	}
	keep("r.json", start, 10)
	if s := read(); s.Hits.Accepted != 10 {
		t.Errorf("of one life: %+v", s.Hits)
	}
	keep("r.20260301T120000.json", start, 10) // it starts again, and has not written a ledger of its own yet
	if s := read(); s.Hits.Accepted != 10 {
		t.Errorf("between two lives: %+v", s.Hits)
	}
	keep("ended/2026-03/r.json", start.Add(time.Minute), 7)
	if err := fsys.Remove("state/r.json"); err != nil {
		t.Fatal(err)
	}
	keep("other.json", start, 99)
	if s := read(); s.Hits.Accepted != 17 || !s.Started.Equal(start) {
		t.Errorf("of two lives: %+v, from %s", s.Hits, s.Started)
	}
}

func TestMissingAndDamagedLedgersAreDistinguished(t *testing.T) {
	fsys := afero.NewMemMapFs()
	for name, text := range map[string]string{"damaged.json": "{", "empty.json": ""} {
		if err := afero.WriteFile(fsys, "state/"+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := summaries.New(fsys, "state")
	for id, missing := range map[string]bool{"none": true, "empty": true, "damaged": false} {
		if s, err := r.Read(id); s != nil || err == nil || errors.Is(err, fs.ErrNotExist) != missing {
			t.Errorf("%s: %v, %v", id, s, err)
		}
	}
	if there, err := r.Has("none"); there || err != nil {
		t.Errorf("none: %t, %v", there, err)
	}
}

func TestCloseKilledDoesNotChangeTheCachedLedger(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	open := &runsummary.Summary{RunID: "r", Started: start, Targets: map[string]runsummary.Target{
		"t": {ByKind: map[string]runsummary.Hits{"pageview": {Planned: 3, Accepted: 1}}}}}
	closed := summaries.CloseKilled(open, start.Add(time.Minute))
	if got := closed.Targets["t"].ByKind["pageview"].Unknown; got != 2 || closed.Ended.IsZero() {
		t.Errorf("closed: %d unknown, ended %s", got, closed.Ended)
	}
	if got := open.Targets["t"].ByKind["pageview"].Unknown; got != 0 || !open.Ended.IsZero() {
		t.Errorf("want the open ledger unchanged, got %d unknown, ended %s", got, open.Ended)
	}
}
