package doctor

import (
	"context"
	"net/url"
	"strings"

	"github.com/puttrix/trafficinator/shared/hit"
)

// needed are plug-ins without which hits become something else, by what Matomo 5.2 was seen to do without them. loses
// says that hits are lost, or become others; else only what they carry is.
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

// plugins tells of those that are needed for what is sent, which any user may ask for who may view a site.
func (x *examination) plugins(ctx context.Context) []Finding {
	const check = "plugins"
	var out []Finding
	var active, unknown []string
	var why error
	for _, p := range needed {
		if !p.when(&x.expect) {
			continue
		}
		var is struct{ Value any }
		if err := x.Call(ctx, x.target, "API.isPluginActivated", url.Values{"pluginName": {p.name}}, &is); err != nil {
			unknown, why = append(unknown, p.name), err
			continue
		}
		if filled(is.Value) {
			active = append(active, p.name)
			continue
		}
		cure := strings.TrimSuffix("activate it in Administration → Plugins, "+p.cure, ", ")
		finding := warning
		if p.loses {
			finding = failed
		}
		out = append(out, finding(check, cure, "%s is not active: %s", p.name, p.effect))
	}
	if len(unknown) > 0 {
		out = append(out, skipped(check, "view access to some site",
			"see Administration → Plugins, or send a probe visit",
			"the state of these plugins cannot be read: %s: %v", strings.Join(unknown, ", "), why))
	}
	if len(active) > 0 && len(out) == 0 {
		out = append(out, passed(check, "all required plugins are active: %s", strings.Join(active, ", ")))
	}
	return out
}
