package reconcile_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/reconcile"
	"github.com/puttrix/trafficinator/controller/internal/reconcile/comparison"
	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/target"
)

const tracker = "https://matomo.test/matomo.php"

// book keeps one run in memory.
type book struct {
	run    record.Run
	proofs map[record.Document]json.RawMessage
	files  map[string][]byte
}

func (b *book) Run(_ context.Context, id string) (record.Run, error) {
	if id != b.run.ID {
		return record.Run{}, store.ErrNotFound
	}
	return b.run, nil
}
func (b *book) SaveFigures(_ context.Context, _ string, kind record.Document, body json.RawMessage) error {
	b.proofs[kind] = body
	return nil
}
func (b *book) KeptFiles(context.Context, string) (map[string][]byte, error) { return b.files, nil }
func (b *book) Figures(_ context.Context, _ string, kind record.Document) (json.RawMessage, error) {
	if body, ok := b.proofs[kind]; ok {
		return body, nil
	}
	return nil, store.ErrNotFound
}

// keeper keeps the run of ended, sent to site 1 of tracker, for which there is a token.
func keeper(t *testing.T, m *shows, ledger *runsummary.Summary) (*reconcile.Service, *book) {
	t.Helper()
	return keeperOf(t, m, ledger, []target.Target{
		{Name: "matomo", URL: tracker, SiteID: 1, Token: "t", Enabled: true},
		{Name: "other", URL: tracker, SiteID: 2, Token: "t", Enabled: true},
	})
}

// keeperOf is keeper with other saved targets.
func keeperOf(t *testing.T, m *shows, ledger *runsummary.Summary, saved []target.Target) (*reconcile.Service, *book) {
	t.Helper()
	b := &book{
		run: record.Run{Head: record.Head{ID: "r1"}, Config: map[string]string{"MATOMO_URL": tracker,
			"MATOMO_SITE_ID": "1", "TIMEZONE": "Europe/Berlin"}},
		proofs: map[record.Document]json.RawMessage{},
	}
	k := reconcile.New(reconcile.Config{
		Matomo: m, Store: b, Log: slog.New(slog.DiscardHandler),
		Ledger: func(string) (*runsummary.Summary, error) {
			if ledger == nil {
				return nil, fs.ErrNotExist
			}
			return ledger, nil
		},
		Readers: func(context.Context) ([]target.Target, error) { return saved, nil },
	})
	t.Cleanup(func() { _ = k.Tasks.Stop() })
	return k, b
}

// sentTo is the ledger of ended, sent to tracker.
func sentTo() *runsummary.Summary {
	s := ended().Summary
	at := s.Targets["matomo"]
	at.URL, at.SiteID = tracker, 1
	s.Targets["matomo"] = at
	return &s
}

func TestAReconciliationIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &shows{report: always(shown(visits, pages)), lately: holds(visits, pages)}
		k, _ := keeper(t, m, sentTo())
		if r, err := k.Status(t.Context(), "r1"); err != nil || r.State != "none" {
			t.Errorf("before: %+v, %v", r, err)
		}
		if _, err := k.Status(t.Context(), "r2"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("of a run that never began: %v", err)
		}
		if r, err := k.Start(t.Context(), "r1",
			reconcile.Options{Every: time.Second, Limit: time.Minute}); err != nil ||
			r.State != "waiting" ||
			r.Targets == nil {
			t.Fatalf("%+v, %v", r, err)
		}
		synctest.Wait()
		if r, err := k.Status(
			t.Context(),
			"r1",
		); err != nil || r.State != "done" ||
			r.Verdict != comparison.MatchEqual ||
			len(r.Targets) != 1 {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

func TestAReconciliationCanBeGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, b := keeper(t, &shows{report: always(shown(0, 0)), lately: holds(visits, pages)}, sentTo())
		for range 2 { // the second time it goes on already
			if _, err := k.Start(t.Context(), "r1",
				reconcile.Options{Every: time.Second, Limit: time.Hour}); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		k.Cancel("r1")
		synctest.Wait()
		if r, err := k.Status(t.Context(), "r1"); err != nil || r.State != "none" || len(b.proofs) > 0 {
			t.Errorf("%+v, %v, %v", r, err, b.proofs)
		}
	})
}

