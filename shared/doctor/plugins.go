package doctor

import (
	"context"
	"net/url"
	"strings"

	"github.com/puttrix/trafficinator/shared/hit"
)

// needed are plug-ins that hits need, by what Matomo 5.2 was seen to do without them. loses means that hits are lost or
// become others; otherwise only some of their data is.
var needed = []struct {
	name   string
	when   func(*Expectation) bool
	loses  bool
	effect string
	cure   string
}{
	{"Events", sends(hit.Event), true,
		"every event is rejected, and in bulk mode its whole request",
		"or set CLICK_EVENTS_PROBABILITY=0 and RANDOM_EVENTS_PROBABILITY=0"},
	{"Ecommerce", sends(hit.Order), true, "orders are recorded as pages", "or set ECOMMERCE_PROBABILITY=0"},
	{"Goals", sends(hit.Order), true, "orders are recorded as pages", "or set ECOMMERCE_PROBABILITY=0"},
	{"Heartbeat", always, true, "the ping that ends a visit is recorded as a page", ""},
	{"Actions", always, true, "only orders are recorded", ""},
	{"CustomDimensions", func(e *Expectation) bool {
		return e.Dimension > 0
	}, false, "this run's visits cannot be isolated", "or set RUN_DIMENSION=0"},
	{"Referrers", always, false, "referrers are not recorded", ""},
	{"UserCountry", always, false, "countries and cities are not recorded", ""},
	{"DevicesDetection", always, false, "devices and browsers are not recorded", ""},
	{"Resolution", always, false, "screen resolutions are not recorded", ""},
	{"UserLanguage", always, false, "languages are not recorded", ""},
	{"PagePerformance", always, false, "page load times are not recorded", ""},
}

func always(*Expectation) bool { return true }

func sends(kind hit.Kind) func(*Expectation) bool {
	return func(e *Expectation) bool { return e.Sends[kind] }
}

// plugins checks the needed plug-ins; any user with view access to a site may ask for them.
func (x *examination) plugins(ctx context.Context) (out []Finding) {
	const check = "plugins"
	var active, unread []string
	var why error
	for _, p := range needed {
		if !p.when(&x.expect) {
			continue
		}
		var is struct{ Value any }
		err := x.Call(ctx, x.target, "API.isPluginActivated", url.Values{"pluginName": {p.name}}, &is)
		switch {
		case err != nil:
			unread, why = append(unread, p.name), err
		case isOn(is.Value):
			active = append(active, p.name)
		default:
			finding := warning
			if p.loses {
				finding = failed
			}
			cure := strings.TrimSuffix("activate it in Administration → Plugins, "+p.cure, ", ")
			out = append(out, finding(check, cure, "%s is not active: %s", p.name, p.effect)...)
		}
	}
	switch {
	case len(unread) > 0:
		return append(out, skipped(check, "view access to some site",
			"see Administration → Plugins, or send a probe visit",
			"the state of these plugins cannot be read: %s: %v", strings.Join(unread, ", "), why)...)
	case len(active) > 0 && len(out) == 0:
		return passed(check, "all required plugins are active: %s", strings.Join(active, ", "))
	}
	return out
}
