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

// Page is a benchmark as an HTML page.
type Page struct {
	timing.ReportBenchmark
	// Comparison is nil without a baseline.
	Comparison *timing.BenchmarkComparison
	// Version is Trafficinator's.
	Version string
}

type (
	// pageRow is a row of the table: seconds are exact, texts are for people.
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
	// tile is one large figure: Value is exact, Text is for people.
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

// verdicts have a symbol each, so that they do not depend on colour.
var verdicts = map[timing.ReportVerdict]tone{
	timing.ReportSlower: {"bad", "▲ slower"}, timing.ReportFaster: {"good", "▼ faster"},
	timing.ReportSame: {"muted", "= same"}, timing.ReportNew: {"muted", "new"},
	timing.ReportFailing: {"bad", "✗ failing"},
}

// WriteHTML writes a benchmark as a self-contained page, with the slowest report first.
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
	differences := p.Comparison.Differences()
	slowest := 0.
	for _, r := range p.Results {
		slowest = max(slowest, r.Warm.P50)
	}
	for _, r := range p.Results {
		row := pageRow{ReportTiming: r, Size: size(r.Bytes)}
		if r.Cold != nil {
			row.Cold = *r.Cold
		}
		if slowest > 0 {
			row.Bar = export.Bar("accepted", r.Warm.P50/slowest)
		}
		if d, known := differences[r.Key()]; known {
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
	failing, timeouts := p.Failures()
	v.Badge, v.Tiles = v.badge(failing), v.tiles(failing, timeouts)
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
			export.Latency(r.Warm.P50), "p50 of "+r.Report+", "+r.Period
	}
	count := func(id, name string, n int, more, tone string) tile {
		if n == 0 {
			tone = ""
		}
		return tile{id, name, strconv.Itoa(n), strconv.Itoa(n), more, tone}
	}
	tiles := []tile{
		count("reports", "Reports measured", len(v.Rows), fmt.Sprintf("%d skipped", len(v.Skipped)), ""),
		slowest, visits,
		count("failing", "Failing reports", failing, "no warm response", "bad"),
		count("timeouts", "Timeouts", timeouts, "of all requests", "bad"),
	}
	if v.Comparison != nil {
		tiles = append(tiles, count("slower", "Slower reports", v.Slower, "than the baseline", "bad"))
	}
	return tiles
}

// size formats a number of bytes.
func size(bytes int64) string {
	switch n := float64(bytes); {
	case n >= 1e6:
		return export.Number(n/1e6) + " MB"
	case n >= 1e3:
		return export.Number(n/1e3) + " kB"
	}
	return strconv.FormatInt(bytes, 10) + " B"
}
