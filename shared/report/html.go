package report

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

	"github.com/puttrix/trafficinator/shared/record"
	"github.com/puttrix/trafficinator/shared/threshold"
)

//go:embed page.html
var pageText string

//go:embed kinds.html
var kindsText string

//go:embed recorded.html
var recordedText string

//go:embed page.css
var pageStyle string

// policy lets the page have its own style and nothing else: no script, no picture, no font, no request.
func policy() string {
	sum := sha256.Sum256([]byte(pageStyle))
	return "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-" +
		base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"csp": policy, "count": count, "percent": percent, "latency": latency, "span": span, "shown": threshold.Shown,
	"number": number, "missed": threshold.Misses,
	"outcomes": func() []outcome { return outcomes },
	"figure":   Figure,
	"match":    func(m record.Match) string { return matches[m].row },
	"matched":  Matched,
	"tone":     func(m record.Match) string { return matches[m].tone },
	"list":     func(all ...any) []any { return all },
	"share":    func(n float64) string { return number(100*n) + " %" },
	"columns":  func() int { return maxColumns },
	"when":     func(time.Time) string { return "" }, // set for each page: it depends on the zone
	"value": func(v *float64) string {
		if v == nil {
			return ""
		}
		return strconv.FormatFloat(*v, 'g', -1, 64)
	},
}).Parse(strings.Replace(pageText, "STYLE", pageStyle, 1) + kindsText + recordedText))

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
	t.Funcs(template.FuncMap{"when": func(t time.Time) string { return t.In(zone).Format("2 Jan 2006 15:04:05 MST") }})
	if err := t.Execute(w, newView(r, zone)); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
