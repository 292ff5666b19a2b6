package reports

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

var noData = []Row{}

func visitMetrics(s selection) Row {
	var actions, seconds, bounces, most, converted int64
	visitors := map[string]struct{}{}
	for _, v := range s.visits {
		n := int64(len(v.Actions))
		actions, seconds, most = actions+n, seconds+v.Seconds, max(most, n)
		if n <= 1 {
			bounces++
		}
		if v.Counts[Orders] > 0 {
			converted++
		}
		if s.unique {
			visitors[v.Visitor] = struct{}{}
		}
	}
	row := Row{
		"nb_visits": len(s.visits), "nb_actions": actions, "sum_visit_length": seconds, "bounce_count": bounces,
		"max_actions": most, "nb_visits_converted": converted,
	}
	if s.unique {
		row["nb_uniq_visitors"] = len(visitors)
	}
	return row
}

func summary(s selection) any {
	if len(s.visits) == 0 {
		return noData
	}
	row, n := visitMetrics(s), int64(len(s.visits))
	row["nb_users"] = 0
	row["bounce_rate"] = percent(row["bounce_count"].(int64), n)
	row["nb_actions_per_visit"] = float64(row["nb_actions"].(int64)*10/n) / 10
	row["avg_time_on_site"] = row["sum_visit_length"].(int64) / n
	return row
}

func single(name string) func(selection) any {
	return func(s selection) any { return value{cmp.Or(visitMetrics(s)[name], any(0))} }
}

// value is an answer of one number. It has no wrapper in answers by period.
type value struct {
	Value any `json:"value"`
}

// counts is a report whose metrics each sum up a figure of the visits.
func counts(metrics map[string]Figure) func(selection) any {
	return func(s selection) any {
		if len(s.visits) == 0 {
			return noData
		}
		row := Row{}
		for name, figure := range metrics {
			var n uint32
			for _, v := range s.visits {
				n += v.Counts[figure]
			}
			row[name] = n
		}
		return row
	}
}

var (
	actions = counts(map[string]Figure{"nb_pageviews": Pageviews, "nb_searches": Searches, "nb_outlinks": Outlinks,
		"nb_downloads": Downloads})
	events = counts(map[string]Figure{"nb_events": Events})
)

// orders reports the shop's orders. There are no other goals.
func orders(s selection) any {
	if goal := s.params["idGoal"]; len(s.visits) == 0 || goal != "" && goal != "ecommerceOrder" {
		return noData
	}
	var n, converted int64
	var all Sales
	for _, v := range s.visits {
		n += int64(v.Counts[Orders])
		converted += int64(min(v.Counts[Orders], 1))
		all.AddSales(v.Sales)
	}
	return Row{
		"nb_conversions": n, "nb_visits_converted": converted,
		"conversion_rate": percent(converted, int64(len(s.visits))), "revenue": Amount(all.Revenue),
		"revenue_subtotal": Amount(all.Subtotal), "revenue_tax": Amount(all.Tax),
		"revenue_shipping": Amount(all.Shipping), "revenue_discount": Amount(all.Discount),
		"items": all.Items, "avg_order_revenue": Amount(all.Revenue / max(n, 1)),
	}
}

func get(s selection) any {
	if len(s.visits) == 0 {
		return noData
	}
	all := Row{}
	for _, part := range []any{summary(s), actions(s), events(s)} {
		maps.Copy(all, part.(Row))
	}
	return all
}

func frequency(s selection) any {
	if len(s.visits) == 0 {
		return noData
	}
	out := Row{}
	for _, kind := range []string{"new", "returning"} {
		for name, n := range visitMetrics(s.with(func(v *Visit) bool { return visitorType(v) == kind })) {
			out[name+"_"+kind] = n
		}
	}
	return out
}

// by is a report with a row for each value of a dimension of segments.
func by(segment string, label func(string) string) func(selection) any {
	return func(s selection) any { return breakDown(s, segment, texts[segment], label) }
}

// breakDown returns a report with a row for each value, most visits first. segment is the dimension in segments.
func breakDown(s selection, segment string, of func(*Visit) string, label func(string) string) any {
	parts := map[string][]*Visit{}
	for _, v := range s.visits {
		parts[of(v)] = append(parts[of(v)], v)
	}
	rows := []Row{}
	for value, visits := range parts {
		row := visitMetrics(selection{visits: visits, unique: s.unique})
		row["label"] = label(value)
		row["segment"] = segment + "==" + url.QueryEscape(value)
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(b["nb_visits"].(int), a["nb_visits"].(int)),
			cmp.Compare(a["label"].(string), b["label"].(string)))
	})
	return page(rows, s.params, 100)
}

func same(s string) string { return s }

// sourceNames are the labels of referrer types (plugins/Referrers/lang/en.json).
var sourceNames = map[string]string{
	"direct": "Direct Entry", "search": "Search Engines", "social": "Social Networks", "website": "Websites",
	"campaign": "Campaigns",
}

var (
	byCountry = by("countryCode", strings.ToUpper)
	bySource  = by("referrerType", func(v string) string { return sourceNames[v] })
	byDevice  = by("deviceType", func(v string) string { return strings.ToUpper(v[:1]) + v[1:] })
)

func byDimension(s selection) any {
	name := "dimension" + s.params["idDimension"]
	of := func(v *Visit) string { return v.Dimensions[name] }
	return breakDown(s.with(func(v *Visit) bool { return of(v) != "" }), name, of, same)
}

// byHour is by the clock of the server, UTC in Matomo.
func byHour(s selection) any {
	return breakDown(s, "visitServerHour", func(v *Visit) string {
		return time.Unix(v.First, 0).UTC().Format("15")
	}, same)
}
