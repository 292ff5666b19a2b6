package setup_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/shared/exchange"
)

func TestPendingNamesEveryKnobAndFileThatDiffers(t *testing.T) {
	b := newBench(t)
	b.configure(t, map[string]any{"MATOMO_URL": url, "MATOMO_TOKEN_AUTH": token,
		"MATOMO_READ_TOKEN": "only-to-read-with", "CONCURRENCY": 7.0})
	if p, err := b.PendingChanges(t.Context()); err != nil || len(p) != 0 {
		t.Errorf("before any start: %v, %v", p, err)
	}
	_, err := b.Start(t.Context(), nil, drawn)
	must(t, err)
	if p, err := b.PendingChanges(t.Context()); err != nil || len(p) != 0 {
		t.Errorf("after a start: %v, %v", p, err)
	}
	b.configure(t, map[string]any{"CONCURRENCY": nil, "MATOMO_TOKEN_AUTH": "fedcba9876543210fedcba9876543210",
		"PAGEVIEWS_MAX": 6.0, "RUN_SEED": 5.0})
	_, err = b.library.SaveURLs(t.Context(), []byte(pages))
	must(t, err)
	_, err = b.library.SaveEvents(t.Context(), []byte(`{"click_events":[{"category":"c","action":"a","name":"n"}]}`))
	must(t, err)
	must(t, b.Publish(t.Context()))
	p, err := b.PendingChanges(t.Context())
	must(t, err)
	want := []plan.Difference{
		{Name: "MATOMO_TOKEN_AUTH", Saved: "changed"},
		{Name: "CONCURRENCY", Running: "7", Saved: "50"},
		{Name: "RUN_SEED", Running: "7", Saved: "5"},
		{Name: exchange.URLsFile, Running: "built in", Saved: "2 pages"},
		{Name: exchange.EventsFile, Running: "built in", Saved: "1 event"},
	}
	if !slices.Equal(p, want) {
		t.Errorf("got  %+v\nwant %+v", p, want)
	}
}

func TestValuesThatMeanTheSameAreNoPendingChange(t *testing.T) {
	b := newBench(t)
	b.configure(t, map[string]any{"MATOMO_URL": url})
	_, err := b.Start(t.Context(), nil, drawn)
	must(t, err)
	b.configure(t, map[string]any{"MATOMO_URL": url, "VISIT_DURATION_MIN": "1.0", "OUTLINKS_PROBABILITY": .1,
		"CONCURRENCY": 50.0, "TLS_VERIFY": "yes"})
	must(t, b.Publish(t.Context()))
	if p, err := b.PendingChanges(t.Context()); err != nil || len(p) != 0 {
		t.Errorf("%+v, %v", p, err)
	}
	b.configure(t, map[string]any{"MATOMO_URL": url, "VISIT_DURATION_MIN": 2.0, "SEND_MODE": "bulk",
		"CONCURRENCY": nil})
	must(t, b.Publish(t.Context()))
	p, err := b.PendingChanges(t.Context())
	must(t, err)
	if want := []plan.Difference{
		{Name: "CONCURRENCY", Running: "50", Saved: "8"}, {Name: "SEND_MODE", Running: "single", Saved: "bulk"},
		{Name: "VISIT_DURATION_MIN", Running: "1", Saved: "2"},
	}; !slices.Equal(p, want) {
		t.Errorf("got  %+v\nwant %+v", p, want)
	}
}

func BenchmarkPendingWithFiftyThousandPages(b *testing.B) {
	p, err := open(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer p.store.Close() //nolint:errcheck // a benchmark
	_, err = p.library.MergeConfig(b.Context(), map[string]any{"MATOMO_URL": url}, 0)
	_, err2 := p.Start(b.Context(), nil, drawn)
	_, err3 := p.library.SaveURLs(b.Context(),
		[]byte(strings.Repeat("https://shop.test/category/sub/a-long-enough-page\tA page\n", 50_000)))
	if err := errors.Join(err, err2, err3, p.Publish(b.Context())); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if d, err := p.PendingChanges(b.Context()); err != nil || len(d) != 1 || d[0].Saved != "50000 pages" {
			b.Fatal(d, err)
		}
	}
}
