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
)

// site compares the site's settings.
func (x *examination) site(ctx context.Context) (*matomo.Site, []Finding) {
	site, err := x.Site(ctx, x.target)
	if err != nil {
		return nil, []Finding{untold("site", "view access to the site", "look at Administration, Websites, Manage",
			"its settings cannot be read: %v", err)}
	}
	out := []Finding{good("site", "%s", strings.Join([]string{site.Name, site.Timezone, site.Currency}, ", "))}
	if want := x.expect.Zone; want != nil {
		out = append(out, x.timezone(&site, *want))
	}
	switch want := x.expect.Currency; want {
	case "":
	case site.Currency:
		out = append(out, good("currency", "%s, as ECOMMERCE_CURRENCY", want))
	default:
		out = append(out, doubtful("currency",
			"set ECOMMERCE_CURRENCY="+site.Currency+" and amounts that suit it, or change the site's currency",
			"Matomo books every amount as %s, but ECOMMERCE_CURRENCY is %s", site.Currency, want))
	}
	out = append(out, x.created(ctx, &site)...)
	out = append(out, x.search(ctx, &site), x.ecommerce(&site), x.urls(ctx, &site))
	return &site, append(out, x.excluded(ctx, &site)...)
}

// timezone compares the days that are sent, because zones of different names may have the same; for live traffic those
// of a year.
func (x *examination) timezone(site *matomo.Site, want calendar.Zone) Finding {
	const check, cure = "timezone", "set TIMEZONE to the site's, or change the site's in Matomo"
	is, err := site.Zone()
	if err != nil {
		return untold(check, "", cure, "the site's is %s and TIMEZONE is %s, which cannot be compared here",
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
		return good(check, "%s, as TIMEZONE", is)
	case !differ:
		return good(check, "%s, whose days are those of TIMEZONE %s", is, want)
	case x.expect.Past != nil:
		return bad(check, cure,
			"the site's is %s, but TIMEZONE is %s: from %s on days are others, and the backfill would be refused",
			is, want, day)
	}
	return doubtful(check, cure,
		"the site's is %s, but TIMEZONE is %s: visits near midnight can fall on another day or be cut in two", is, want)
}

// search reports whether searches are recorded as such, and pages are not taken for some.
func (x *examination) search(ctx context.Context, site *matomo.Site) Finding {
	const check = "search"
	if !site.SiteSearch {
		if !x.expect.Sends[hit.Search] {
			return good(check, "site search is off, and no searches are sent")
		}
		return doubtful(check, "turn it on in the site's settings or set SITESEARCH_PROBABILITY=0",
			"site search is off, so searches are recorded as pages")
	}
	names := site.SearchParameters
	if len(names) == 0 {
		var err error
		if names, err = x.GlobalList(ctx, x.target, "SitesManager.getSearchKeywordParametersGlobal"); err != nil {
			// Matomo's own (plugins/SitesManager/API.php)
			names = []string{"q", "query", "s", "search", "searchword", "k", "keyword", "keywords"}
		}
	}
	if page := withParameter(x.expect.Pages, names); page != "" {
		return doubtful(check, "take the parameter out of the list of pages, or of the site's search parameters",
			"pages such as %s are recorded as searches, because they carry one of %s", page, strings.Join(names, ", "))
	}
	return good(check, "site search is on")
}

func (x *examination) ecommerce(site *matomo.Site) Finding {
	switch {
	case site.Ecommerce:
		return good("ecommerce", "is on in the settings of the site")
	case !x.expect.Sends[hit.Order]:
		return good("ecommerce", "is off, and no orders are sent")
	}
	return doubtful("ecommerce", "turn it on in the site's settings or set ECOMMERCE_PROBABILITY=0",
		"ecommerce is off, so orders are not shown")
}

// goals tells of those that Matomo converts by itself.
func (x *examination) goals(ctx context.Context) []Finding {
	type goal struct {
		ID      matomo.Number `json:"idgoal"`
		Name    string        `json:"name"`
		Match   string        `json:"match_attribute"`
		Pattern string        `json:"pattern"`
		Type    string        `json:"pattern_type"`
	}
	form := url.Values{"idSite": {strconv.Itoa(x.target.SiteID)}, "filter_limit": {"-1"}}
	all, err := values[goal](ctx, x, "Goals.getGoals", form)
	if err != nil {
		return []Finding{untold("goals", "view access to the site", "look at Administration, Goals",
			"goals cannot be read: %v", err)}
	}
	var fire []string
	for _, g := range all {
		if g.Match != "manually" {
			fire = append(fire,
				fmt.Sprintf("%d %q (%s %s %q)", g.ID, g.Name, g.Match, strings.ReplaceAll(g.Type, "_", " "), g.Pattern))
		}
	}
	if len(fire) == 0 {
		return []Finding{good("goals", "none fires by itself")}
	}
	return []Finding{doubtful("goals", "keep them apart when you compare conversions, or use a site without goals",
		"some fire by themselves, with conversions and revenue that no visit was planned with: %s", some(fire))}
}

// dimension tells of the one that carries the run.
func (x *examination) dimension(ctx context.Context) []Finding {
	want := x.expect.Dimension
	if want == 0 {
		return nil
	}
	const check = "dimension"
	type dimension struct {
		ID     matomo.Number `json:"idcustomdimension"`
		Scope  string        `json:"scope"`
		Active any           `json:"active"`
	}
	all, err := values[dimension](ctx, x, "CustomDimensions.getConfiguredCustomDimensions",
		url.Values{"idSite": {strconv.Itoa(x.target.SiteID)}})
	if err != nil {
		return []Finding{untold(check, "view access to the site",
			"look whether the plugin CustomDimensions is active, and at Administration, Websites, Custom dimensions",
			"custom dimensions cannot be read: %v", err)}
	}
	i := slices.IndexFunc(all, func(d dimension) bool { return int(d.ID) == want })
	cure := "make a dimension of scope visit in Administration, Websites, Custom dimensions, and set " +
		"RUN_DIMENSION to its number"
	switch {
	case i < 0:
		return []Finding{doubtful(check, cure,
			"RUN_DIMENSION=%d does not exist on the site: this run's visits cannot be told apart", want)}
	case all[i].Scope != "visit":
		return []Finding{doubtful(check, cure,
			"RUN_DIMENSION=%d is of scope %q, not visit: this run's visits cannot be told apart", want, all[i].Scope)}
	case !filled(all[i].Active):
		return []Finding{doubtful(check, "activate it in Administration, Websites, Custom dimensions",
			"RUN_DIMENSION=%d is not active: this run's visits cannot be told apart", want)}
	}
	return []Finding{good(check, "RUN_DIMENSION=%d is active and of scope visit", want)}
}

// values asks for a list, which some versions write as an object by id.
func values[T any](ctx context.Context, x *examination, method string, form url.Values) ([]T, error) {
	var all matomo.List[T]
	err := x.Call(ctx, x.target, method, form, &all)
	return all, err
}

// filled reports whether a setting is on, in any of the forms of a JSON from PHP.
func filled(v any) bool {
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
