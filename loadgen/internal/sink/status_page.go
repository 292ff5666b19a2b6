package sink

import (
	"fmt"
	"html/template"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// shownHit is a hit as it is shown to people.
type shownHit struct {
	At       time.Time         `json:"at"`
	Site     int               `json:"site"`
	Visitor  string            `json:"visitor"`
	Kind     string            `json:"kind"`
	Rejected bool              `json:"rejected,omitempty"`
	Reason   string            `json:"reason,omitempty"`
	Params   map[string]string `json:"params"`
}

// ring keeps the last hits.
type ring struct {
	size, next int
	hits       []shownHit
}

func (r *ring) add(h shownHit) {
	switch {
	case r.size <= 0:
	case len(r.hits) < r.size:
		r.hits = append(r.hits, h)
	default:
		r.hits[r.next] = h
		r.next = (r.next + 1) % r.size
	}
}

// masked is a copy without the token's value.
func masked(params map[string]string) map[string]string {
	out := maps.Clone(params)
	if _, ok := out["token_auth"]; ok {
		out["token_auth"] = "***MASKED***"
	}
	return out
}

// hits are the last hits, oldest first.
func (s *Sink) hits() []shownHit {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append(slices.Clone(s.shown.hits[s.shown.next:]), s.shown.hits[:s.shown.next]...)
}

var pageTemplate = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>loadgen sink</title>
<style>body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem}pre{overflow:auto}</style>
<h1>What the sink saw</h1>
<pre>{{.}}</pre>
<p><a href="/sink/counts">counts</a> · <a href="/sink/hits">last hits</a> · <a href="/sink/violations">violations</a></p>
</html>
`))

func (s *Sink) servePage(w http.ResponseWriter) {
	var text strings.Builder
	writeTable(&text, s.Counts(), s.Violations())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = pageTemplate.Execute(w, text.String()) // the client may be gone
}

// writeTable writes counts and violations for people.
func writeTable(out io.Writer, c Counts, violations []Violation) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name string, value any) { _, _ = fmt.Fprintf(w, "%s\t%v\n", name, value) }
	row("requests", c.Requests)
	row("accepted", c.Accepted)
	rows := func(name string, counts map[string]int64) {
		for _, key := range slices.Sorted(maps.Keys(counts)) {
			row(name+": "+key, counts[key])
		}
	}
	rows("rejected", c.Rejected)
	rows("excluded", c.Excluded)
	rows("fault", c.Faults)
	for _, id := range slices.Sorted(maps.Keys(c.Sites)) {
		if site := c.Sites[id]; site.Visits > 0 {
			_, _ = fmt.Fprintf(w, "\nsite %d\n", id)
			writeSite(row, rows, site)
		}
	}
	_, _ = fmt.Fprintf(w, "\nviolations\t%d\n", c.Violations)
	_ = w.Flush() // out takes everything or the reader is gone
	for _, v := range violations {
		_, _ = fmt.Fprintln(out, v)
	}
}

func writeSite(row func(string, any), rows func(string, map[string]int64), site *SiteCounts) {
	row("visits", site.Visits)
	row("unique visitors", site.UniqueVisitors)
	row("split visits", site.SplitVisits)
	rows("hits", site.Hits)
	row("actions", site.Actions)
	row("bounces", site.Bounces)
	row("seconds", site.Seconds)
	money := func(name string, cents int64) { row(name, fmt.Sprintf("%d.%02d", cents/100, cents%100)) }
	money("revenue", site.Revenue)
	money("subtotal", site.Subtotal)
	money("tax", site.Tax)
	money("shipping", site.Shipping)
	money("discount", site.Discount)
	row("items", site.Items)
	rows("country", site.Countries)
	rows("referrer", site.Referrers)
}
