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
