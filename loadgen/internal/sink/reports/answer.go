package reports

import (
	"cmp"
	"fmt"
	"maps"
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

func (q Query) today() time.Time {
	year, month, day := q.Now.In(q.Zone).Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

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

func percent(part, total int64) string {
	return fmt.Sprintf("%.0f%%", 100*float64(part)/float64(max(total, 1)))
}

// Amount returns money in Matomo's unit.
func Amount(cents int64) float64 { return float64(cents) / 100 }

// live are the reports of single visits, without delay.
var live = map[string]func([]*Visit, Query) (any, error){
	"Live.getCounters":          counters,
	"Live.getLastVisitsDetails": lastVisits,
}

func counters(visits []*Visit, q Query) (any, error) {
	minutes, err := strconv.Atoi(q.Params["lastMinutes"])
	if err != nil || minutes < 1 || minutes > 2880 {
		return nil, fmt.Errorf("lastMinutes %q is not from 1 to 2880", q.Params["lastMinutes"])
	}
	since := q.Now.Add(-time.Duration(minutes) * time.Minute).Unix()
	recent, actions, converted := 0, 0, 0
	visitors := map[string]struct{}{}
	for _, v := range visits {
		if v.Last < since {
			continue
		}
		recent++
		visitors[v.Visitor] = struct{}{}
		if v.Counts[Orders] > 0 {
			converted++
		}
		for _, after := range v.Actions {
			if v.First+int64(after) >= since {
				actions++
			}
		}
	}
	return []Row{{"visits": recent, "actions": actions, "visitors": len(visitors), "visitsConverted": converted}}, nil
}

// lastVisits returns visits, latest first, of all times or of a period.
func lastVisits(visits []*Visit, q Query) (any, error) {
	since, _ := strconv.ParseInt(q.Params["minTimestamp"], 10, 64) // 0 if missing
	days := []span{{from: "0", to: "9"}}
	if q.Params["period"] != "" && q.Params["date"] != "" {
		var err error
		if days, _, err = spans(q.Params["period"], q.Params["date"], q.today()); err != nil {
			return nil, err
		}
	}
	var picked []*Visit
	for _, v := range visits {
		if v.Last >= since && v.Day >= days[0].from && v.Day <= days[len(days)-1].to {
			picked = append(picked, v)
		}
	}
	slices.SortStableFunc(picked, func(a, b *Visit) int { return cmp.Compare(b.Last, a.Last) })
	rows := []Row{}
	for _, v := range page(picked, q.Params, 10) {
		row := Row{
			"idSite": q.Site, "visitorId": v.Visitor, "visitorType": visitorType(v), "serverDate": v.Day,
			"firstActionTimestamp": v.First, "lastActionTimestamp": v.Last, "serverTimestamp": v.Last,
			"visitDuration": v.Seconds,
			"actions":       len(v.Actions), "events": v.Counts[Events], "searches": v.Counts[Searches],
			"totalEcommerceConversions": v.Counts[Orders],
			"totalEcommerceRevenue":     Amount(v.Revenue), "totalEcommerceItems": v.Items,
			"countryCode": v.Country, "deviceType": v.Device, "referrerType": v.Source, "actionDetails": noData,
		}
		for name, value := range v.Dimensions {
			row[name] = value
		}
		if d := v.Details; d != nil { // copied, because it changes later
			maps.Copy(row, d.Visit)
			row["actionDetails"] = slices.Clone(d.Actions)
		}
		rows = append(rows, row)
	}
	return rows, nil
}
