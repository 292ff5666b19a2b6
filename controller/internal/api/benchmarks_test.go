package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/controller/internal/benchmark/timing"
)

// saveBenchmark saves a benchmark whose report took this many seconds, unless it exists.
func (f *fixture) saveBenchmark(t *testing.T, id string, took float64) {
	t.Helper()
	if _, err := f.store.Benchmark(t.Context(), id); err == nil {
		return
	}
	visits, end := uint64(10), noon
	b := timing.ReportBenchmark{
		ID: id, Target: "matomo", URL: "https://m.example.test/matomo.php", SiteID: 1, Began: noon, Ended: &end,
		State: timing.BenchmarkDone,
		Done:  4, Planned: 4, Repeats: 3, Parallel: 1, Version: "5.2.0", Visits: &visits, Date: "2026-02-28",
		Skipped: []timing.SkippedReport{{Report: "Goals, day", Why: "none"}},
		Results: []timing.ReportTiming{{
			Report: "Page titles", Method: "Actions.getPageTitles", Period: "day", Cold: &took, Rows: 3, Bytes: 100,
			Warm: timing.Spread{Requests: 3, P50: took, P95: took, Max: took, Times: []float64{took, took, took}},
		}},
	}
	if err := f.store.SaveBenchmark(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

func TestOnlyOneBenchmarkRunsAtATime(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	on := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		<-on
		w.WriteHeader(http.StatusForbidden)
	}))
	t.Cleanup(server.Close)
	const path = "/api/benchmarks"
	if got := f.ask(
		"POST",
		path,
		`{"repeats":0,"periods":["decade"],"reports":["none"],"date":"soon"}`,
	); got.Code != http.StatusUnprocessableEntity ||
		!strings.Contains(got.Body.String(), "periods") ||
		!strings.Contains(got.Body.String(), "date") ||
		!strings.Contains(got.Body.String(), "MATOMO_URL") {
		t.Errorf("faults: %d %s", got.Code, got.Body)
	}
	f.ask("POST", "/api/targets", `{"name":"shop","url":"`+server.URL+`/matomo.php","site_id":1}`)
	got := f.ask("POST", path, `{"target":"shop","periods":["day"]}`)
	id, _ := got.object(t)["id"].(string)
	if got.Code != http.StatusAccepted || id == "" {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	if got := f.ask("POST", path, `{"target":"shop"}`); got.Code != http.StatusConflict {
		t.Errorf("a second one: %d %s", got.Code, got.Body)
	}
	if got := f.ask("GET", path+"/"+id, "").object(t); got["state"] != "running" || got["note"] != "" {
		t.Errorf("%v", got)
	}
	if got := f.ask("GET", path, ""); !strings.Contains(got.Body.String(), id) {
		t.Errorf("the list: %s", got.Body)
	}
	if got := f.ask("DELETE", path+"/"+id, "").object(t); got["cancelled"] != true {
		t.Errorf("%v", got)
	}
	close(on)
}

func TestBenchmarksAreComparedWithTheBaselineAndExported(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.saveBenchmark(t, "before", .1)
	f.saveBenchmark(t, "now", .5)
	const path = "/api/benchmarks/now"
	if got := f.ask("GET", path+"/comparison", ""); got.Code != http.StatusConflict ||
		!strings.Contains(got.Body.String(), "baseline") {
		t.Errorf("without one: %d %s", got.Code, got.Body)
	}
	if got := f.ask("GET", path+"/comparison?with=before", ""); !strings.Contains(got.Body.String(),
		`"verdict":"slower"`) {
		t.Errorf("with another: %s", got.Body)
	}
	if got := f.ask("POST", "/api/benchmarks/before/baseline",
		`{"baseline":true}`).object(t); got["baseline"] != true {
		t.Errorf("%v", got)
	}
	if got := f.ask("GET", path+"/comparison", "").object(t); got["baseline"] != "before" {
		t.Errorf("%v", got)
	}
	page := f.ask("GET", path+"/export?format=html", "")
	if !strings.Contains(page.Body.String(), "1 slower than the baseline") ||
		!strings.Contains(page.Header().Get("Content-Disposition"), "benchmark-now.html") {
		t.Errorf("%v %s", page.Header(), page.Body)
	}
	if got := f.ask("GET", path+"/export", "").object(t); got["id"] != "now" {
		t.Errorf("%v", got)
	}
	history := f.ask("GET", "/api/benchmarks/history?url=https%3A%2F%2Fm.example.test%2Fmatomo.php&site_id=1"+
		"&report=Page+titles&period=day", "")
	if points, _ := history.object(t)["points"].([]any); len(points) != 2 {
		t.Errorf("%s", history.Body)
	}
	if got := f.ask("DELETE", path, "").object(t); got["cancelled"] != false {
		t.Errorf("%v", got)
	}
	if got := f.ask("GET", path, ""); got.Code != http.StatusNotFound {
		t.Errorf("after it was deleted: %d", got.Code)
	}
	if got := f.ask("GET", "/api/benchmarks/reports", "").object(t); len(got["reports"].([]any)) < 20 {
		t.Errorf("%v", got)
	}
}

func TestOldPathsOfBenchmarksStillWorkAndAreDeprecated(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.saveBenchmark(t, "before", .1)
	f.saveBenchmark(t, "now", .5)
	document := f.ask("GET", "/openapi.json", "").object(t)["paths"].(map[string]any)
	for old, current := range map[string]string{
		"/api/reports":                           "/api/benchmarks/reports",
		"/api/report-benchmarks":                 "/api/benchmarks",
		"/api/report-benchmarks/{id}":            "/api/benchmarks/{id}",
		"/api/report-benchmarks/{id}/comparison": "/api/benchmarks/{id}/comparison",
		"/api/report-benchmarks/{id}/export":     "/api/benchmarks/{id}/export",
		"/api/report-history":                    "/api/benchmarks/history",
	} {
		query := strings.NewReplacer("{id}", "now", "comparison", "comparison?with=before", "history",
			"history?url=https%3A%2F%2Fm.example.test%2Fmatomo.php&site_id=1&report=Page+titles&period=day")
		a, b := f.ask("GET", query.Replace(old), ""), f.ask("GET", query.Replace(current), "")
		if a.Code != http.StatusOK || a.Body.String() != b.Body.String() {
			t.Errorf("%s responds %d %s, %s responds %d %s", old, a.Code, a.Body, current, b.Code, b.Body)
		}
		deprecated := func(path string) any { return document[path].(map[string]any)["get"].(map[string]any)["deprecated"] }
		if deprecated(old) != true || deprecated(current) != nil {
			t.Errorf("%s is deprecated: %v, %s: %v", old, deprecated(old), current, deprecated(current))
		}
	}
	if got := f.ask("POST", "/api/report-benchmarks/now/baseline", `{"baseline":true}`).
		object(t); got["baseline"] != true {
		t.Errorf("%v", got)
	}
	if got := f.ask("POST", "/api/report-benchmarks", `{"repeats":0}`); got.Code != http.StatusUnprocessableEntity {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if got := f.ask("DELETE", "/api/report-benchmarks/now", ""); got.Code != http.StatusOK {
		t.Errorf("%d %s", got.Code, got.Body)
	}
}
