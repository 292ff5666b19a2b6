package doctor_test

import (
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/shared/doctor"
	"github.com/puttrix/trafficinator/shared/hit"
)

// set is the fake's site with one setting changed.
func set(old, new string) string { return strings.Replace(shop, old, new, 1) }

func with(change func(*doctor.Expectation)) doctor.Expectation {
	e := all
	change(&e)
	return e
}

func TestEachSettingThatDoesNotFitHasItsCure(t *testing.T) {
	t.Parallel()
	const global = "SitesManager.getExcluded"
	live := with(func(e *doctor.Expectation) { e.Past = nil })
	for _, c := range []struct {
		name    string
		site    string
		answers map[string]string
		expect  doctor.Expectation
		check   string
		verdict doctor.Verdict
		want    []string
	}{
		{"an old Matomo", shop, map[string]string{"API.getMatomoVersion": `{"value":"4.16.1"}`}, all, "api",
			doctor.Warning, []string{"4.16.1", "update"}},
		{"a Matomo to come", shop, map[string]string{"API.getMatomoVersion": `{"value":"6.0.0-rc1"}`}, all, "api",
			doctor.Warning, []string{"6.0.0", "probe"}},
		{"another zone", set("Europe/Berlin", "America/New_York"), nil, live, "timezone", doctor.Warning,
			[]string{"America/New_York", "TIMEZONE"}},
		{"days of another zone", set("Europe/Berlin", "America/New_York"), nil, all, "timezone", doctor.Error,
			[]string{"from 2026-10-01 on", "would be refused"}},
		{"the same days in another zone", set("Europe/Berlin", "UTC+2"), nil, all, "timezone", doctor.OK,
			[]string{"UTC+2"}},
		{"another name of the clock", set("Europe/Berlin", "CET"), nil, all, "timezone", doctor.OK, []string{"CET"}},
		{"Matomo's own form of a zone", set("Europe/Berlin", "UTC+5.5"), nil, with(func(e *doctor.Expectation) {
			e.Zone = zone("Asia/Kolkata")
		}), "timezone", doctor.OK, nil},
		{"one half of the year alone", set("Europe/Berlin", "UTC+1"), nil, live, "timezone", doctor.Warning, nil},
		{"a zone of nowhere", set("Europe/Berlin", "Nowhere/Else"), nil, all, "timezone", doctor.Skipped,
			[]string{"Nowhere/Else"}},
		{"another currency", set("EUR", "SEK"), nil, all, "currency", doctor.Warning,
			[]string{"SEK", "EUR", "ECOMMERCE_CURRENCY"}},
		{"no site search, but searches", set(`"sitesearch":"1"`, `"sitesearch":0`), nil, all, "search", doctor.Warning,
			[]string{"SITESEARCH_PROBABILITY"}},
		{"neither", set(`"sitesearch":"1"`, `"sitesearch":0`), nil, with(func(e *doctor.Expectation) {
			e.Sends[hit.Search] = false
		}), "search", doctor.OK, nil},
		{"pages that are taken for searches", set(`"currency"`, `"sitesearch_keyword_parameters":"Page,p","currency"`),
			nil, all, "search", doctor.Warning, []string{"list?page=2", "search parameters"}},
		{"it for all sites", shop,
			map[string]string{"SitesManager.getSearchKeywordParametersGlobal": `{"value":"page"}`}, all, "search",
			doctor.Warning, []string{"list?page=2"}},
		{"no shop, but orders", set(`"ecommerce":1`, `"ecommerce":0`), nil, all, "ecommerce", doctor.Warning,
			[]string{"ECOMMERCE_PROBABILITY"}},
		{"no shop and no orders", set(`"ecommerce":1`, `"ecommerce":0`), nil, with(func(e *doctor.Expectation) {
			e.Sends[hit.Order] = false
		}), "ecommerce", doctor.OK, nil},
		{"known pages only, and all are", set(`urls":0`, `urls":1`), nil, all, "urls", doctor.OK, nil},
		{"known pages only, and one is not", set(`urls":0`, `urls":1`), nil, with(func(e *doctor.Expectation) {
			e.Pages = []string{"https://shop.example.test/", "https://other.example.test/en",
				"https://other.example.test/de"}
		}), "urls", doctor.Error, []string{"1 of 3", "other.example.test/de", "https://shop.example.test"}},
		{"known pages only, and ours are not known", set(`urls":0`, `urls":1`), nil, with(func(e *doctor.Expectation) {
			e.Pages = nil
		}), "urls", doctor.Warning, []string{"https://shop.example.test"}},
		{"an address of ours is excluded", set(`"currency"`, `"excluded_ips":"10.0.0.1, 90.224.7.9","currency"`), nil,
			all, "addresses", doctor.Error, []string{"90.224.7.9", "Administration"}},
		{"a range that holds ours", shop, map[string]string{global + "IpsGlobal": `{"value":"90.0.0.0/8"}`}, all,
			"addresses", doctor.Error, []string{"90.0.0.0/8"}},
		{"stars", shop, map[string]string{global + "IpsGlobal": `{"value":"90.224.*.*"}`}, all, "addresses", doctor.Error,
			[]string{"90.224.*.*"}},
		{"IPv6", shop, map[string]string{global + "IpsGlobal": `{"value":"2001:db8:1::1"}`}, all, "addresses",
			doctor.Error, []string{"2001:db8:1::1"}},
		{"addresses of others", set(`"currency"`, `"excluded_ips":"10.0.0.1,172.16.0.0/12,rubbish","currency"`), nil,
			all, "addresses", doctor.OK, []string{"3 exclusions"}},
		{"addresses, and ours are not known", set(`"currency"`, `"excluded_ips":"10.0.0.1","currency"`), nil,
			with(func(e *doctor.Expectation) { e.Networks = nil }), "addresses", doctor.Skipped,
			[]string{"10.0.0.1", "check --connect"}},
		{"a browser of ours is excluded", set(`"currency"`, `"excluded_user_agents":"curl, windows nt","currency"`),
			nil, all, "agents", doctor.Error, []string{"windows nt", "Administration"}},
		{"it as a pattern", shop, map[string]string{global + "UserAgentsGlobal": `{"value":"/^mozilla.*Chrome/i"}`},
			all, "agents", doctor.Error, []string{"/^mozilla"}},
		{"browsers of others", shop, map[string]string{global + "UserAgentsGlobal": `{"value":"Opera Mini, /^curl/"}`},
			all, "agents", doctor.OK, nil},
		{"a parameter of our pages", set(`"currency"`, `"excluded_parameters":"sid,Page","currency"`), nil, all,
			"parameters", doctor.Warning, []string{"Page", "Administration"}},
		{"it as a pattern", shop, map[string]string{global + "QueryParametersGlobal": `{"value":"/^pa/"}`}, all,
			"parameters", doctor.Warning, []string{"/^pa/"}},
		{"a goal that fires by itself", shop,
			map[string]string{"Goals.getGoals": `{"4":{"idgoal":"4","name":"Thanks","match_attribute":"url","pattern":"thanks","pattern_type":"contains"}}`}, all,
			"goals", doctor.Warning, []string{`4 "Thanks" (url contains "thanks")`, "comparing conversions"}},
		{"a goal that is sent", shop,
			map[string]string{"Goals.getGoals": `[{"idgoal":4,"name":"Thanks","match_attribute":"manually"}]`}, all,
			"goals", doctor.OK, nil},
		{"a dimension that is not", shop, nil, with(func(e *doctor.Expectation) {
			e.Dimension = 7
		}), "dimension", doctor.Warning, []string{"RUN_DIMENSION=7", "add a dimension"}},
		{"a dimension of actions", shop,
			map[string]string{"CustomDimensions.getConfiguredCustomDimensions": `[{"idcustomdimension":3,"scope":"action","active":1}]`}, all, "dimension", doctor.Warning, []string{`"action"`}},
		{"a dimension that is off", shop,
			map[string]string{"CustomDimensions.getConfiguredCustomDimensions": `[{"idcustomdimension":3,"scope":"visit","active":"0"}]`}, all, "dimension", doctor.Warning, []string{"activate"}},
		{"a queue", shop, map[string]string{"CorePluginsAdmin.getSystemSettings": `[{"pluginName":"QueuedTracking","settings":[{"name":"queueEnabled","value":true}]}]`}, all, "queue", doctor.Warning, []string{"let the queue empty"}},
		{"a queue that is off", shop,
			map[string]string{"CorePluginsAdmin.getSystemSettings": `[{"pluginName":"QueuedTracking","settings":[{"name":"queueEnabled","value":"0"}]}]`}, all, "queue", doctor.OK, nil},
		{"spam prevention", shop,
			map[string]string{"CorePluginsAdmin.getSystemSettings": `[{"pluginName":"TrackingSpamPrevention","settings":[{"name":"max_actions_allowed","value":0},{"name":"block_clouds","value":"1"}]}]`}, all, "spam", doctor.Warning, []string{"block_clouds", "turn these off"}},
		{"raw data that is deleted", shop, map[string]string{"Live.getLastVisitsDetails": `[]`}, all, "retention",
			doctor.Warning, []string{"12 visits on 2026-10-01", "start the backfill later"}},
		{"a site younger than visits that it has", set("2020-01-01", "2026-11-30"), nil, all, "created",
			doctor.Warning,
			[]string{"created on 2026-11-30", "admin access", "startDate=2026-09-30"}},
		{"a young site without visits", set("2020-01-01", "2026-11-30"),
			map[string]string{"Live.getLastVisitsDetails": `[]`}, all, "created", doctor.OK,
			[]string{"moves the date back"}},
		{"a site of no age", set("ts_created", "other"), nil, all, "created", doctor.Skipped, nil},
		{"a plug-in that is off", shop, map[string]string{"API.isPluginActivated": `{"value":false}`},
			with(func(e *doctor.Expectation) { e.Sends[hit.Event] = true }), "plugins", doctor.Error,
			[]string{"Events is not active", "CLICK_EVENTS_PROBABILITY"}},
		{"a site without data", shop,
			map[string]string{"Live.getLastVisitsDetails": `[]`, "VisitsSummary.getVisits": `[]`}, all, "retention",
			doctor.Skipped, []string{"Privacy"}},
		{"masked addresses", shop, nil, all, "masking", doctor.OK, []string{"last 2 of 4"}},
		{"full addresses", shop,
			map[string]string{"Live.getLastVisitsDetails": `[{"visitIp":"86.159.0.0"},{"visitIp":"90.224.0.1"},{"visitIp":"10.1.0.0"}]`}, all, "masking", doctor.OK, []string{"unmasked"}},
		{"too few", shop, map[string]string{"Live.getLastVisitsDetails": `[{"visitIp":"86.159.0.0"}]`}, all,
			"masking", doctor.Skipped, []string{"probe visit"}},
		{"no provider of places", shop, map[string]string{"UserCountry.getLocationFromIP": `{"country_code":"xx"}`},
			all, "location", doctor.OK, []string{"not needed"}},
	} {
		d := examine(t, &fake{site: c.site, answers: c.answers}, nil, c.expect)
		verdict, text := reported(d, c.check)
		if verdict != c.verdict {
			t.Errorf("%s: %s %q, want %s", c.name, verdict, text, c.verdict)
		}
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q lacks %q", c.name, text, want)
			}
		}
		if d.Works != (c.verdict != doctor.Error) {
			t.Errorf("%s: works is %t", c.name, d.Works)
		}
	}
}
