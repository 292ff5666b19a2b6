package reconcile

import (
	"github.com/puttrix/trafficinator/controller/internal/reconcile/evidence"
	"github.com/puttrix/trafficinator/shared/matomo"
)

// less subtracts earlier figures. Unique visitors do not add up: one may have visited before and after.
func less(shown, before matomo.Figures) matomo.Figures {
	out := shown
	out.Unique = nil
	out.Visits -= min(out.Visits, before.Visits)
	out.Items -= min(out.Items, before.Items)
	out.Revenue -= before.Revenue
	out.Tax -= before.Tax
	out.Shipping -= before.Shipping
	out.Hits = without(shown.Hits, before.Hits)
	out.Days, out.Countries = without(shown.Days, before.Days), without(shown.Countries, before.Countries)
	out.Sources, out.Devices = without(shown.Sources, before.Sources), without(shown.Devices, before.Devices)
	return out
}

func plus(a, b matomo.Figures) matomo.Figures {
	return matomo.Figures{
		Visits: a.Visits + b.Visits, Hits: both(a.Hits, b.Hits), Items: a.Items + b.Items,
		Revenue: a.Revenue + b.Revenue, Tax: a.Tax + b.Tax, Shipping: a.Shipping + b.Shipping,
		Days: both(a.Days, b.Days), Countries: both(a.Countries, b.Countries), Sources: both(a.Sources, b.Sources),
		Devices: both(a.Devices, b.Devices),
	}
}

func both(a, b map[string]uint64) map[string]uint64 {
	out := map[string]uint64{}
	for _, m := range []map[string]uint64{a, b} {
		for name, n := range m {
			out[name] += n
		}
	}
	return out
}

func without(shown, before map[string]uint64) map[string]uint64 {
	out := map[string]uint64{}
	for name, n := range shown {
		if rest := n - min(n, before[name]); rest > 0 {
			out[name] = rest
		}
	}
	return out
}

// lessLog subtracts an earlier raw log.
func lessLog(log, before evidence.RawLog) evidence.RawLog {
	out := evidence.RawLog{Visits: lessSpan(log.Visits, before.Visits)}
	if log.Actions != nil && before.Actions != nil {
		out.Actions = new(lessSpan(*log.Actions, *before.Actions))
	}
	return out
}

func lessSpan(a, b evidence.Span) evidence.Span {
	return evidence.Span{Least: a.Least - min(a.Least, b.Most), Most: a.Most - min(a.Most, b.Least)}
}

// rawLogOf returns the raw log of visits that the reports show completely.
func rawLogOf(r matomo.Figures) evidence.RawLog {
	return evidence.RawLog{Visits: evidence.Span{Least: r.Visits, Most: r.Visits},
		Actions: &evidence.Span{Least: r.Actions(), Most: r.Actions()}}
}

// behind reports whether reports show less than the raw log: visits are archived after they are recorded, and again
// with their later actions.
func behind(reports matomo.Figures, log *evidence.RawLog) bool {
	return log != nil && (reports.Visits < log.Visits.Least ||
		log.Actions != nil && reports.Actions() < log.Actions.Least)
}
