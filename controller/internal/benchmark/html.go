package benchmark

import (
	"cmp"
	_ "embed" // the page of benchmarks
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/benchmark/timing"
	"github.com/puttrix/trafficinator/shared/export"
)

//go:embed page.html
var pageText string

// Page is how fast a Matomo's reports were, for a page.
type Page struct {
	timing.ReportBenchmark
	// Comparison is nil where there is nothing to compare with.
	Comparison *timing.BenchmarkComparison
	// Version is Trafficinator's.
	Version string
}

type (
	// pageRow is a row of the table: seconds exact, texts for people.
	pageRow struct {
		timing.ReportTiming
		Cold    float64
		Bar     []export.Part
		Size    string
		Verdict tone
		Ratio   string
		Why     string
	}
	tone struct{ Tone, Text string }
	// tile is one figure shown large: Value is exact, Text for people.
	tile     struct{ ID, Name, Value, Text, More, Tone string }
	pageView struct {
		*Page
		Badge  tone
		Took   time.Duration
		Slower int
		Tiles  []tile
		Rows   []pageRow
	}
)

// verdicts have a sign each, so that colour is not alone.
var verdicts = map[timing.ReportVerdict]tone{
	timing.ReportSlower: {"bad", "▲ slower"}, timing.ReportFaster: {"good", "▼ faster"},
	timing.ReportSame: {"muted", "= same"},
	timing.ReportNew:  {"muted", "new"}, timing.ReportFailing: {"bad", "✗ failing"},
}

// WriteHTML writes a benchmark of reports as one page that needs nothing else, its slowest report first.
func WriteHTML(w io.Writer, p *Page) error {
	if err := export.Template(pageText, time.UTC).Execute(w, newPageView(p)); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

func newPageView(p *Page) *pageView {
	v := &pageView{Page: p}
	if p.Ended != nil {
		v.Took = p.Ended.Sub(p.Began)
	}
	beside := map[timing.ReportKey]timing.ReportDifference{}
	if p.Comparison != nil {
		for _, d := range p.Comparison.Reports {
			beside[d.Key()] = d
		}
	}
	slowest := 0.
	for _, r := range p.Results {
		slowest = max(slowest, r.Warm.P50)
	}
	failing, timeouts := p.Failures()
	for _, r := range p.Results {
		row := pageRow{ReportTiming: r, Size: size(r.Bytes)}
		if r.Cold != nil {
			row.Cold = *r.Cold
		}
		if slowest > 0 {
			row.Bar = export.Bar("accepted", r.Warm.P50/slowest)
		}
		if d, known := beside[r.Key()]; known {
			row.Verdict, row.Why = verdicts[d.Verdict], d.Why
			if d.Ratio != nil {
				row.Ratio = "× " + export.Number(*d.Ratio)
			}
			if d.Verdict == timing.ReportSlower {
				v.Slower++
			}
		}
		v.Rows = append(v.Rows, row)
	}
	slices.SortStableFunc(v.Rows, func(a, b pageRow) int { return cmp.Compare(b.Warm.P50, a.Warm.P50) })
	v.Badge = v.badge(failing)
	v.Tiles = v.tiles(failing, timeouts)
	return v
}

func (v *pageView) badge(failing int) tone {
	switch {
	case v.State == timing.BenchmarkRunning:
		return tone{"", "Running"}
	case v.State == timing.BenchmarkFailed:
		return tone{"bad", "Failed"}
	case v.State == timing.BenchmarkCancelled:
		return tone{"warn", "Cancelled"}
	case v.Slower > 0:
		return tone{"bad", fmt.Sprintf("%d slower than the baseline", v.Slower)}
	case failing > 0:
		return tone{"bad", fmt.Sprintf("%d failing", failing)}
	case v.Comparison != nil:
		return tone{"good", "None slower than the baseline"}
	}
	return tone{"good", "Done"}
}

func (v *pageView) tiles(failing, timeouts int) []tile {
	visits := tile{ID: "data", Name: "Visits of the site", Text: "–", More: "not counted"}
	if v.Visits != nil {
		visits.Value, visits.Text, visits.More = strconv.FormatUint(*v.Visits, 10), export.Count(*v.Visits),
			"in the longest period"
	}
	slowest := tile{ID: "slowest", Name: "Slowest report", Text: "–"}
	if len(v.Rows) > 0 {
		r := v.Rows[0]
		slowest.Value, slowest.Text, slowest.More = strconv.FormatFloat(r.Warm.P50, 'g', -1, 64),
			export.Latency(r.Warm.P50),
			"p50 of "+r.Report+", "+r.Period
	}
	bad := func(n int) string {
		if n > 0 {
			return "bad"
		}
		return ""
	}
	tiles := []tile{
		{"reports", "Reports measured", strconv.Itoa(len(v.Rows)), strconv.Itoa(len(v.Rows)),
			fmt.Sprintf("%d skipped", len(v.Skipped)), ""},
		slowest, visits,
		{"failing", "Failing reports", strconv.Itoa(failing), strconv.Itoa(failing), "no warm answer", bad(failing)},
		{"timeouts", "Timeouts", strconv.Itoa(timeouts), strconv.Itoa(timeouts), "of all requests", bad(timeouts)},
	}
	if v.Comparison != nil {
		tiles = append(tiles, tile{"slower", "Slower reports", strconv.Itoa(v.Slower), strconv.Itoa(v.Slower),
			"than the baseline", bad(v.Slower)})
	}
	return tiles
}

// size is told in kB from a thousand bytes on.
func size(bytes int64) string {
	switch n := float64(bytes); {
	case n >= 1e6:
		return export.Number(n/1e6) + " MB"
	case n >= 1e3:
		return export.Number(n/1e3) + " kB"
	}
	return strconv.FormatInt(bytes, 10) + " B"
}
