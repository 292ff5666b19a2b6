package run_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/run"
	"github.com/puttrix/trafficinator/shared/record"
)

func TestARunThatWasStartedAgainIsReadWhole(t *testing.T) {
	fsys := afero.NewMemMapFs()
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	keep := func(name string, started time.Time, accepted uint64) {
		s := record.Summary{RunID: "r", Started: started, Hits: record.Hits{Planned: accepted, Accepted: accepted}}
		data, err := s.Encode()
		if err == nil {
			err = afero.WriteFile(fsys, "state/"+name, data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	read := func() record.Summary {
		data, err := run.Ledgers(fsys, "state")("r")
		var s record.Summary
		if err == nil {
			err = json.Unmarshal(data, &s)
		}
		if err != nil {
			t.Fatal(err)
		}
		return s
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
