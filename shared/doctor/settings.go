package doctor

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/urllist"
)

func (x *examination) site(ctx context.Context) (*matomo.Site, []Finding) {
	site, err := x.Site(ctx, x.target)
	if err != nil {
		return nil, skipped("site", "view access to the site", "see Administration → Websites → Manage",
			"the site's settings cannot be read: %v", err)
	}
	out := passed("site", "%s", strings.Join([]string{site.Name, site.Timezone, site.Currency}, ", "))
	if want := x.expect.Zone; want != nil {
		out = append(out, x.timezone(&site, *want)...)
	}
	switch want := x.expect.Currency; want {
	case "":
	case site.Currency:
		out = append(out, passed("currency", "%s, same as ECOMMERCE_CURRENCY", want)...)
	default:
		out = append(out, warning("currency",
			"set ECOMMERCE_CURRENCY="+site.Currency+" and matching amounts, or change the site's currency",
			"Matomo records all amounts in %s, but ECOMMERCE_CURRENCY is %s", site.Currency, want)...)
	}
	return &site, slices.Concat(out, x.created(ctx, &site), x.search(ctx, &site), x.ecommerce(&site),
		x.urls(ctx, &site), x.excluded(ctx, &site))
}

// timezone compares the days to send, or those of a year: zones with different names may have the same days.
func (x *examination) timezone(site *matomo.Site, want calendar.Zone) []Finding {
	const check, cure = "timezone", "set TIMEZONE to the site's time zone, or change it in Matomo"
	is, err := site.Zone()
	if err != nil {
		return skipped(check, "", cure, "the site uses %s, which cannot be compared with TIMEZONE %s",
			site.Timezone, want)
	}
	today := calendar.DateOf(time.Now())
	days := calendar.Window{First: today.Add(-182), Last: today.Add(183)}
	if x.expect.Past != nil {
		days = *x.expect.Past
	}
	day, differ := is.FirstDifference(want, days.First, days.Last)
	switch {
	case is.String() == want.String():
		return passed(check, "%s, same as TIMEZONE", is)
	case !differ:
		return passed(check, "%s, with the same days as TIMEZONE %s", is, want)
	case x.expect.Past != nil:
		return failed(check, cure,
			"the site uses %s, but TIMEZONE is %s: days differ from %s on, so the backfill would be refused",
			is, want, day)
	}
	return warning(check, cure,
		"the site uses %s, but TIMEZONE is %s: visits near midnight may count for another day or be split", is, want)
}

func (x *examination) search(ctx context.Context, site *matomo.Site) []Finding {
	const check = "search"
	switch {
	case site.SiteSearch:
	case !x.expect.Sends[hit.Search]:
		return passed(check, "site search is off; no searches are sent")
	default:
		return warning(check, "turn it on in the site's settings or set SITESEARCH_PROBABILITY=0",
			"site search is off, so searches are recorded as pages")
	}
	names := site.SearchParameters
	if len(names) == 0 {
		var err error
		if names, err = x.GlobalList(ctx, x.target, "SitesManager.getSearchKeywordParametersGlobal"); err != nil {
			names = urllist.SearchParameters
		}
	}
	if page := withParameter(x.expect.Pages, names); page != "" {
		return warning(check, "remove the parameter from the pages, or from the site's search parameters",
			"pages such as %s are recorded as searches, because their URL contains one of %s", page,
			strings.Join(names, ", "))
	}
	return passed(check, "site search is on")
}

func (x *examination) ecommerce(site *matomo.Site) []Finding {
	switch {
	case site.Ecommerce:
		return passed("ecommerce", "ecommerce is on")
	case !x.expect.Sends[hit.Order]:
		return passed("ecommerce", "ecommerce is off; no orders are sent")
	}
	return warning("ecommerce", "turn it on in the site's settings or set ECOMMERCE_PROBABILITY=0",
		"ecommerce is off, so orders are not shown")
}

func (x *examination) goals(ctx context.Context) []Finding {
	const check = "goals"
	type goal struct {
		ID      matomo.Number `json:"idgoal"`
		Name    string        `json:"name"`
		Match   string        `json:"match_attribute"`
		Pattern string        `json:"pattern"`
		Type    string        `json:"pattern_type"`
	}
	all, err := list[goal](ctx, x, "Goals.getGoals", x.forSite("filter_limit", "-1"))
	if err != nil {
		return skipped(check, "view access to the site", "see Administration → Goals", "goals cannot be read: %v", err)
	}
	var automatic []string
	for _, g := range all {
		if g.Match != "manually" {
			automatic = append(automatic,
				fmt.Sprintf("%d %q (%s %s %q)", g.ID, g.Name, g.Match, strings.ReplaceAll(g.Type, "_", " "), g.Pattern))
		}
	}
	if len(automatic) == 0 {
		return passed(check, "no goal converts automatically")
	}
	return warning(check, "exclude them when comparing conversions, or use a site without goals",
		"some goals convert automatically, with conversions and revenue that are not planned: %s", some(automatic))
}

func (x *examination) dimension(ctx context.Context) []Finding {
	want := x.expect.Dimension
	if want == 0 {
		return nil
	}
	const check, place = "dimension", "Administration → Websites → Custom dimensions"
	type dimension struct {
		ID     matomo.Number `json:"idcustomdimension"`
		Scope  string        `json:"scope"`
		Active any           `json:"active"`
	}
	all, err := list[dimension](ctx, x, "CustomDimensions.getConfiguredCustomDimensions", x.forSite())
	if err != nil {
		const look = "check that the plugin CustomDimensions is active, and see " + place
		return skipped(check, "view access to the site", look, "custom dimensions cannot be read: %v", err)
	}
	i := slices.IndexFunc(all, func(d dimension) bool { return int(d.ID) == want })
	const cure = "add a dimension of scope visit in " + place + ", and set RUN_DIMENSION to its ID"
	switch {
	case i < 0:
		return warning(check, cure,
			"RUN_DIMENSION=%d does not exist on the site: this run's visits cannot be isolated", want)
	case all[i].Scope != "visit":
		return warning(check, cure,
			"RUN_DIMENSION=%d is of scope %q, not visit: this run's visits cannot be isolated", want, all[i].Scope)
	case !isOn(all[i].Active):
		return warning(check, "activate it in "+place,
			"RUN_DIMENSION=%d is not active: this run's visits cannot be isolated", want)
	}
	return passed(check, "RUN_DIMENSION=%d is active and of scope visit", want)
}

// forSite are parameters of a request about the site, followed by pairs of name and value.
func (x *examination) forSite(pairs ...string) url.Values {
	form := url.Values{"idSite": {strconv.Itoa(x.target.SiteID)}}
	for pair := range slices.Chunk(pairs, 2) {
		form.Set(pair[0], pair[1])
	}
	return form
}

// list calls a method that returns a list, which some versions write as an object by ID.
func list[T any](ctx context.Context, x *examination, method string, form url.Values) ([]T, error) {
	var all matomo.List[T]
	err := x.Call(ctx, x.target, method, form, &all)
	return all, err
}

// isOn reports whether a setting is on, in any form that PHP writes as JSON.
func isOn(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case float64:
		return v != 0
	case string:
		return v != "" && v != "0"
	case []any:
		return len(v) > 0
	}
	return false
}

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
