package sink

import (
	"maps"
	"strings"

	"github.com/puttrix/trafficinator/loadgen/internal/sink/reports"
)

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
