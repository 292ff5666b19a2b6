package sink

import (
	"maps"
	"strings"

	"github.com/puttrix/trafficinator/loadgen/internal/sink/reports"
)

// count adds a hit to the row of its visit.
func count(v *reports.Visit, h *hit) {
	switch h.kind {
	case kindPageview:
		v.Pageviews++
	case kindSearch:
		v.Searches++
	case kindEvent:
		v.Events++
	case kindOutlink:
		v.Outlinks++
	case kindDownload:
		v.Downloads++
	case kindOrder:
		v.Orders++
		p := h.params
		v.Revenue += cents(p["revenue"])
		v.Subtotal += cents(p["ec_st"])
		v.Tax += cents(p["ec_tx"])
		v.Shipping += cents(p["ec_sh"])
		v.Discount += cents(p["ec_dt"])
		items, _ := parseItems(p["ec_items"])
		for _, it := range items {
			v.Items += it.quantity
		}
	}
}

// dimensions keeps the custom ones of a visit; the last value wins (plugins/CustomDimensions/Tracker). A map that is
// there stays as it is, because a report may hold it.
func dimensions(v *reports.Visit, h *hit) {
	for name, value := range h.params {
		if value == "" || !strings.HasPrefix(name, "dimension") || v.Dimensions[name] == value {
			continue
		}
		all := maps.Clone(v.Dimensions)
		if all == nil {
			all = map[string]string{}
		}
		all[strings.Clone(name)] = strings.Clone(value)
		v.Dimensions = all
	}
}

// deviceOf is the type of device by the user agent, as far as common browsers tell (matomo-org/device-detector).
func deviceOf(agent string) string {
	has := func(word string) bool { return strings.Contains(agent, word) }
	switch {
	case has("iPad"), has("Android") && !has("Mobile"):
		return "tablet"
	case has("Mobile"), has("iPhone"):
		return "smartphone"
	case has("Windows NT"), has("Macintosh"), has("X11"), has("CrOS"):
		return "desktop"
	default:
		return "unknown"
	}
}
