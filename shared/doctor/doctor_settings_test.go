package doctor_test

import (
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/shared/doctor"
	"github.com/puttrix/trafficinator/shared/hit"
)

// set is the fake's site with one setting changed.
func set(old, new string) string { return strings.Replace(shop, old, new, 1) }

func with(change func(*doctor.Expect)) doctor.Expect {
	e := all
	change(&e)
	return e
}

func TestEachSettingThatDoesNotFitHasItsCure(t *testing.T) {
	t.Parallel()
	const global = "SitesManager.getExcluded"
	live := with(func(e *doctor.Expect) { e.Past = nil })
	for _, c := range []struct {
		name    string
		site    string
		answers map[string]string
		expect  doctor.Expect
		check   string
		verdict doctor.Verdict
		want    []string
	}{
		{"an old Matomo", shop, map[string]string{"API.getMatomoVersion": `{"value":"4.16.1"}`}, all, "api",
			doctor.Doubtful, []string{"4.16.1", "update"}},
		{"a Matomo to come", shop, map[string]string{"API.getMatomoVersion": `{"value":"6.0.0-rc1"}`}, all, "api",
			doctor.Doubtful, []string{"6.0.0", "probe"}},
		{"another zone", set("Europe/Berlin", "America/New_York"), nil, live, "timezone", doctor.Doubtful,
			[]string{"America/New_York", "TIMEZONE"}},
		{"days of another zone", set("Europe/Berlin", "America/New_York"), nil, all, "timezone", doctor.Bad,
			[]string{"from 2026-10-01 on", "would be refused"}},
		{"the same days in another zone", set("Europe/Berlin", "UTC+2"), nil, all, "timezone", doctor.Good,
			[]string{"UTC+2"}},
		{"another name of the clock", set("Europe/Berlin", "CET"), nil, all, "timezone", doctor.Good, []string{"CET"}},
		{"Matomo's own form of a zone", set("Europe/Berlin", "UTC+5.5"), nil, with(func(e *doctor.Expect) {
			e.Zone = zone("Asia/Kolkata")
		}), "timezone", doctor.Good, nil},
		{"one half of the year alone", set("Europe/Berlin", "UTC+1"), nil, live, "timezone", doctor.Doubtful, nil},
		{"a zone of nowhere", set("Europe/Berlin", "Nowhere/Else"), nil, all, "timezone", doctor.Untold,
			[]string{"Nowhere/Else"}},
		{"another currency", set("EUR", "SEK"), nil, all, "currency", doctor.Doubtful,
			[]string{"SEK", "EUR", "ECOMMERCE_CURRENCY"}},
		{"no site search, but searches", set(`"sitesearch":"1"`, `"sitesearch":0`), nil, all, "search", doctor.Doubtful,
			[]string{"SITESEARCH_PROBABILITY"}},
		{"neither", set(`"sitesearch":"1"`, `"sitesearch":0`), nil, with(func(e *doctor.Expect) {
			e.Sends[hit.Search] = false
		}), "search", doctor.Good, nil},
		{"pages that are taken for searches", set(`"currency"`, `"sitesearch_keyword_parameters":"Page,p","currency"`),
			nil, all, "search", doctor.Doubtful, []string{"list?page=2", "search parameters"}},
		{"it by the whole Matomo", shop,
			map[string]string{"SitesManager.getSearchKeywordParametersGlobal": `{"value":"page"}`}, all, "search",
			doctor.Doubtful, []string{"list?page=2"}},
		{"no shop, but orders", set(`"ecommerce":1`, `"ecommerce":0`), nil, all, "ecommerce", doctor.Doubtful,
			[]string{"ECOMMERCE_PROBABILITY"}},
		{"no shop and no orders", set(`"ecommerce":1`, `"ecommerce":0`), nil, with(func(e *doctor.Expect) {
			e.Sends[hit.Order] = false
		}), "ecommerce", doctor.Good, nil},
		{"known pages only, and all are", set(`urls":0`, `urls":1`), nil, all, "urls", doctor.Good, nil},
		{"known pages only, and one is not", set(`urls":0`, `urls":1`), nil, with(func(e *doctor.Expect) {
			e.Pages = []string{"https://shop.example.test/", "https://other.example.test/en",
				"https://other.example.test/de"}
		}), "urls", doctor.Bad, []string{"1 of 3", "other.example.test/de", "https://shop.example.test"}},
		{"known pages only, and ours are not known", set(`urls":0`, `urls":1`), nil, with(func(e *doctor.Expect) {
			e.Pages = nil
		}), "urls", doctor.Doubtful, []string{"https://shop.example.test"}},
		{"an address of ours is excluded", set(`"currency"`, `"excluded_ips":"10.0.0.1, 90.224.7.9","currency"`), nil,
			all, "addresses", doctor.Bad, []string{"90.224.7.9", "Administration"}},
		{"a range that holds ours", shop, map[string]string{global + "IpsGlobal": `{"value":"90.0.0.0/8"}`}, all,
			"addresses", doctor.Bad, []string{"90.0.0.0/8"}},
		{"stars", shop, map[string]string{global + "IpsGlobal": `{"value":"90.224.*.*"}`}, all, "addresses", doctor.Bad,
			[]string{"90.224.*.*"}},
		{"IPv6", shop, map[string]string{global + "IpsGlobal": `{"value":"2001:db8:1::1"}`}, all, "addresses",
			doctor.Bad, []string{"2001:db8:1::1"}},
		{"addresses of others", set(`"currency"`, `"excluded_ips":"10.0.0.1,172.16.0.0/12,rubbish","currency"`), nil,
			all, "addresses", doctor.Good, []string{"3 are excluded"}},
		{"addresses, and ours are not known", set(`"currency"`, `"excluded_ips":"10.0.0.1","currency"`), nil,
			with(func(e *doctor.Expect) { e.Networks = nil }), "addresses", doctor.Untold,
			[]string{"10.0.0.1", "check --connect"}},
		{"a browser of ours is excluded", set(`"currency"`, `"excluded_user_agents":"curl, windows nt","currency"`),
			nil, all, "agents", doctor.Bad, []string{"windows nt", "Administration"}},
		{"it as a pattern", shop, map[string]string{global + "UserAgentsGlobal": `{"value":"/^mozilla.*Chrome/i"}`},
			all, "agents", doctor.Bad, []string{"/^mozilla"}},
		{"browsers of others", shop, map[string]string{global + "UserAgentsGlobal": `{"value":"Opera Mini, /^curl/"}`},
			all, "agents", doctor.Good, nil},
		{"a parameter of our pages", set(`"currency"`, `"excluded_parameters":"sid,Page","currency"`), nil, all,
			"parameters", doctor.Doubtful, []string{"Page", "Administration"}},
		{"it as a pattern", shop, map[string]string{global + "QueryParametersGlobal": `{"value":"/^pa/"}`}, all,
			"parameters", doctor.Doubtful, []string{"/^pa/"}},
		{"a goal that fires by itself", shop,
			map[string]string{"Goals.getGoals": `{"4":{"idgoal":"4","name":"Thanks","match_attribute":"url","pattern":"thanks","pattern_type":"contains"}}`}, all,
			"goals", doctor.Doubtful, []string{`4 "Thanks" (url contains "thanks")`, "compare conversions"}},
		{"a goal that is sent", shop,
			map[string]string{"Goals.getGoals": `[{"idgoal":4,"name":"Thanks","match_attribute":"manually"}]`}, all,
			"goals", doctor.Good, nil},
		{"a dimension that is not", shop, nil, with(func(e *doctor.Expect) {
			e.Dimension = 7
		}), "dimension", doctor.Doubtful, []string{"RUN_DIMENSION=7", "make a dimension"}},
		{"a dimension of actions", shop,
			map[string]string{"CustomDimensions.getConfiguredCustomDimensions": `[{"idcustomdimension":3,"scope":"action","active":1}]`}, all, "dimension", doctor.Doubtful, []string{`"action"`}},
		{"a dimension that is off", shop,
			map[string]string{"CustomDimensions.getConfiguredCustomDimensions": `[{"idcustomdimension":3,"scope":"visit","active":"0"}]`}, all, "dimension", doctor.Doubtful, []string{"activate"}},
		{"a queue", shop, map[string]string{"CorePluginsAdmin.getSystemSettings": `[{"pluginName":"QueuedTracking","settings":[{"name":"queueEnabled","value":true}]}]`}, all, "queue", doctor.Doubtful, []string{"wait until"}},
		{"a queue that is off", shop,
			map[string]string{"CorePluginsAdmin.getSystemSettings": `[{"pluginName":"QueuedTracking","settings":[{"name":"queueEnabled","value":"0"}]}]`}, all, "queue", doctor.Good, nil},
		{"spam prevention", shop,
			map[string]string{"CorePluginsAdmin.getSystemSettings": `[{"pluginName":"TrackingSpamPrevention","settings":[{"name":"max_actions_allowed","value":0},{"name":"block_clouds","value":"1"}]}]`}, all, "spam", doctor.Doubtful, []string{"block_clouds", "turn these off"}},
		{"raw data that is deleted", shop, map[string]string{"Live.getLastVisitsDetails": `[]`}, all, "retention",
			doctor.Doubtful, []string{"12 visits on 2026-10-01", "begin the backfill later"}},
		{"a site younger than visits that it has", set("2020-01-01", "2026-11-30"), nil, all, "created",
			doctor.Doubtful,
			[]string{"created on 2026-11-30", "admin access", "startDate=2026-09-30"}},
		{"a young site without visits", set("2020-01-01", "2026-11-30"),
			map[string]string{"Live.getLastVisitsDetails": `[]`}, all, "created", doctor.Good,
			[]string{"moves that date back"}},
		{"a site of no age", set("ts_created", "other"), nil, all, "created", doctor.Untold, nil},
		{"a plug-in that is off", shop, map[string]string{"API.isPluginActivated": `{"value":false}`},
			with(func(e *doctor.Expect) { e.Sends[hit.Event] = true }), "plugins", doctor.Bad,
			[]string{"Events is not active", "CLICK_EVENTS_PROBABILITY"}},
		{"a site without data", shop,
			map[string]string{"Live.getLastVisitsDetails": `[]`, "VisitsSummary.getVisits": `[]`}, all, "retention",
			doctor.Untold, []string{"Privacy"}},
		{"masked addresses", shop, nil, all, "masking", doctor.Good, []string{"last 2 of 4"}},
		{"whole addresses", shop,
			map[string]string{"Live.getLastVisitsDetails": `[{"visitIp":"86.159.0.0"},{"visitIp":"90.224.0.1"},{"visitIp":"10.1.0.0"}]`}, all, "masking", doctor.Good, []string{"whole"}},
		{"too few to tell", shop, map[string]string{"Live.getLastVisitsDetails": `[{"visitIp":"86.159.0.0"}]`}, all,
			"masking", doctor.Untold, []string{"probe visit"}},
		{"no provider of places", shop, map[string]string{"UserCountry.getLocationFromIP": `{"country_code":"xx"}`},
			all, "location", doctor.Good, []string{"does not matter"}},
	} {
		d := examine(t, &fake{site: c.site, answers: c.answers}, nil, c.expect)
		verdict, text := told(d, c.check)
		if verdict != c.verdict {
			t.Errorf("%s: %s %q, want %s", c.name, verdict, text, c.verdict)
		}
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q lacks %q", c.name, text, want)
			}
		}
		if d.Works != (c.verdict != doctor.Bad) {
			t.Errorf("%s: works is %t", c.name, d.Works)
		}
	}
}
