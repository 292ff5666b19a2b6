package reports

import (
	"fmt"
	"strconv"
	"time"
)

// Query is what a report is asked for.
type Query struct {
	Site int
	// Now is the clock of the site, and Zone that of its days.
	Now  time.Time
	Zone *time.Location
	// Params are the parameters of the call: period, date, segment, filter_limit, filter_offset and what a method has
	// of its own.
	Params map[string]string
}

// selection is what a report of one period is made of.
type selection struct {
	visits []*Visit
	unique bool // visitors are counted for such a period
	params map[string]string
}

// Row is an entry of an answer, or the whole of it.
type Row map[string]any

// methods make the answer for one period.
var methods = map[string]func(selection) any{
	"API.get":                                    get,
	"Actions.get":                                actions,
	"CustomDimensions.getCustomDimension":        byDimension,
	"DevicesDetection.getType":                   byDevice,
	"Events.get":                                 events,
	"Goals.get":                                  orders,
	"Referrers.getReferrerType":                  bySource,
	"UserCountry.getCountry":                     byCountry,
	"VisitFrequency.get":                         frequency,
	"VisitTime.getVisitInformationPerServerTime": byHour,
	"VisitsSummary.get":                          summary,
	"VisitsSummary.getActions":                   single("nb_actions"),
	"VisitsSummary.getUniqueVisitors":            single("nb_uniq_visitors"),
	"VisitsSummary.getVisits":                    single("nb_visits"),
}

// Knows says that there is such a report.
func Knows(method string) bool { return methods[method] != nil || live[method] != nil }

// Answer makes a report. The error is what is wrong with the query.
func (l *Log) Answer(method string, q Query) (any, error) {
	l.archive(q.Now)
	selects, err := ParseSegment(q.Params["segment"])
	if err != nil {
		return nil, err
	}
	if of := live[method]; of != nil {
		return of(l.raw(q.Site, selects), q)
	}
	local := q.Now.In(q.Zone)
	today := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC)
	period := q.Params["period"]
	spans, many, err := spans(period, q.Params["date"], today)
	if err != nil {
		return nil, err
	}
	byName := Row{}
	for _, s := range spans {
		visits := l.archived(q.Site, selects, s)
		one := methods[method](selection{visits, unique(period), q.Params})
		if !many {
			return one, nil
		}
		if v, ok := one.(value); ok {
			one = v.Value
		}
		byName[s.name] = one
	}
	return byName, nil
}

// page is the part of rows that filter_limit (100 by default, -1 for all) and filter_offset ask for.
func page[T any](rows []T, params map[string]string, limit int) []T {
	if n, err := strconv.Atoi(params["filter_offset"]); err == nil && n > 0 {
		rows = rows[min(n, len(rows)):]
	}
	if n, err := strconv.Atoi(params["filter_limit"]); err == nil {
		limit = n
	}
	if limit >= 0 {
		rows = rows[:min(limit, len(rows))]
	}
	return rows
}

// percent is a share as Matomo writes it.
func percent(part, whole int64) string {
	if whole == 0 {
		return "0%"
	}
	return fmt.Sprintf("%.0f%%", 100*float64(part)/float64(whole))
}

func money(cents int64) float64 { return float64(cents) / 100 }
