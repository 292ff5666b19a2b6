package proof

import (
	"reflect"
	"time"

	"github.com/puttrix/trafficinator/shared/matomo"
)

// less takes off what was there before. Unique visitors are no sum: who came before and after is one.
func less(shown, before matomo.Recorded) matomo.Recorded {
	out := shown
	out.Unique = nil
	for _, pair := range []struct{ of, off *uint64 }{
		{&out.Visits, &before.Visits}, {&out.Pageviews, &before.Pageviews}, {&out.Searches, &before.Searches}, {&out.Events, &before.Events},
		{&out.Outlinks, &before.Outlinks}, {&out.Downloads, &before.Downloads}, {&out.Orders, &before.Orders}, {&out.Items, &before.Items},
	} {
		*pair.of -= min(*pair.of, *pair.off)
	}
	out.Revenue -= before.Revenue
	out.Tax -= before.Tax
	out.Shipping -= before.Shipping
	out.Days, out.Countries = without(shown.Days, before.Days), without(shown.Countries, before.Countries)
	out.Sources, out.Devices = without(shown.Sources, before.Sources), without(shown.Devices, before.Devices)
	return out
}

// sumOf adds up the days of a slice; false where nobody looked at its first one. Days after those that were looked at had
// not begun.
func sumOf(days map[string]matomo.Recorded, s matomo.Slice) (sum matomo.Recorded, looked bool) {
	_, looked = days[s.From.Format(time.DateOnly)]
	for day, r := range days {
		if at, err := time.Parse(time.DateOnly, day); err != nil || at.Before(s.From) || at.After(s.To) {
			continue
		}
		sum = plus(sum, r)
	}
	return sum, looked
}

func plus(a, b matomo.Recorded) matomo.Recorded {
	out := matomo.Recorded{
		Visits: a.Visits + b.Visits, Pageviews: a.Pageviews + b.Pageviews, Searches: a.Searches + b.Searches, Events: a.Events + b.Events,
		Outlinks: a.Outlinks + b.Outlinks, Downloads: a.Downloads + b.Downloads, Orders: a.Orders + b.Orders, Items: a.Items + b.Items,
		Revenue: a.Revenue + b.Revenue, Tax: a.Tax + b.Tax, Shipping: a.Shipping + b.Shipping,
	}
	out.Days, out.Countries, out.Sources, out.Devices = both(a.Days, b.Days), both(a.Countries, b.Countries), both(a.Sources, b.Sources), both(a.Devices, b.Devices)
	return out
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

func same(a, b matomo.Recorded) bool { return reflect.DeepEqual(a, b) }
