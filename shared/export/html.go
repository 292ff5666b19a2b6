// Package export owns how a run is told in a file: to people as one page of HTML that needs nothing else, to CI as
// JUnit XML. It computes no figure that the record of the run does not hold, and knows nothing of where that is kept.
package export

import (
	"crypto/sha256"
	_ "embed" // the page and its style
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"
	"time"

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

// policy lets the page have its own style and nothing else: no script, no picture, no font, no request.
func policy() string {
	sum := sha256.Sum256([]byte(pageStyle))
	return "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-" +
		base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"csp": policy, "count": Count, "percent": percent, "latency": Latency, "span": span, "shown": threshold.FormatValue,
	"number": Number, "missed": threshold.DescribeMissed,
	"outcomes": outcome.All,
	"figure":   Figure,
	"list":     func(all ...any) []any { return all },
	"share":    func(n float64) string { return Number(100*n) + " %" },
	"columns":  func() int { return maxColumns },
	"when":     func(time.Time) string { return "" }, // set for each page: it depends on the zone
	"value": func(v *float64) string {
		if v == nil {
			return ""
		}
		return strconv.FormatFloat(*v, 'g', -1, 64)
	},
}).Parse(strings.Replace(pageText, "STYLE", pageStyle, 1) + kindsText))

// when writes moments in a zone.
func when(zone *time.Location) template.FuncMap {
	return template.FuncMap{"when": func(t time.Time) string { return t.In(zone).Format("2 Jan 2006 15:04:05 MST") }}
}

// Template parses a text that has what the page of a run has, moments in a zone: its functions, the style where STYLE
// stands, and the template of a bar.
func Template(text string, zone *time.Location) *template.Template {
	t := template.Must(template.Must(page.Clone()).New("part").Parse(strings.Replace(text, "STYLE", pageStyle, 1)))
	return t.Funcs(when(zone))
}

// HTML writes a run as one page that needs nothing else: no script, no request, styles of its own.
func HTML(w io.Writer, r *Run) error {
	zone := r.Zone
	if zone == nil {
		zone = time.UTC
	}
	t, err := page.Clone()
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	v := newView(r, zone)
	for _, s := range r.Sections {
		html, err := s.HTML(zone)
		if err != nil {
			return fmt.Errorf("write report: %w", err)
		}
		v.Sections = append(v.Sections, html)
	}
	t.Funcs(when(zone))
	if err := t.Execute(w, v); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// Run is all that a report tells. Everything but Summary may be left out.
type Run struct {
	Summary runsummary.Summary
	// ExitCode is that of the loadgen, nil where it is not known.
	ExitCode *int
	Note     string
	Labels   []string
	// Zone is that of the times shown; nil is UTC.
	Zone *time.Location
	// Settings are those that do not hold their default, with secrets masked.
	Settings []Setting
	// Files are what the run was made of.
	Files []File
	// Series is what happened when, oldest first and without overlaps.
	Series []Point
	// Sections are what else is known of the run, such as what Matomo has recorded of it.
	Sections []Section
	// Problems are warnings and errors of the log.
	Problems []Problem
	// Version is that of the program that made the report.
	Version string
}

// Section is a part of a report that the record of the run does not hold.
type Section interface {
	// HTML is the section as it stands on the page, moments in a zone.
	HTML(zone *time.Location) (template.HTML, error)
	// Cases are what it says to CI.
	Cases() []Case
}

// Case is a test case of a section. It has passed where no text is set, else one is: Failure is against the run, Error
// and Skipped are not.
type Case struct{ Name, Class, Failure, Error, Skipped string }

// Setting is a knob and its value.
type Setting struct{ Key, Value string }

// File is a data file of a run with the hash of its content.
type File struct{ Name, Hash string }

// Problem is a line of the log.
type Problem struct {
	Time time.Time
	// Level is warning or error.
	Level string
	Text  string
}

// Point is what happened from At on, for Length.
type Point struct {
	At     time.Time
	Length time.Duration
	// Hits ended in that time; Planned are those of visits that began.
	Hits runsummary.Hits
	// Visits began in that time.
	Visits uint64
	// Latency is that of the hits answered in that time, zero where none was.
	Latency runsummary.Latency
}
