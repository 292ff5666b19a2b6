package benchmark_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/benchmark"
	"github.com/puttrix/trafficinator/controller/internal/benchmark/timing"
	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/controller/internal/stored"
	"github.com/puttrix/trafficinator/shared/target"
)

// database tells what is saved.
type database struct {
	*store.Store
	saved chan timing.ReportBenchmark
}

// SaveBenchmark implements benchmark.Store.
func (d database) SaveBenchmark(ctx context.Context, b timing.ReportBenchmark) error {
	err := d.Store.SaveBenchmark(ctx, b)
	d.saved <- b
	return err
}

// kept returns a service on a real database, with s as the target of the configuration.
func kept(t *testing.T, s *site) (*benchmark.Service, database) {
	t.Helper()
	fsys, dir := afero.NewOsFs(), t.TempDir()
	opened, err := store.Open(t.Context(), fsys, filepath.Join(dir, "test.db"), store.NewKey(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	db := database{opened, make(chan timing.ReportBenchmark, 10)}
	k := benchmark.New(benchmark.Config{
		Matomo: benchmark.NewClient(benchmark.MaxTimeout, target.Environment{}), Store: db,
		Log:     slog.New(slog.DiscardHandler),
		Targets: opened.Targets,
		Single:  func(context.Context) (target.Target, error) { return s.Target, nil },
		Sending: func(context.Context) string { return "nightly" },
	})
	t.Cleanup(func() { _ = errors.Join(k.Tasks.Stop(), db.Close()) })
	return k, db
}

// pagesOf are pages of a target.
func pagesOf(name string) benchmark.Options {
	o := pages()
	o.Target = name
	return o
}

// measured runs a complete benchmark of a target.
func measured(t *testing.T, k *benchmark.Service, db database, asked string) timing.ReportBenchmark {
	t.Helper()
	b, err := k.Start(t.Context(), pagesOf(asked))
	if err != nil {
		t.Fatal(err)
	}
	saved := <-db.saved
	if saved.ID != b.ID || saved.Target != b.Target {
		t.Fatalf("%+v was begun, %+v saved", b, saved)
	}
	return saved
}

func TestOneBenchmarkGoesOnAndIsKept(t *testing.T) {
	s := newSite(t)
	begun, on := make(chan struct{}, 100), make(chan struct{})
	s.answer = func(w http.ResponseWriter, _ *http.Request) {
		begun <- struct{}{}
		<-on
		_, _ = w.Write([]byte(`[]`))
	}
	k, db := kept(t, s)
	b, err := k.Start(t.Context(), pagesOf("matomo"))
	if err != nil || b.State != timing.BenchmarkRunning || b.Target != "matomo" || b.SiteID != 7 {
		t.Fatalf("%+v, %v", b, err)
	}
	<-begun
	if now, err := k.Benchmark(t.Context(), b.ID); err != nil || now.Ended != nil || now.Version != "5.2.0" &&
		now.Done > 0 {
		t.Errorf("%+v, %v", now, err)
	}
	if all, err := k.List(t.Context()); err != nil || len(all) != 1 || all[0].ID != b.ID {
		t.Errorf("%+v, %v", all, err)
	}
	if _, err := k.Start(t.Context(), pages()); !errors.Is(err, benchmark.ErrBusy) {
		t.Errorf("a second one: %v", err)
	}
	if _, err := k.SetBaseline(t.Context(), b.ID, true); err == nil {
		t.Error("one that goes on became a baseline")
	}
	close(on)
	<-db.saved
	got, err := db.Benchmark(t.Context(), b.ID)
	if err != nil || got.State != timing.BenchmarkDone || got.RunID != "nightly" || len(got.Results) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	_ = k.Tasks.Stop()
	if _, err := k.Start(t.Context(), pages()); err == nil {
		t.Error("one began while the controller ends")
	}
}

func TestTheEndOfTheControllerKeepsWhatWasMeasured(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *benchmark.Service, string){
		"by its end": func(*testing.T, *benchmark.Service, string) {},
		"by a cancel": func(t *testing.T, k *benchmark.Service, id string) {
			if cancelled, err := k.Remove(t.Context(), id); err != nil || !cancelled {
				t.Errorf("%v, %v", cancelled, err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			weeks := make(chan struct{}, 100)
			s.answer = func(w http.ResponseWriter, r *http.Request) {
				if r.PostForm.Get("period") == "week" {
					weeks <- struct{}{}
					<-r.Context().Done()
				}
				_, _ = w.Write([]byte(`[]`))
			}
			k, db := kept(t, s)
			o := pages()
			o.Periods = []string{"day", "week"}
			b, err := k.Start(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			<-weeks
			end(t, k, b.ID)
			_ = k.Tasks.Stop()
			got, err := db.Benchmark(t.Context(), b.ID)
			if err != nil || got.State != timing.BenchmarkCancelled || len(got.Results) != 1 {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

func TestASiteHasOneBaseline(t *testing.T) {
	k, db := kept(t, newSite(t))
	first, second := measured(t, k, db, ""), measured(t, k, db, "")
	if _, err := k.Compare(t.Context(), second.ID, ""); !errors.Is(err, benchmark.ErrNoBaseline) {
		t.Errorf("without one: %v", err)
	}
	for _, b := range []timing.ReportBenchmark{second, first} {
		if got, err := k.SetBaseline(t.Context(), b.ID, true); err != nil || !got.Baseline {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	all, err := k.List(t.Context())
	if err != nil || len(all) != 2 || all[0].ID != second.ID || all[0].Baseline || !all[1].Baseline {
		t.Fatalf("%+v, %v", all, err)
	}
	c, err := k.Compare(t.Context(), second.ID, "")
	if err != nil || c.Baseline != first.ID || len(c.Reports) != 1 || len(c.Conditions) != 0 {
		t.Errorf("%+v, %v", c, err)
	}
	if c, err = k.Compare(t.Context(), first.ID, second.ID); err != nil || c.Baseline != second.ID {
		t.Errorf("with another: %+v, %v", c, err)
	}
	if _, err := k.SetBaseline(t.Context(), first.ID, false); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Compare(t.Context(), second.ID, ""); !errors.Is(err, benchmark.ErrNoBaseline) {
		t.Errorf("once it is none: %v", err)
	}
}

func TestHistoryTellsAReportOfASite(t *testing.T) {
	s := newSite(t)
	k, db := kept(t, s)
	first, second := measured(t, k, db, ""), measured(t, k, db, "")
	key := first.Results[0].Key()
	h, err := k.History(t.Context(), s.URL, 7, key)
	if err != nil || len(h) != 2 || h[0].ID != first.ID || h[1].ID != second.ID || h[0].P50 == nil ||
		*h[0].P50 != first.Results[0].Warm.P50 {
		t.Errorf("%+v, %v", h, err)
	}
	week := key
	week.Period = "week"
	for name, ask := range map[string]func() ([]benchmark.Point, error){
		"site":   func() ([]benchmark.Point, error) { return k.History(t.Context(), s.URL, 8, key) },
		"report": func() ([]benchmark.Point, error) { return k.History(t.Context(), s.URL, 7, week) },
	} {
		if h, err := ask(); err != nil || len(h) != 0 {
			t.Errorf("of another %s: %+v, %v", name, h, err)
		}
	}
	if cancelled, err := k.Remove(t.Context(), first.ID); err != nil || cancelled {
		t.Errorf("%v, %v", cancelled, err)
	}
	if _, err := k.Benchmark(t.Context(), first.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

func TestTargetsAreFoundByNameAndNumber(t *testing.T) {
	s := newSite(t)
	k, db := kept(t, s)
	saved := s.Target
	saved.Name, saved.Enabled, saved.Weight = "shop", true, 1
	if _, err := db.SaveTarget(t.Context(), stored.Target{Target: saved}); err != nil {
		t.Fatal(err)
	}
	for asked, want := range map[string]string{"shop": "shop", "1": "shop", "matomo": "matomo", "": "matomo"} {
		if b := measured(t, k, db, asked); b.Target != want {
			t.Errorf("%q: %+v", asked, b)
		}
	}
	o := pages()
	o.Repeats = 0
	o.Target = "nowhere"
	_, err := k.Start(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), `target="nowhere"`) || !strings.Contains(err.Error(), "repeats") {
		t.Errorf("%v", err)
	}
}