func TestWhatCannotBeReconciledIsTold(t *testing.T) {
	k, _ := keeper(t, &shows{}, nil)
	if _, err := k.Start(t.Context(), "r1", reconcile.Options{}); !errors.Is(err, reconcile.ErrNoLedger) {
		t.Errorf("without a ledger: %v", err)
	}
	moved := sentTo()
	at := moved.Targets["matomo"]
	at.URL = "https://elsewhere.test/matomo.php"
	moved.Targets["matomo"] = at
	k, _ = keeper(t, &shows{}, moved)
	if _, err := k.Start(t.Context(), "r1", reconcile.Options{}); !errors.Is(err, reconcile.ErrNoTarget) {
		t.Errorf("without a target: %v", err)
	}
	if _, err := k.Start(t.Context(), "r2", reconcile.Options{}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("without a run: %v", err)
	}
}

func TestSitesAreLookedAtBeforeARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &shows{report: always(shown(300, 900)), lately: holds(0, 0)}
		k, b := keeper(t, m, sentTo())
		k.TakeBaseline(t.Context(), "r1")
		var seen map[string]reconcile.Before
		if err := json.Unmarshal(b.proofs[record.Baseline], &seen); err != nil || len(seen) != 1 || len(m.asked) == 0 {
			t.Fatalf("%s, %v: only the run's own site is to be asked", b.proofs[record.Baseline], err)
		}
		r, err := k.Load(t.Context(), "r1")
		if err != nil || len(r.Before) != 1 {
			t.Errorf("%+v, %v", r.Before, err)
		}
	})
}

func TestARunThatGoesOnUnderItsIDKeepsTheFirstLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &shows{report: always(shown(300, 900)), lately: holds(0, 0)}
		k, b := keeper(t, m, sentTo())
		k.TakeBaseline(t.Context(), "r1")
		first := string(b.proofs[record.Baseline])
		m.report = always(shown(800, 2400)) // its own visits are among them
		k.TakeBaseline(t.Context(), "r1")
		if got := string(b.proofs[record.Baseline]); first == "" || got != first {
			t.Errorf("it began with %s, and is now said to have begun with %s", first, got)
		}
	})
}

func TestARunWhoseLoadgenWasKilledIsNotFollowedForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sentTo()
		s.Ended, s.Reason = time.Time{}, ""
		at := s.Targets["matomo"]
		at.ByKind["pageview"] = runsummary.Hits{Planned: pages, Accepted: pages - 100}
		s.Targets["matomo"] = at
		k, b := keeper(t, &shows{report: always(shown(visits, pages-60)), lately: holds(visits, pages-60)}, s)
		b.run.Ended, b.run.Reason = new(time.Now()), "crashed"
		if _, err := k.Start(t.Context(), "r1", reconcile.Options{Every: time.Second, Limit: time.Minute}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		r, err := k.Status(t.Context(), "r1")
		if err != nil || r.State != "done" || r.Verdict != comparison.MatchEqual ||
			row(t, r, "pageviews").Most != pages {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

func TestBeginAndEndAreWrittenIntoTheGraph(t *testing.T) {
	m := &shows{site: matomo.Site{Timezone: "Europe/Berlin"}}
	k, _ := keeper(t, m, sentTo())
	got, err := k.Annotate(t.Context(), "r1")
	if err != nil || len(got) != 1 || len(m.notes) != 2 {
		t.Fatalf("%+v, %v, %q", got, err, m.notes)
	}
	if !strings.Contains(m.notes[0], "r1 begins") || !strings.Contains(m.notes[1], "10000 visits") {
		t.Errorf("%q", m.notes)
	}
}

func TestNotesStandOnTheDayOfASiteWithAnOffset(t *testing.T) {
	for zone, day := range map[string]string{"UTC+14": "2026-06-02", "UTC-9.5": "2026-06-01"} {
		m := &shows{site: matomo.Site{Timezone: zone}}
		ledger := sentTo()
		ledger.Started = time.Date(2026, 6, 1, 20, 0, 0, 0, time.UTC)
		k, _ := keeper(t, m, ledger)
		if _, err := k.Annotate(t.Context(), "r1"); err != nil || len(m.notes) == 0 ||
			!strings.HasPrefix(m.notes[0], day) {
			t.Errorf("%s: %q, %v", zone, m.notes, err)
		}
	}
}
