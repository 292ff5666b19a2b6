package sink

import (
	"maps"

	"github.com/puttrix/trafficinator/loadgen/internal/sink/reports"
)

const maxTitles = 10_000 // distinct titles that are counted per site

// Counts is what the sink has seen, as Matomo would report it.
type Counts struct {
	// Requests to the tracker, whatever became of them; OPTIONS is none.
	Requests int64 `json:"requests"`
	// Accepted hits were answered as tracked; excluded ones are among them.
	Accepted int64 `json:"accepted"`
	// Rejected hits by reason.
	Rejected map[string]int64 `json:"rejected"`
	// Excluded hits by reason: answered as tracked, but not recorded.
	Excluded map[string]int64 `json:"excluded"`
	// Faults made on purpose, by kind; "dropped, stored" are hits that were recorded without an answer.
	Faults map[string]int64 `json:"faults"`
	// Violations is the number of objections, not of distinct ones.
	Violations int64               `json:"violations"`
	Sites      map[int]*SiteCounts `json:"sites"`
	// Total is the sum over the sites.
	Total *SiteCounts `json:"total"`
}

// SiteCounts is what was recorded for one site.
type SiteCounts struct {
	Visits         int64 `json:"visits"`
	UniqueVisitors int64 `json:"unique_visitors"`
	// SplitVisits are visits beyond the first that a sender's one visit became, at midnight for instance; they are
	// among Visits.
	SplitVisits int64 `json:"split_visits"`
	// Hits recorded, by kind; those of the ledger always stand here, others once they occur.
	Hits map[string]int64 `json:"hits"`
	// Actions and Bounces (visits with 0 or 1 action) by Matomo's definition.
	Actions int64 `json:"actions"`
	Bounces int64 `json:"bounces"`
	// Seconds is the sum of the visits' durations.
	Seconds int64 `json:"seconds"`
	reports.Sales
	// Visits by country and by type of referrer, pageviews by title (the first 10,000 titles).
	Countries map[string]int64 `json:"countries"`
	Referrers map[string]int64 `json:"referrers"`
	Titles    map[string]int64 `json:"titles"`
	// Days are by date (YYYY-MM-DD) in the site's zone.
	Days map[string]*DayCounts `json:"days"`
}

// DayCounts is what was recorded for a day of a site.
type DayCounts struct {
	// Visits that were opened on it, and hits recorded on it by kind.
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
	for _, pair := range [][2]map[string]int64{{c.Hits, o.Hits}, {c.Countries, o.Countries}, {c.Referrers, o.Referrers},
		{c.Titles, o.Titles}} {
		for k, n := range pair[1] {
			pair[0][k] += n
		}
	}
	for date, d := range o.Days {
		into := c.day(date)
		into.Visits += d.Visits
		for k, n := range d.Hits {
			into.Hits[k] += n
		}
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

// Counts is a copy of the counts so far.
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
