package export_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/puttrix/trafficinator/shared/export"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

var start = time.Date(2026, 3, 29, 0, 59, 0, 0, time.UTC)

// tenSeconds is a run of ten hits a second, a tenth of them unknown.
func tenSeconds() *export.Run {
	late := .12
	h := runsummary.Hits{Planned: 100, Accepted: 90, Unknown: 10}
	r := &export.Run{Summary: runsummary.Summary{
		RunID: "nightly-7", Seed: 7, Started: start, Ended: start.Add(10 * time.Second), Reason: "stop_after_visits",
		Hits: h, Due: 20,
		ByKind: map[string]runsummary.Hits{"pageview": h, "order": {}}, ByTarget: map[string]runsummary.Hits{"main": h},
		Targets: map[string]runsummary.Target{"main": {URL: "https://matomo.example.com/matomo.php"}},
		Totals:  runsummary.Totals{Visits: runsummary.Visits{Planned: 20, Complete: 15, Partial: 5}},
		Thresholds: []runsummary.Verdict{
			{Expression: "p95<100ms", Metric: "p95", Value: &late},
			{Expression: "unknown<11", Metric: "unknown", Held: true, Value: new(float64)},
		},
	}}
	for n := range 10 {
		r.Series = append(r.Series, export.Point{
			At: start.Add(time.Duration(n) * time.Second), Length: time.Second,
			Hits: runsummary.Hits{Accepted: 9, Unknown: 1}, Visits: 2,
			Latency: runsummary.Latency{P50: .05, P95: .12, P99: .2},
		})
	}
	return r
}

