package proof

import (
	"reflect"

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
