// Package reports owns what Matomo's Reporting API tells of visits: their selection by period and segment, and the sums
// over them, in the API's own names. It counts no hits and knows no HTTP.
package reports

import "time"

// Visit is a row of Matomo's log_visit, as far as reports need it. Times are Unix seconds, money is in cents.
type Visit struct {
	// Visitor is its id, Day the date (YYYY-MM-DD) in the site's zone.
	Visitor, Day string
	First, Last  int64
	Seconds      int64
	// Actions are when its actions happened, in seconds after First.
	Actions []int32
	// Source is direct, search, social, website or campaign.
	Source, Campaign, Country, Device string
	// Returning says that the visitor has been on the site before.
	Returning bool
	// Dimensions are the custom ones by name: dimension1.
	Dimensions map[string]string

	Counts [figures]uint32
	Sales

	// Details are of the latest visits alone, nil for others.
	Details *Details

	shown *Visit // as the reports show it, where they are behind; nil for not at all
	dirty bool   // has changed since shown
}

// Figure is what reports count of a visit.
type Figure uint8

// The figures; of Other no report tells.
const (
	Other Figure = iota
	Pageviews
	Searches
	Events
	Outlinks
	Downloads
	Orders
	figures int = iota
)

// Sales sum orders, in cents, and their pieces.
type Sales struct {
	Revenue  int64 `json:"revenue_cents"`
	Subtotal int64 `json:"subtotal_cents"`
	Tax      int64 `json:"tax_cents"`
	Shipping int64 `json:"shipping_cents"`
	Discount int64 `json:"discount_cents"`
	Items    int64 `json:"items"`
}

// AddSales adds others.
func (s *Sales) AddSales(o Sales) {
	s.Revenue += o.Revenue
	s.Subtotal += o.Subtotal
	s.Tax += o.Tax
	s.Shipping += o.Shipping
	s.Discount += o.Discount
	s.Items += o.Items
}

// Details are what the visitor log tells of a visit beside its sums, by its own names.
type Details struct {
	Visit   Row
	Actions []Row
}

// Log holds the visits of all sites. Who uses it locks it.
type Log struct {
	sites map[int][]*Visit
	// every is how often reports are made anew, 0 for at once; next is when.
	every time.Duration
	next  time.Time
	dirty []*Visit
}

// NewLog makes a log whose reports are made anew every so often after start, as by a cron job; 0 is at once. What Live
// tells is never behind.
func NewLog(every time.Duration, start time.Time) *Log {
	return &Log{sites: map[int][]*Visit{}, every: every, next: start.Add(every)}
}

// Add takes a visit that has just been opened.
func (l *Log) Add(site int, v *Visit) { l.sites[site] = append(l.sites[site], v) }

// Touch tells that a visit has changed, or is about to. now does not go backward.
func (l *Log) Touch(v *Visit, now time.Time) {
	l.archive(now)
	if l.every > 0 && !v.dirty {
		v.dirty = true
		l.dirty = append(l.dirty, v)
	}
}

// archive makes the reports anew where that is due.
func (l *Log) archive(now time.Time) {
	if l.every <= 0 || now.Before(l.next) {
		return
	}
	l.next = l.next.Add(now.Sub(l.next).Truncate(l.every) + l.every)
	l.Archive()
}

// Archive makes the reports anew.
func (l *Log) Archive() {
	for _, v := range l.dirty {
		shown := *v
		v.shown, v.dirty = &shown, false
	}
	l.dirty = l.dirty[:0]
}

// raw are the visits of a site that a segment selects.
func (l *Log) raw(site int, selects Segment) []*Visit {
	var out []*Visit
	for _, v := range l.sites[site] {
		if selects(v) {
			out = append(out, v)
		}
	}
	return out
}

// archived are the visits of the days from one to another as the reports show them.
func (l *Log) archived(site int, selects Segment, s span) []*Visit {
	var out []*Visit
	for _, v := range l.sites[site] {
		if l.every > 0 {
			v = v.shown
		}
		if v != nil && v.Day >= s.from && v.Day <= s.to && selects(v) {
			out = append(out, v)
		}
	}
	return out
}