func page(t *testing.T, r *export.Run) string {
	t.Helper()
	var b strings.Builder
	if err := export.HTML(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestThePageAllowsItsOwnStyleAlone(t *testing.T) {
	text := page(t, tenSeconds())
	_, style, _ := strings.Cut(text, "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	sum := sha256.Sum256([]byte(style))
	policy := html.UnescapeString(regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).
		FindStringSubmatch(text)[1])
	if want := "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'"; !strings.Contains(policy, want) || !strings.HasPrefix(policy, "default-src 'none'") {
		t.Errorf("policy %s, want %s", policy, want)
	}
	if strings.Contains(style, "url(") || strings.Contains(style, "@import") {
		t.Error("the style asks for something")
	}
}

func TestWhateverARunIsCalledIsText(t *testing.T) {
	r := tenSeconds()
	const evil = `"><script>alert(1)</script><b style="x">`
	r.Note, r.Labels, r.Summary.RunID, r.Summary.Message, r.Summary.Reason = evil, []string{evil}, evil, evil, evil
	r.Settings = []export.Setting{{Key: evil, Value: evil}}
	r.Files = []export.File{{Name: evil, Hash: evil}}
	r.Problems = []export.Problem{{Level: evil, Text: evil}}
	r.Summary.ByTarget = map[string]runsummary.Hits{evil: r.Summary.Hits}
	r.Summary.Targets = map[string]runsummary.Target{evil: {URL: evil, LastError: evil}}
	r.Summary.Thresholds[0].Expression = evil
	r.Summary.Backfill = &runsummary.Backfill{Days: []runsummary.BackfillDay{{Date: evil, Skipped: evil}},
		Invalidation: &runsummary.Invalidation{Command: evil, Why: evil}}
	text := page(t, r)
	for _, bad := range []string{"<script", "<b style"} {
		if strings.Contains(text, bad) {
			t.Errorf("the page has %s", bad)
		}
	}
	var b strings.Builder
	if err := export.JUnit(&b, r); err != nil || xml.Unmarshal([]byte(b.String()), new(struct{})) != nil {
		t.Errorf("%v: %s", err, b.String())
	}
}

func TestTimesAreThoseOfTheSite(t *testing.T) {
	r := tenSeconds()
	r.Summary.Ended = start.Add(2 * time.Minute)
	for zone, want := range map[string]string{
		"UTC":           "29 Mar 2026 00:59:00 UTC – 29 Mar 2026 01:01:00 UTC · 2 min",
		"Europe/Berlin": "29 Mar 2026 01:59:00 CET – 29 Mar 2026 03:01:00 CEST · 2 min",
	} {
		var err error
		if r.Zone, err = time.LoadLocation(zone); err != nil {
			t.Fatal(err)
		}
		if text := page(t, r); !strings.Contains(text, want) {
			t.Errorf("%s: no %q", zone, want)
		}
	}
}

func TestTheVerdictComesFirst(t *testing.T) {
	code := func(n int) *int { return &n }
	for name, c := range map[string]struct {
		change func(*export.Run)
		want   string
	}{
		"a missed threshold": {func(*export.Run) {}, "1 of 2 thresholds failed"},
		"all held":           {func(r *export.Run) { r.Summary.Thresholds = r.Summary.Thresholds[1:] }, "Passed"},
		"none given":         {func(r *export.Run) { r.Summary.Thresholds = nil }, "Finished"},
		"the error brake": {func(r *export.Run) {
			r.Summary.Thresholds, r.Summary.Reason = nil, "error_brake"
		}, "Failed"},
		"no target": {func(r *export.Run) { r.Summary.Thresholds, r.ExitCode = nil, code(3) }, "Failed"},
		"a stop": {func(r *export.Run) {
			r.Summary.Thresholds, r.Summary.Reason = nil, "interrupted"
		}, "Stopped"},
		"a backfill": {func(r *export.Run) {
			r.Summary.Thresholds, r.Summary.Kind, r.Summary.Reason, r.ExitCode = nil, runsummary.BackfillJob,
				"backfill_finished", code(0)
		}, "Finished"},
		"a journal that broke": {func(r *export.Run) {
			r.Summary.Thresholds, r.Summary.Reason = nil, "journal_failed"
		}, "Failed"},
		"in progress": {func(r *export.Run) {
			r.Summary.Ended, r.Summary.Reason = time.Time{}, ""
		}, "Running"},
	} {
		r := tenSeconds()
		c.change(r)
		got := regexp.MustCompile(`id="verdict"[^>]*>([^<]*)<`).FindStringSubmatch(page(t, r))
		if got == nil || got[1] != c.want {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
}

// bands returns the tooltips of the chart with this id.
func bands(text, id string) []string {
	_, text, _ = strings.Cut(text, `id="chart-`+id+`"`)
	text, _, _ = strings.Cut(text, "</section>")
	var out []string
	for _, m := range regexp.MustCompile(`<title>([^<]*)</title>`).FindAllStringSubmatch(text, -1) {
		out = append(out, html.UnescapeString(m[1]))
	}
	return out
}

func TestChartsTellTheSeries(t *testing.T) {
	text := page(t, tenSeconds())
	for id, want := range map[string]string{
		"hits":    "29 Mar 00:59:03, 1 s\naccepted 9/s\nunknown 1/s",
		"latency": "29 Mar 00:59:03, 1 s\np50 50 ms\np95 120 ms\np99 200 ms",
		"visits":  "29 Mar 00:59:03, 1 s\n2 visits/s",
	} {
		if got := bands(text, id); len(got) != 10 || got[3] != want {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
	if strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
		t.Error("a figure is not a number")
	}
}

func TestLongSeriesAreJoinedWithoutLoss(t *testing.T) {
	r := tenSeconds()
	one := r.Series[0]
	r.Series = nil
	for n := range 60 * 24 * 30 { // a month of minutes
		one.At, one.Length, one.Hits = start.Add(
			time.Duration(n)*time.Minute,
		), time.Minute, runsummary.Hits{
			Accepted: 600,
		}
		if n == 1000 {
			one.Latency.P99 = 7
		} else {
			one.Latency.P99 = .2
		}
		r.Series = append(r.Series, one)
	}
	text := page(t, r)
	rates := bands(text, "hits")
	if len(rates) < 200 || len(rates) > 240 {
		t.Errorf("%d columns", len(rates))
	}
	for _, b := range rates {
		if !strings.HasSuffix(b, "\naccepted 10/s") {
			t.Errorf("a rate is not exact: %q", b)
		}
	}
	if peaks := strings.Count(strings.Join(bands(text, "latency"), ""), "p99 7 s"); peaks != 1 {
		t.Errorf("the highest latency is reported in %d columns", peaks)
	}
	if len(text) > 200_000 {
		t.Errorf("the page has %d bytes", len(text))
	}
}

func TestALineIsBrokenWhereNothingIsKnown(t *testing.T) {
	lines := func(r *export.Run, id, class string) int {
		_, text, _ := strings.Cut(page(t, r), `id="chart-`+id+`"`)
		path := regexp.MustCompile(`class="line ` + class + `" d="([^"]*)"`).FindStringSubmatch(text)
		return strings.Count(path[1], "M")
	}
	whole, silent, gap := tenSeconds(), tenSeconds(), tenSeconds()
	silent.Series[4].Latency = runsummary.Latency{} // no responses
	gap.Series = append(gap.Series[:3], gap.Series[6:]...)
	for name, c := range map[string]struct {
		run          *export.Run
		hits, delays int
	}{"whole": {whole, 1, 1}, "a second without answers": {silent, 1, 2}, "three seconds unknown": {gap, 2, 2}} {
		if hits, delays := lines(c.run, "hits", "accepted"), lines(c.run, "latency", "p95"); hits != c.hits ||
			delays != c.delays {
			t.Errorf("%s: hits in %d pieces, latency in %d", name, hits, delays)
		}
	}
}

func TestARunWithoutAnythingHasAPage(t *testing.T) {
	text := page(t, &export.Run{Summary: runsummary.Summary{RunID: "r", Started: start}})
	if strings.Contains(text, "NaN") || !strings.Contains(text, "Running") {
		t.Error("a run that has just begun is not reported")
	}
}

func TestLatenciesOfAllTargetsAreDrawnTogether(t *testing.T) {
	histogram := func(from, to int) string {
		h := hdrhistogram.New(1, 600_000_000, 3)
		for ms := from; ms <= to; ms++ {
			if err := h.RecordValue(int64(ms) * 1000); err != nil {
				t.Fatal(err)
			}
		}
		text, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	r := tenSeconds()
	r.Summary.Targets = map[string]runsummary.Target{"fast": {Histogram: histogram(1, 50)},
		"slow": {Histogram: histogram(51, 100)}, "old": {}}
	_, text, _ := strings.Cut(page(t, r), `id="chart-distribution"`)
	text, _, _ = strings.Cut(text, "</section>")
	for _, want := range []string{
		"of 100 answered hits", `p50 <span class="muted">50 ms`, `p90 <span class="muted">90 ms`,
		`p99 <span class="muted">99 ms`, `slowest <span class="muted">100 ms`,
		"90 % of the hits within 90 ms",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	r.Summary.Targets = map[string]runsummary.Target{"a": {Histogram: "not a histogram"}}
	if strings.Contains(page(t, r), `id="chart-distribution"`) {
		t.Error("a distribution of nothing is drawn")
	}
}

func TestACapacitySearchShowsItsResult(t *testing.T) {
	r := tenSeconds()
	slow := 1.4
	verdict := runsummary.Verdict{Expression: "p95<1s", Metric: "p95", Value: &slow}
	step := func(rate float64, held bool) runsummary.CapacityStep {
		s := runsummary.CapacityStep{
			Kind:             runsummary.CapacityRaise,
			OfferedVisitRate: rate,
			HitRate:          6 * rate,
			Held:             held,
			Latency:          runsummary.Latency{P95: rate / 50},
		}
		if !held {
			s.Verdicts = []runsummary.Verdict{verdict}
		}
		return s
	}
	r.Summary.Kind = runsummary.CapacitySearch
	r.Summary.Capacity = &runsummary.Capacity{
		Thresholds: []string{"p95<1s"}, VisitRate: 50, HitRate: 301.2, Confirmed: true, BrokenRate: 70,
		Limit: []runsummary.Verdict{verdict},
		Steps: []runsummary.CapacityStep{step(40, true), step(80, false), step(70, false), step(50, true)},
	}
	text := page(t, r)
	for _, want := range []string{"50 visits/s (301 hits/s)", "limit reached at 70 visits/s: p95&lt;1s (1.4 s)",
		"✗ p95&lt;1s (1.4 s)", "Capacity search"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q", want)
		}
	}
	for class, want := range map[string]int{"held": 2, "broke": 2} {
		dots := regexp.MustCompile(`class="dots `+class+`" d="([^"]*)"`).FindAllStringSubmatch(text, -1)
		if len(dots) != 2 || strings.Count(dots[0][1], "M") != want {
			t.Errorf("%s: %v", class, dots)
		}
	}
}
