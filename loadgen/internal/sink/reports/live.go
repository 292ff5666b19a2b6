package reports

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// live are the reports of single visits, without delay.
var live = map[string]func([]*Visit, Query) (any, error){
	"Live.getCounters":          counters,
	"Live.getLastVisitsDetails": lastVisits,
}

// counters counts actions of the last minutes, and visits whose last action was in that time.
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
