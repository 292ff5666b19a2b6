package report

import (
	"cmp"
	_ "embed" // the page of benchmarks
	"fmt"
	"html/template"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/record"
)

//go:embed benchmark.html
var benchmarkText string

var benchmarkPage = template.Must(template.Must(page.Clone()).New("benchmark").Parse(strings.Replace(benchmarkText,
	"STYLE", pageStyle, 1)))

// Benchmark is how fast a Matomo's reports were, for a page.
type Benchmark struct {
	record.ReportBenchmark
	// Comparison is nil where there is nothing to compare with.
	Comparison *record.BenchmarkComparison
	// Version is Trafficinator's.
	Version string
}

type (
	// timing is a row of the table: seconds exact, texts for people.
	timing struct {
		record.ReportTiming
		Cold    float64
		Bar     []part
		Size    string
		Verdict tone
		Ratio   string
		Why     string
	}
	tone          struct{ Tone, Text string }
	benchmarkView struct {
		*Benchmark
		Badge  badge
		Took   time.Duration
		Slower int
		Tiles  []tile
		Rows   []timing
	}
)

// verdicts have a sign each, so that colour is not alone.
var verdicts = map[record.ReportVerdict]tone{
	record.ReportSlower: {"bad", "▲ slower"}, record.ReportFaster: {"good", "▼ faster"},
	record.ReportSame: {"muted", "= same"},
	record.ReportNew:  {"muted", "new"}, record.ReportFailing: {"bad", "✗ failing"},
}

// BenchmarkHTML writes a benchmark of reports as one page that needs nothing else, its slowest report first.
func BenchmarkHTML(w io.Writer, b *Benchmark) error {
	t, err := benchmarkPage.Clone()
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	t.Funcs(template.FuncMap{"when": func(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04:05 MST") }})
	if err := t.Execute(w, newBenchmarkView(b)); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

func newBenchmarkView(b *Benchmark) *benchmarkView {
	v := &benchmarkView{Benchmark: b}
	if b.Ended != nil {
		v.Took = b.Ended.Sub(b.Began)
	}
	beside := map[record.ReportKey]record.ReportDifference{}
	if b.Comparison != nil {
		for _, d := range b.Comparison.Reports {
			beside[d.Key()] = d
		}
	}
	slowest := 0.
	for _, r := range b.Results {
		slowest = max(slowest, r.Warm.P50)
	}
	failing, timeouts := 0, 0
	for _, r := range b.Results {
		row := timing{ReportTiming: r, Size: size(r.Bytes)}
		if r.Cold != nil {
			row.Cold = *r.Cold
		}
		if slowest > 0 {
			row.Bar = []part{{"accepted", "0", place(100 * r.Warm.P50 / slowest)}}
		}
		if d, known := beside[r.Key()]; known {
			row.Verdict, row.Why = verdicts[d.Verdict], d.Why
			if d.Ratio != nil {
				row.Ratio = "× " + number(*d.Ratio)
			}
			if d.Verdict == record.ReportSlower {
				v.Slower++
			}
		}
		if r.Warm.Requests == 0 {
			failing++
		}
		timeouts += r.Timeouts
		v.Rows = append(v.Rows, row)
	}
	slices.SortStableFunc(v.Rows, func(a, b timing) int { return cmp.Compare(b.Warm.P50, a.Warm.P50) })
	v.Badge = v.badge(failing)
	v.Tiles = v.tiles(failing, timeouts)
	return v
}

func (v *benchmarkView) badge(failing int) badge {
	switch {
	case v.State == record.BenchmarkRunning:
		return badge{"", "Goes on"}
	case v.State == record.BenchmarkFailed:
		return badge{"bad", "Failed"}
	case v.State == record.BenchmarkCancelled:
		return badge{"warn", "Cancelled"}
	case v.Slower > 0:
		return badge{"bad", fmt.Sprintf("%d slower than the baseline", v.Slower)}
	case failing > 0:
		return badge{"bad", fmt.Sprintf("%d failing", failing)}
	case v.Comparison != nil:
		return badge{"good", "None slower than the baseline"}
	}
	return badge{"good", "Done"}
}

func (v *benchmarkView) tiles(failing, timeouts int) []tile {
	visits := tile{ID: "data", Name: "Visits of the site", Text: "–", More: "not counted"}
	if v.Visits != nil {
		visits.Value, visits.Text, visits.More = strconv.FormatUint(*v.Visits, 10), count(*v.Visits),
			"in the longest period"
	}
	slowest := tile{ID: "slowest", Name: "Slowest report", Text: "–"}
	if len(v.Rows) > 0 {
		r := v.Rows[0]
		slowest.Value, slowest.Text, slowest.More = strconv.FormatFloat(r.Warm.P50, 'g', -1, 64), latency(r.Warm.P50),
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
		return number(n/1e6) + " MB"
	case n >= 1e3:
		return number(n/1e3) + " kB"
	}
	return strconv.FormatInt(bytes, 10) + " B"
}
