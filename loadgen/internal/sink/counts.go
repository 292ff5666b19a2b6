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

	"github.com/puttrix/trafficinator/loadgen/internal/sink/reports"
)

const maxTitles = 10_000 // distinct titles that are counted per site

// Counts are the results of the sink, as Matomo would report them.
type Counts struct {
	// Requests to the tracker except OPTIONS.
	Requests int64 `json:"requests"`
	// Accepted hits include excluded ones.
	Accepted int64 `json:"accepted"`
	// Rejected hits by reason.
	Rejected map[string]int64 `json:"rejected"`
	// Excluded hits by reason: accepted, but not recorded.
	Excluded map[string]int64 `json:"excluded"`
	// Faults by kind; "dropped, stored" are hits that were recorded without a response.
	Faults map[string]int64 `json:"faults"`
	// Violations includes repeated ones.
	Violations int64               `json:"violations"`
	Sites      map[int]*SiteCounts `json:"sites"`
	// Total is the sum over the sites.
	Total *SiteCounts `json:"total"`
}

// SiteCounts are the recorded data of one site.
type SiteCounts struct {
	Visits         int64 `json:"visits"`
	UniqueVisitors int64 `json:"unique_visitors"`
	// SplitVisits are the additional visits into which Matomo splits those of the sender, for example at midnight.
	SplitVisits int64 `json:"split_visits"`
	// Hits by kind. Those of the ledger are always present.
	Hits    map[string]int64 `json:"hits"`
	Actions int64            `json:"actions"`
	// Bounces are visits with 0 or 1 action.
	Bounces int64 `json:"bounces"`
	// Seconds is the total duration of the visits.
	Seconds int64 `json:"seconds"`
	reports.Sales
	// Visits by country and by type of referrer, page views by title (the first 10,000 titles).
	Countries map[string]int64 `json:"countries"`
	Referrers map[string]int64 `json:"referrers"`
	Titles    map[string]int64 `json:"titles"`
	// Days are by date (YYYY-MM-DD) in the site's zone.
	Days map[string]*DayCounts `json:"days"`
}

// DayCounts are the recorded data of a day of a site.
type DayCounts struct {
	// Visits that started on the day, and its hits by kind.
	Visits int64            `json:"visits"`
	Hits   map[string]int64 `json:"hits"`
}

func newSiteCounts() *SiteCounts {
	c := &SiteCounts{Hits: map[string]int64{}, Countries: map[string]int64{}, Referrers: map[string]int64{},
		Titles: map[string]int64{}, Days: map[string]*DayCounts{}}
	for _, k := range kinds {
		c.Hits[k.name] = 0
	}
	return c
}

func (c *SiteCounts) add(o *SiteCounts) {
	c.Visits += o.Visits
	c.UniqueVisitors += o.UniqueVisitors
	c.SplitVisits += o.SplitVisits
	c.Actions += o.Actions
	c.Bounces += o.Bounces
	c.Seconds += o.Seconds
	c.AddSales(o.Sales)
	addCounts(c.Hits, o.Hits)
	addCounts(c.Countries, o.Countries)
	addCounts(c.Referrers, o.Referrers)
	addCounts(c.Titles, o.Titles)
	for date, d := range o.Days {
		into := c.day(date)
		into.Visits += d.Visits
		addCounts(into.Hits, d.Hits)
	}
}

func addCounts(into, counts map[string]int64) {
	for k, n := range counts {
		into[k] += n
	}
}

func (c *SiteCounts) day(date string) *DayCounts {
	d, ok := c.Days[date]
	if !ok {
		d = &DayCounts{Hits: map[string]int64{}}
		c.Days[date] = d
	}
	return d
}

func (c *SiteCounts) title(title string) {
	if _, ok := c.Titles[title]; ok || len(c.Titles) < maxTitles {
		c.Titles[title]++
	}
}

// Counts returns a copy of the counts so far.
func (s *Sink) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.counts
	c.Rejected, c.Excluded, c.Faults = maps.Clone(c.Rejected), maps.Clone(c.Excluded), maps.Clone(c.Faults)
	c.Sites, c.Total = map[int]*SiteCounts{}, newSiteCounts()
	for id, site := range s.counts.Sites {
		c.Sites[id] = newSiteCounts()
		c.Sites[id].add(site)
		c.Total.add(site)
	}
	for _, v := range s.rules.list() {
		c.Violations += v.Count
	}
	return c
}

// shownHit is a hit in /sink/hits.
type shownHit struct {
	At       time.Time         `json:"at"`
	Site     int               `json:"site"`
	Visitor  string            `json:"visitor"`
	Kind     string            `json:"kind"`
	Rejected bool              `json:"rejected,omitempty"`
	Reason   string            `json:"reason,omitempty"`
	Params   map[string]string `json:"params"`
}

func masked(params map[string]string) map[string]string {
	out := maps.Clone(params)
	if _, ok := out["token_auth"]; ok {
		out["token_auth"] = "***MASKED***"
	}
	return out
}

func (s *Sink) hits() []shownHit {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.lastHits)
}

var pageTemplate = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>loadgen sink</title>
<style>body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem}pre{overflow:auto}</style>
<h1>Tracking requests</h1>
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

// writeTable prints counts and violations as text.
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
	_ = w.Flush() // the reader may be gone
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
	for i, cents := range []int64{site.Revenue, site.Subtotal, site.Tax, site.Shipping, site.Discount} {
		name := []string{"revenue", "subtotal", "tax", "shipping", "discount"}[i]
		row(name, fmt.Sprintf("%d.%02d", cents/100, cents%100))
	}
	row("items", site.Items)
	rows("country", site.Countries)
	rows("referrer", site.Referrers)
}
