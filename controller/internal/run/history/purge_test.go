package history_test

import (
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/run/history"
	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

func TestRunIsPurgedOnlyOnceItsLedgerIsListed(t *testing.T) {
	t.Parallel()
	ctx, now := t.Context(), time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	s, err := store.Open(ctx, afero.NewOsFs(), filepath.Join(t.TempDir(), "db"), store.Key{}, func() time.Time {
		return now
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // a test
	for _, err := range []error{
		s.BeginRun(ctx, record.Run{Head: record.Head{ID: "old", Kind: runsummary.Live, Started: now}}),
		s.DeleteRun(ctx, "old", false),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	var listed []map[string]time.Time
	full := errors.New("disk full")
	p := history.Purger{Store: s, Log: slog.New(slog.DiscardHandler), Delete: func(runs map[string]time.Time) error {
		listed = append(listed, runs)
		return full
	}}
	if err := p.Purge(ctx); err != nil || len(listed) > 0 {
		t.Errorf("want nothing purged for a day: %v, %v", err, listed)
	}
	deleted := now
	now = now.Add(25 * time.Hour)
	if err := p.Purge(ctx); !errors.Is(err, full) || len(listed) != 1 || !listed[0]["old"].Equal(deleted) {
		t.Errorf("%v, %v", err, listed)
	}
	if runs, err := s.Purgeable(ctx); err != nil || len(runs) != 1 {
		t.Errorf("want a retry: %v, %v", runs, err)
	}
	full = nil
	if err := p.Purge(ctx); err != nil {
		t.Error(err)
	}
	if err := s.RestoreRun(ctx, "old"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("want it gone, got %v", err)
	}
}
