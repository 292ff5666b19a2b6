// Package export writes a run summary and related results to a file: HTML for people, JUnit XML for CI.
package export

import (
	"cmp"
	"crypto/sha256"
	_ "embed" // the page and its style
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/outcome"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/threshold"
)

//go:embed page.html
var pageText string

//go:embed kinds.html
var kindsText string

//go:embed page.css
var pageStyle string

// policy allows the page's own style and nothing else: no scripts, pictures, fonts or requests.
func policy() string {
	sum := sha256.Sum256([]byte(pageStyle))
	return "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-" +
		base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"csp":         policy,
	"count":       Count,
	"percent":     percent,
	"latency":     Latency,
	"span":        span,
	"number":      Number,
	"figure":      Figure,
	"money":       money,
	"exact":       exact,
	"shown":       threshold.FormatValue,
	"missed":      threshold.DescribeMissed,
	"outcomes":    outcome.All,
	"kindOfRun":   runsummary.TitleOf,
	"inMatomo":    inMatomo,
	"standstills": standstills,
	"row":         rowOf,
	"rows":        rowsOf,
	"curves":      curves,
	"days":        daysOf,
	"searched":    func(c *runsummary.Capacity) [2]string { found, limit := answer(c); return [2]string{found, limit} },
	"bar":         func(class string, n, of uint64) []Part { return Bar(class, float64(n)/float64(max(of, 1))) },
	"reason":      func(name string) string { return endreason.Reason(name).Description() },
	"list":        func(all ...any) []any { return all },
	"share":       func(n float64) string { return Number(100*n) + " %" },
	"rate":        func(n uint64, took time.Duration) float64 { return float64(n) / took.Seconds() },
	"columns":     func() int { return maxColumns },
	"when":        func(time.Time) string { return "" }, // replaced for each page by that of its zone
}).Parse(strings.Replace(pageText, "STYLE", pageStyle, 1) + kindsText))

func when(zone *time.Location) template.FuncMap {
	return template.FuncMap{"when": func(t time.Time) string { return t.In(zone).Format("2 Jan 2006 15:04:05 MST") }}
}

// Template parses a text that may use the functions, the style (STYLE) and the templates of a run's page.
func Template(text string, zone *time.Location) *template.Template {
	t := template.Must(template.Must(page.Clone()).New("part").Parse(strings.Replace(text, "STYLE", pageStyle, 1)))
	return t.Funcs(when(zone))
}

type view struct {
	*Run
	Badge  badge
	Charts []chart
	// Sections hides Run.Sections.
	Sections []template.HTML
}

