// Package reports owns the reports of Matomo's Reporting API: the selection of visits by period and segment, and the
// sums over them. It does not depend on hits or HTTP.
package reports

import "time"

// Visit is a row of Matomo's log_visit, as far as reports need it. Times are in Unix seconds, money in cents.
type Visit struct {
	// Visitor is the visitor's id, Day the date (YYYY-MM-DD) in the site's time zone.
	Visitor, Day string
	First, Last  int64
	Seconds      int64
	// Actions are the times of its actions, in seconds after First.
	Actions []int32
	// Source is direct, search, social, website or campaign.
	Source, Campaign, Country, Device string
	// Returning means that the visitor has been on the site before.
	Returning bool
	// Dimensions are the custom dimensions by name, such as dimension1.
	Dimensions map[string]string

	Counts [figures]uint32
	Sales

	// Details is nil except for the latest visits.
	Details *Details

	archived *Visit // in delayed reports; nil if they do not contain it yet
	changed  bool   // since it was archived
}

// Figure is a number of hits of a visit in reports.
type Figure uint8

// The figures. Other is in no report.
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

// Sales are the totals of orders, in cents, and their number of items.
type Sales struct {
	Revenue  int64 `json:"revenue_cents"`
	Subtotal int64 `json:"subtotal_cents"`
	Tax      int64 `json:"tax_cents"`
	Shipping int64 `json:"shipping_cents"`
	Discount int64 `json:"discount_cents"`
	Items    int64 `json:"items"`
}

// AddSales adds o.
func (s *Sales) AddSales(o Sales) {
	s.Revenue += o.Revenue
	s.Subtotal += o.Subtotal
	s.Tax += o.Tax
	s.Shipping += o.Shipping
	s.Discount += o.Discount
	s.Items += o.Items
}

// Details are the additional fields of a visit in the visitor log.
type Details struct {
	Visit   Row
	Actions []Row
}

// Log contains the visits of all sites. It is not safe for concurrent use.
type Log struct {
	sites   map[int][]*Visit
	every   time.Duration // between updates of the reports, 0 for none
	next    time.Time     // of the next update
	changed []*Visit
}

// NewLog returns a log whose reports are updated at intervals after start, as by a cron job; 0 updates at once. Live
// reports have no delay.
func NewLog(every time.Duration, start time.Time) *Log {
	return &Log{sites: map[int][]*Visit{}, every: every, next: start.Add(every)}
}

// Add adds a visit that has just started.
func (l *Log) Add(site int, v *Visit) { l.sites[site] = append(l.sites[site], v) }

// Touch must be called before or after each change of a visit. now must not decrease.
func (l *Log) Touch(v *Visit, now time.Time) {
	l.archive(now)
	if l.every > 0 && !v.changed {
		v.changed = true
		l.changed = append(l.changed, v)
	}
}

func (l *Log) archive(now time.Time) {
	if l.every <= 0 || now.Before(l.next) {
		return
	}
	l.next = l.next.Add(now.Sub(l.next).Truncate(l.every) + l.every)
	for _, v := range l.changed {
		v.changed = false
		v.archived = new(*v)
	}
	l.changed = l.changed[:0]
}

func (l *Log) raw(site int, selects Segment) []*Visit {
	var out []*Visit
	for _, v := range l.sites[site] {
		if selects(v) {
			out = append(out, v)
		}
	}
	return out
}

// archived returns the visits of a site in a segment and a period, as the delayed reports contain them.
func (l *Log) archived(site int, selects Segment, s span) []*Visit {
	var out []*Visit
	for _, v := range l.sites[site] {
		if l.every > 0 {
			v = v.archived
		}
		if v != nil && v.Day >= s.from && v.Day <= s.to && selects(v) {
			out = append(out, v)
		}
	}
	return out
}
