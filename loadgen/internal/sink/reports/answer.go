package reports

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Query are the parameters of a report.
type Query struct {
	Site int
	Now  time.Time
	Zone *time.Location // of the site
	// Params are period, date, segment, filter_limit, filter_offset and the parameters of the method.
	Params map[string]string
}

// today returns the site's date.
func (q Query) today() time.Time {
	year, month, day := q.Now.In(q.Zone).Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// selection is the input of a report for one period.
type selection struct {
	visits []*Visit
	unique bool // unique visitors are counted for such a period
	params map[string]string
}

// with returns the selection of the visits for which f is true.
func (s selection) with(f func(*Visit) bool) selection {
	s.visits = slices.DeleteFunc(slices.Clone(s.visits), func(v *Visit) bool { return !f(v) })
	return s
}

// Row is one row of an answer.
type Row map[string]any

// methods return the report of one period.
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

// Exists reports whether there is such a report.
func Exists(method string) bool { return methods[method] != nil || live[method] != nil }

// Answer returns a report. The error describes an invalid query.
func (l *Log) Answer(method string, q Query) (any, error) {
	l.archive(q.Now)
	selects, err := ParseSegment(q.Params["segment"])
	if err != nil {
		return nil, err
	}
	if of := live[method]; of != nil {
		return of(l.raw(q.Site, selects), q)
	}
	period := q.Params["period"]
	spans, many, err := spans(period, q.Params["date"], q.today())
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

// page returns the rows selected by filter_limit (-1 for all) and filter_offset. limit is the default.
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

// percent formats a share like Matomo.
func percent(part, total int64) string {
	return fmt.Sprintf("%.0f%%", 100*float64(part)/float64(max(total, 1)))
}

// Amount returns money in Matomo's unit.
func Amount(cents int64) float64 { return float64(cents) / 100 }
