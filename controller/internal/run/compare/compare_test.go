package compare_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/run/compare"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// run returns a run of a minute with n accepted hits in n/5 visits and latencies around ms milliseconds.
func run(id string, n uint64, ms float64) compare.Run {
	random := rand.New(rand.NewPCG(1, n))
	h := hdrhistogram.New(1, 600e6, 3)
	for range n {
		_ = h.RecordValue(int64(1e3 * ms * (1 + .1*random.NormFloat64()))) // in range
	}
	text, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		panic(err) // it is a histogram
	}
	at := func(q float64) float64 { return float64(h.ValueAtQuantile(q)) / 1e6 }
	hits := runsummary.Hits{Planned: n, Accepted: n}
	s := &runsummary.Summary{
		Hits:     hits,
		ByKind:   map[string]runsummary.Hits{"pageview": hits},
		ByTarget: map[string]runsummary.Hits{"a": hits},
		Due:      n / 5,
		Latency:  runsummary.Latency{P50: at(50), P95: at(95), P99: at(99)},
		Targets:  map[string]runsummary.Target{"a": {Histogram: string(text)}},
	}
	s.Visits = runsummary.Visits{Planned: n / 5, Complete: n / 5}
	return compare.Run{
		Run: record.Run{
			Head:   record.Head{ID: id, Seed: 7, Reason: "stop_after_visits", Ended: new(time.Now())},
			Config: map[string]string{"STOP_AFTER_VISITS": "200", "RUN_ID": id}, Summary: s,
		},
		Files:  map[string]string{"loadgen.env": id, "urls.txt": "x"},
		Length: time.Minute,
	}
}

// flagged returns the numbers that differ beyond noise.
func flagged(r compare.Result) string {
	var names []string
	for _, row := range r.Rows {
		if row.BeyondNoise {
			names = append(names, row.Group+"/"+row.Name)
		}
	}
	return strings.Join(names, " ")
}

func find(t *testing.T, r compare.Result, group, name string) compare.Row {
	t.Helper()
	for _, row := range r.Rows {
		if row.Group == group && row.Name == name {
			return row
		}
	}
	t.Fatalf("%s/%s is missing", group, name)
	return compare.Row{}
}

func TestEqualRunsDoNotDiffer(t *testing.T) {
	t.Parallel()
	r := compare.Runs(run("a", 1000, 20), run("b", 1000, 20))
	if r.Same != (compare.Same{Seed: true, Config: true, Files: true}) ||
		len(r.Settings)+len(r.Files)+len(r.Notes) > 0 {
		t.Errorf("want no differences, got %+v", r)
	}
	for _, row := range r.Rows {
		if *row.Difference != 0 || row.BeyondNoise || row.Why != "" {
			t.Errorf("%+v", row)
		}
	}
}

func TestSlowerServerChangesOnlyLatencies(t *testing.T) {
	t.Parallel()
	slow := run("b", 1000, 70)
	slow.Config["MATOMO_URL"] = "https://slow.test/matomo.php"
	r := compare.Runs(run("a", 1000, 20), slow)
	if got := flagged(r); got != "latency/p50 latency/p95 latency/p99" {
		t.Errorf("flagged %q", got)
	}
	if r.Same.Config || len(r.Settings) != 1 ||
		r.Settings[0] != (compare.Setting{Key: "MATOMO_URL", B: "https://slow.test/matomo.php"}) {
		t.Errorf("want the address to differ, got %+v", r.Settings)
	}
	if d := find(t, r, "latency", "p50").Difference; *d < .045 || *d > .055 {
		t.Errorf("want 50 ms, got %v", *d)
	}
}