// HTML writes a run as one self-contained page.
func HTML(w io.Writer, r *Run) error {
	zone := cmp.Or(r.Zone, time.UTC)
	v := view{Run: r, Badge: badgeOf(r), Charts: timelines(r.Series, zone)}
	if d, known := distribution(&r.Summary); known {
		v.Charts = slices.Insert(v.Charts, min(2, len(v.Charts)), d)
	}
	for _, s := range r.Sections {
		html, err := s.HTML(zone)
		if err != nil {
			return fmt.Errorf("write report: %w", err)
		}
		v.Sections = append(v.Sections, html)
	}
	t, err := page.Clone()
	if err == nil {
		err = t.Funcs(when(zone)).Execute(w, v)
	}
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// Run is the content of an export. Everything but Summary may be left out.
type Run struct {
	Summary  runsummary.Summary
	ExitCode *int // the loadgen's, nil if it is not known
	Note     string
	Labels   []string
	Zone     *time.Location // the time zone of the page; nil is UTC
	Settings []Setting      // the settings that differ from their defaults, with secrets masked
	Files    []File
	Series   []Point   // the course of the run, oldest first and without overlaps
	Sections []Section // other results, such as a reconciliation
	Problems []Problem // warnings and errors from the log
	Version  string    // that of the exporting program
}

// Section is a part of an export that does not come from the run summary.
type Section interface {
	// HTML returns the section of the page, with times in a zone.
	HTML(zone *time.Location) (template.HTML, error)
	// Cases returns its test cases.
	Cases() []Case
}

// Case is a test case. At most one text is set, none if it passed: only Failure is a verdict against the run.
type Case struct{ Name, Class, Failure, Error, Skipped string }

// Setting is a setting's key and value.
type Setting struct{ Key, Value string }

// File is a data file of a run with the hash of its content.
type File struct{ Name, Hash string }

// Problem is a line of the log.
type Problem struct {
	Time  time.Time
	Level string // warning or error
	Text  string
}

// Point is the part of a series from At on, for Length.
type Point struct {
	At     time.Time
	Length time.Duration
	// Hits ended in that time; Planned counts the hits of visits that started in it.
	Hits runsummary.Hits
	// Visits started in that time.
	Visits  uint64
	Latency runsummary.Latency // that of the hits answered in that time, zero if there were none
}

type badge struct{ Tone, Text string }

func badgeOf(r *Run) badge {
	s := &r.Summary
	missed, set := 0, 0
	for _, v := range s.Thresholds {
		if threshold.IsMissed(v) {
			missed++
		}
		if !v.BuiltIn {
			set++
		}
	}
	switch {
	case s.Ended.IsZero():
		return badge{"", "Running"}
	case missed > 0 && set == 0:
		return badge{"bad", "Most hits were not accepted"}
	case missed > 0:
		return badge{"bad", fmt.Sprintf("%d of %d thresholds failed", missed, len(s.Thresholds))}
	case s.Reason == string(endreason.Interrupted) || s.Reason == string(endreason.Stopped):
		return badge{"warn", "Stopped"}
	case failure(r) != "":
		return badge{"bad", "Failed"}
	case set > 0:
		return badge{"good", "Passed"}
	}
	return badge{"good", "Finished"}
}

type row struct {
	Key, Name string
	Hits      runsummary.Hits
	Bar       []Part
}

// Part is a part of a bar of length 100; Class is a class of the page's style.
type Part struct{ Class, X, Width string }

// Bar is a bar with one part.
func Bar(class string, share float64) []Part { return []Part{{class, "0", place(100 * share)}} }

func rowOf(key, name string, h runsummary.Hits) row {
	r := row{Key: key, Name: name, Hits: h}
	x := 0.
	for _, o := range outcome.All() {
		if n := h.Of(o); n > 0 && h.Planned > 0 {
			width := 100 * float64(n) / float64(h.Planned)
			r.Bar = append(r.Bar, Part{o.String(), place(x), place(width)})
			x += width
		}
	}
	return r
}

// rowsOf are the kinds that were planned, the most frequent first.
func rowsOf(byKind map[string]runsummary.Hits) (rows []row) {
	for key, h := range byKind {
		if h.Planned > 0 {
			rows = append(rows, rowOf(key, hit.Title(key), h))
		}
	}
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(b.Hits.Planned, a.Hits.Planned), cmp.Compare(a.Key, b.Key))
	})
	return rows
}

// day is a day of a backfill, with a bar in proportion to the busiest.
type day struct {
	runsummary.BackfillDay
	Bar []Part
}

func daysOf(all []runsummary.BackfillDay) (days []day) {
	busiest := highest(all, func(d runsummary.BackfillDay) uint64 { return d.Planned })
	length := func(n uint64) string { return place(100 * float64(n) / float64(max(busiest, 1))) }
	for _, d := range all {
		out := day{BackfillDay: d}
		x := uint64(0)
		for _, p := range []struct {
			class string
			n     uint64
		}{{"accepted", d.Sent}, {"unknown", d.Unknown}, {"rejected", d.Rejected}, {"unsent", d.Unsent}} {
			if p.n > 0 {
				out.Bar = append(out.Bar, Part{p.class, length(x), length(p.n)})
				x += p.n
			}
		}
		days = append(days, out)
	}
	return days
}

// inMatomo is the range of visits that Matomo should have, "" if their number is certain.
func inMatomo(v runsummary.Visits) string {
	least, most := v.ExpectedInMatomo()
	if least == most {
		return ""
	}
	return fmt.Sprintf("%s to %s, because some hits are unknown", Count(least), Count(most))
}

func standstills(s *runsummary.Summary) string {
	all := s.TotalStandstill()
	took := span(time.Duration(all.Seconds * float64(time.Second)))
	return fmt.Sprintf("the loadgen was suspended for %s (paused, or its machine asleep): %s visits and %s hits were "+
		"not sent; they are excluded from rates and shares", took, Count(all.Visits), Count(all.Hits))
}

func answer(c *runsummary.Capacity) (found, limit string) {
	rates := fmt.Sprintf("%s visits/s (%s hits/s)", Number(c.VisitRate), Number(c.HitRate))
	limit = "no higher rate was tried"
	if c.BrokenRate > 0 {
		limit = "limit reached at " + Number(c.BrokenRate) + " visits/s: " + threshold.DescribeMissed(c.Limit)
	}
	switch {
	case c.Void != "" && c.VisitRate == 0:
		return "no result", "search aborted: " + c.Void
	case c.Void != "":
		return "at least " + rates, "search aborted: " + c.Void
	case c.VisitRate == 0 && c.BrokenRate > 0:
		return "below the lowest rate", limit
	case c.VisitRate == 0:
		return "the search ended before its first step", ""
	case !c.Confirmed:
		return "at least " + rates + ", not confirmed over a minute", limit
	}
	return rates, limit
}