func TestLatenciesOfOneServerDoNotDiffer(t *testing.T) {
	t.Parallel()
	for _, ms := range []float64{20.2, 20.8} { // within noise, and within the difference of machines
		if got := flagged(compare.Runs(run("a", 1000, 20), run("b", 1000, ms))); got != "" {
			t.Errorf("%v ms: flagged %q", ms, got)
		}
	}
	few, fewer := run("a", 10, 20), run("b", 10, 22)
	if got := flagged(compare.Runs(few, fewer)); got != "" {
		t.Errorf("want no difference for ten hits, got %q", got)
	}
}

func TestAnyDifferenceOfTheSamePlanIsReal(t *testing.T) {
	t.Parallel()
	a, b := run("a", 1000, 20), run("b", 1000, 20)
	b.Summary.Hits.Planned, b.Summary.Hits.Unknown = 1001, 1
	r := compare.Runs(a, b)
	if row := find(t, r, "hits", "planned"); !row.BeyondNoise || !strings.Contains(row.Why, "same") {
		t.Errorf("%+v", row)
	}
	if row := find(t, r, "hits", "unknown"); row.BeyondNoise || row.Share != nil || *row.Difference != 1 {
		t.Errorf("want one unknown hit of a thousand to be noise: %+v", row)
	}
	b.Config["PAGEVIEWS_MIN"] = "5"
	r = compare.Runs(a, b)
	if row := find(t, r, "hits", "planned"); row.BeyondNoise {
		t.Errorf("want one hit of a thousand of another plan to be noise: %+v", row)
	}
	if len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "seed") {
		t.Errorf("want a note on the seed, got %q", r.Notes)
	}
}

func TestRunThatWasStoppedManuallyIsJudgedByItsRates(t *testing.T) {
	t.Parallel()
	b := run("b", 500, 20)
	b.Length, b.Reason = 30*time.Second, "interrupted"
	r := compare.Runs(run("a", 1000, 20), b)
	if got := flagged(r); got != "" {
		t.Errorf("want no difference for half of it in half the time, got %q", got)
	}
	if row := find(t, r, "visits", "planned"); *row.Difference != -100 ||
		!strings.Contains(row.Why, "b was stopped manually after 30s") {
		t.Errorf("want the reason, got %+v", row)
	}
	steered := run("b", 500, 20)
	steered.Steered, steered.Length = true, 30*time.Second
	if r := compare.Runs(run("a", 1000, 20), steered); flagged(r) != "" ||
		!strings.Contains(find(t, r, "hits", "planned").Why, "b was paused") {
		t.Errorf("want a steered run to be judged by its rates, got %q", flagged(r))
	}
	b.Length = 50 * time.Second
	if got := flagged(compare.Runs(run("a", 1000, 20), b)); !strings.Contains(got, "hits/planned") ||
		!strings.Contains(got, "rates/hit_rate") {
		t.Errorf("want a difference for half of it in five sixths of the time, got %q", got)
	}
}

func TestMoreErrorsThanNoiseAreFlagged(t *testing.T) {
	t.Parallel()
	a, b := run("a", 1000, 20), run("b", 1000, 20)
	b.Summary.Hits.Accepted, b.Summary.Hits.Rejected = 970, 30
	if got := flagged(compare.Runs(a, b)); got != "hits/accepted hits/rejected shares/error_share" {
		t.Errorf("flagged %q", got)
	}
}

func TestFilesAndDefaultsAreCompared(t *testing.T) {
	t.Parallel()
	a, b := run("a", 10, 20), run("b", 10, 20)
	a.Config["CONCURRENCY"], a.Config["VISIT_DURATION_MIN"] = "50", "1.0" // the defaults
	b.Files = map[string]string{"urls.txt": "y", "events.json": "z"}
	b.Summary = nil
	r := compare.Runs(a, b)
	if !r.Same.Config || r.Same.Files || len(r.Files) != 2 ||
		r.Files[1] != (compare.File{Name: "urls.txt", A: "x", B: "y"}) {
		t.Errorf("%+v", r)
	}
	if len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "b has no run summary") || len(r.Rows) != 0 {
		t.Errorf("%+v", r)
	}
}
