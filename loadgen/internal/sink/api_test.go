package sink_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/sink"
)

// ask calls the Reporting API: method, then pairs of parameters, and returns the answer in one line, object keys
// sorted.
func (f fixture) ask(t *testing.T, method string, pairs ...string) string {
	t.Helper()
	form := url.Values{"module": {"API"}, "format": {"json"}, "method": {method}, "idSite": {"1"},
		"token_auth": {token}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	w := f.request(http.MethodPost, "/index.php", form.Encode())
	var v any
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("%s: %d %s", method, w.Code, w.Body)
	}
	line, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if w.Code != http.StatusOK {
		return fmt.Sprintf("%d %s", w.Code, line)
	}
	return string(line)
}

// contains requires parts of an answer.
func contains(t *testing.T, answer string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(answer, part) {
			t.Errorf("no %s in %s", part, answer)
		}
	}
}

// of is a hit of another visitor.
func of(n int, p params) params {
	id := fmt.Sprintf("%016x", n)
	return p.with("cid", id, "_id", id)
}

const today = "2026-03-10"

// shopping are two visits: one of three pages with all that can happen, and a bounce from Sweden on an iPhone.
func shopping(f fixture) {
	located := func(country string, hits ...params) {
		for _, h := range hits {
			f.post(h.with("token_auth", token, "country", country))
		}
	}
	located("de", page(1).with("urlref", "https://www.google.com/", "dimension3", "run-1").at(0),
		page(2).with("dimension3", "run-1").at(20),
		extra(2, "search", "lamp").at(25), extra(2, "ca", "1", "e_c", "Video", "e_a", "Play").at(30), page(3).at(60),
		extra(3, "link", "https://partner.test/x").at(61), extra(3, "download", "https://shop.test/a.pdf").at(62),
		order(3, "o-1").at(70), extra(3, "ping", "1").at(99))
	located("se", of(2, page(1)).with("ua",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "+
			"Version/18.6 Mobile/15E148 Safari/604.1").at(5))
}

func TestReportsContainTheRecordedVisits(t *testing.T) {
	f := start(nil)
	shopping(f)
	for _, c := range []struct {
		method string
		params []string
		want   []string
	}{
		{"VisitsSummary.get", nil,
			[]string{`"nb_visits":2`, `"nb_uniq_visitors":2`, `"nb_actions":8`, `"bounce_count":1`,
				`"bounce_rate":"50%"`, `"sum_visit_length":100`, `"max_actions":7`, `"nb_visits_converted":1`}},
		{"VisitsSummary.getVisits", nil, []string{`{"value":2}`}},
		{"Actions.get", nil, []string{`"nb_pageviews":4`, `"nb_searches":1`, `"nb_outlinks":1`, `"nb_downloads":1`}},
		{"Events.get", nil, []string{`"nb_events":1`}},
		{"API.get", nil, []string{`"nb_visits":2`, `"nb_pageviews":4`}},
		{"Goals.get", []string{"idGoal", "ecommerceOrder"}, []string{
			`"nb_conversions":1`, `"revenue":123.4`, `"revenue_subtotal":100`, `"revenue_tax":19`,
			`"revenue_shipping":4.9`, `"revenue_discount":0.5`, `"items":4`}},
		{"Goals.get", []string{"idGoal", "7"}, []string{`[]`}},
		{"UserCountry.getCountry", nil,
			[]string{`"segment":"countryCode==de"`, `"segment":"countryCode==se"`, `"nb_visits":1`}},
		{"Referrers.getReferrerType", nil,
			[]string{`"segment":"referrerType==search"`, `"segment":"referrerType==direct"`}},
		{"DevicesDetection.getType", nil,
			[]string{`"label":"Smartphone"`, `"segment":"deviceType==smartphone"`, `"segment":"deviceType==desktop"`}},
		{"CustomDimensions.getCustomDimension", []string{"idDimension", "3"},
			[]string{`"label":"run-1"`, `"nb_visits":1`}},
		{"VisitFrequency.get", nil, []string{`"nb_visits_new":2`, `"nb_visits_returning":0`}},
		{"VisitTime.getVisitInformationPerServerTime", nil, []string{`"label":"10","`}},
		{"UserCountry.getCountry", []string{"filter_limit", "1"}, []string{`[{`, `"nb_visits":1`}},
	} {
		got := f.ask(t, c.method, append([]string{"period", "day", "date", today}, c.params...)...)
		contains(t, got, c.want...)
		if empty := f.ask(t, c.method,
			append([]string{"period", "day", "date", "2026-03-09"}, c.params...)...); empty != `[]` &&
			empty != `{"value":0}` {
			t.Errorf("%s of a day without visits: %s", c.method, empty)
		}
	}
	if got := f.ask(t, "VisitsSummary.get", "period", "day", "date", today, "idSite", "1", "segment",
		"dimension3==run-1"); !strings.Contains(got, `"nb_visits":1,`) {
		t.Errorf("by segment: %s", got)
	}
}

func TestSegmentsSelectVisits(t *testing.T) {
	f := start(nil)
	shopping(f)
	for segment, want := range map[string]string{
		"": "2", "dimension3==run-1": "1", "dimension3!=run-1": "1", "dimension3==run-2": "0",
		"countryCode==de,countryCode==se":        "2",
		"countryCode==de;deviceType==smartphone": "0", "countryCode==se;deviceType==smartphone": "1",
		"referrerType==search": "1",
		"visitDuration>60":     "1", "visitDuration<=0": "1", "visitConverted==1": "1", "visitorType==new": "2",
		"actions>=7": "1", "visitorId==" + visitor: "1",
	} {
		if got := f.ask(t, "VisitsSummary.getVisits", "period", "day", "date", "today", "segment",
			segment); got != `{"value":`+want+`}` {
			t.Errorf("%q selects %s, want %s", segment, got, want)
		}
	}
	for _, segment := range []string{"pageUrl=@shop", "city==Bonn", "countryCode>de", "visitDuration>long", ";"} {
		contains(t, f.ask(t, "VisitsSummary.getVisits", "period", "day", "date", "today", "segment", segment), "400 ",
			`"result":"error"`)
	}
}

func TestPeriodsFollowTheSitesCalendar(t *testing.T) {
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	f := start(func(c *sink.Config) { c.Sites = map[int]sink.Site{1: {Zone: newYork}} })
	f.clock.Time = time.Date(2026, 11, 3, 2, 0, 0, 0, time.UTC) // the 2nd is not over there
	for i, at := range []time.Time{
		time.Date(2026, 11, 1, 3, 59, 59, 0, time.UTC), time.Date(2026, 11, 1, 4, 0, 0, 0, time.UTC),
		time.Date(2026, 11, 2, 4, 59, 59, 0, time.UTC), time.Date(2026, 11, 2, 5, 0, 0, 0, time.UTC),
	} {
		f.post(of(i+1, page(1)).with("cdt", at.Format(time.DateTime), "token_auth", token))
	}
	f.post(of(1, page(1)).with("cdt", "2026-11-02 09:00:00", "token_auth", token)) // who was there on the 31st returns
	for _, c := range []struct{ period, date, want string }{
		{"day", "2026-10-30,2026-11-03",
			`{"2026-10-30":0,"2026-10-31":1,"2026-11-01":2,"2026-11-02":2,"2026-11-03":0}`},
		{"day", "2026-11-01,2026-11-01", `{"2026-11-01":2}`},
		{"day", "today", `{"value":2}`},
		{"day", "yesterday", `{"value":2}`},
		{"day", "last2", `{"2026-11-01":2,"2026-11-02":2}`},
		{"week", "2026-11-01", `{"value":3}`}, // Monday 26 October to Sunday
		{"week", "2026-11-01,2026-11-02", `{"2026-10-26,2026-11-01":3,"2026-11-02,2026-11-08":2}`},
		{"month", "2026-11-15", `{"value":4}`},
		{"year", "2026-01-01", `{"value":5}`},
		{"range", "2026-10-31,2026-11-01", `{"value":3}`},
		{"range", "last2", `{"value":4}`},
	} {
		if got := f.ask(t, "VisitsSummary.getVisits", "period", c.period, "date", c.date); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.period, c.date, got, c.want)
		}
	}
	for period, want := range map[string]bool{"day": true, "week": true, "month": true, "year": false} {
		if got := strings.Contains(f.ask(t, "VisitsSummary.get", "period", period, "date", "2026-11-02"),
			"nb_uniq_visitors"); got != want {
			t.Errorf("unique visitors of a %s: %t", period, got)
		}
	}
	for _, c := range [][2]string{{"fortnight", "today"}, {"day", "soon"}, {"day", "2026-11-02,2026-11-01"},
		{"range", "2026-11-02"}, {"day", ""}} {
		contains(t, f.ask(t, "VisitsSummary.get", "period", c[0], "date", c[1]), "400 ", `"result":"error"`)
	}
}

func TestTokensReadOnlyTheirSites(t *testing.T) {
	f := start(func(c *sink.Config) {
		c.Sites = map[int]sink.Site{1: {}, 2: {}}
		c.Tokens = map[string][]int{"super": {1, 2}, "writer": {2}}
		c.Viewers = map[string][]int{"viewer": {1}}
	})
	for _, c := range []struct {
		token, method, site string
		may                 bool
	}{
		{"", "API.getMatomoVersion", "1", false}, {"wrong", "API.getMatomoVersion", "1", false},
		{"viewer", "API.getMatomoVersion", "1", true}, {"writer", "API.getMatomoVersion", "1", true},
		{"viewer", "VisitsSummary.get", "1", true}, {"viewer", "VisitsSummary.get", "2", false},
		{"viewer", "VisitsSummary.get", "3", false},
		{"writer", "VisitsSummary.get", "2", true}, {"writer", "VisitsSummary.get", "1", false},
		{"", "VisitsSummary.get", "1", false},
		{"viewer", "SitesManager.getSiteFromId", "1", true}, {"viewer", "SitesManager.getSiteFromId", "2", false},
		{"viewer", "CoreAdminHome.getTrackingFailures", "1", false},
		{"writer", "CoreAdminHome.getTrackingFailures", "1", false},
		{"super", "CoreAdminHome.getTrackingFailures", "1", true},
	} {
		got := f.ask(t, c.method, "token_auth", c.token, "idSite", c.site, "period", "day", "date", "today")
		if may := !strings.HasPrefix(got, "401 "); may != c.may {
			t.Errorf("%q asks %s of site %s: %s", c.token, c.method, c.site, got)
		}
	}
	if status := f.post(page(1).with("country", "de", "token_auth", "viewer")); status != http.StatusBadRequest {
		t.Errorf("a token with only view access writes: %d", status)
	}
	contains(t, f.ask(t, "CoreAdminHome.getTrackingFailures", "token_auth", "super"),
		`"problem":"country without a valid token"`, `"idsite":1`)
	contains(t, f.ask(t, "SitesManager.getSiteFromId", "token_auth", "viewer"), `"timezone":"CET"`, `"ecommerce":1`,
		`"sitesearch":1`)
	contains(t, f.ask(t, "No.suchMethod", "token_auth", "super"), "400 ", "does not exist")
	if got := f.ask(t, "SitesManager.getSitesWithAtLeastViewAccess", "token_auth", "viewer"); strings.Count(got,
		`"idsite"`) != 1 {
		t.Errorf("%s", got)
	}
}

func TestManyCallsInOne(t *testing.T) {
	f := start(nil)
	shopping(f)
	form := url.Values{"module": {"API"}, "method": {"API.getBulkRequest"}, "token_auth": {token},
		"urls[0]": {"method=VisitsSummary.getVisits&idSite=1&period=day&date=today"}}
	if got := f.request(http.MethodPost, "/sub/index.php",
		form.Encode()).Body.String(); strings.TrimSpace(got) != `[{"value":2}]` {
		t.Errorf("%s", got)
	}
	if got := f.request(http.MethodGet, "/index.php?module=CoreHome", "").Code; got != http.StatusNotFound {
		t.Errorf("a page of Matomo: %d", got)
	}
}

func TestLiveReports(t *testing.T) {
	f := start(nil)
	shopping(f)
	if got := f.ask(t, "Live.getCounters", "lastMinutes",
		"60"); got != `[{"actions":8,"visitors":2,"visits":2,"visitsConverted":1}]` {
		t.Errorf("%s", got)
	}
	f.clock.Time = noon.Add(30 * time.Second) // an hour after the first visit's half a minute
	if got := f.ask(t, "Live.getCounters", "lastMinutes",
		"30"); got != `[{"actions":4,"visitors":1,"visits":1,"visitsConverted":1}]` {
		t.Errorf("%s", got)
	}
	contains(t, f.ask(t, "Live.getCounters", "lastMinutes", "0"), "400 ")
	details := f.ask(t, "Live.getLastVisitsDetails", "segment", "visitorId=="+visitor)
	contains(t, details, `"visitorId":"`+visitor+`"`, `"actions":7`, `"visitDuration":100`, `"dimension3":"run-1"`,
		`"countryCode":"de"`)
	if n := strings.Count(details, "visitorId"); n != 1 {
		t.Errorf("%d visits in %s", n, details)
	}
	since := fmt.Sprint(noon.Add(-30*time.Minute + 6*time.Second).Unix())
	if got := f.ask(t, "Live.getLastVisitsDetails", "minTimestamp", since, "period", "day", "date",
		"today"); strings.Count(got, "visitorId") != 1 {
		t.Errorf("%s", got)
	}
}

func TestReportsAreDelayed(t *testing.T) {
	f := start(func(c *sink.Config) { c.ArchiveDelay = time.Minute })
	visits := func() string { return f.ask(t, "VisitsSummary.getVisits", "period", "day", "date", "today") }
	pages := func() string { return f.ask(t, "Actions.get", "period", "day", "date", "today") }
	f.post(page(1).at(0))
	if got := visits(); got != `{"value":0}` {
		t.Errorf("at once: %s", got)
	}
	contains(t, f.ask(t, "Live.getCounters", "lastMinutes", "60"), `"visits":1`)
	f.clock.Time = noon.Add(59 * time.Second)
	f.post(page(2).at(10))
	if got := visits(); got != `{"value":0}` {
		t.Errorf("a second before: %s", got)
	}
	f.clock.Time = noon.Add(time.Minute)
	f.post(page(3).at(20)) // comes after the reports were made
	if got := visits(); got != `{"value":1}` {
		t.Errorf("after a minute: %s", got)
	}
	contains(t, pages(), `"nb_pageviews":2`)
	f.clock.Time = noon.Add(10 * time.Minute)
	contains(t, pages(), `"nb_pageviews":3`)
}

func TestHitsAreLostOrDuplicated(t *testing.T) {
	const n = 2000
	for name, c := range map[string]struct {
		change      func(*sink.Config)
		fault       string
		least, most int64 // pages recorded beyond those sent
	}{
		// 4 standard errors
		"lost":     {func(c *sink.Config) { c.LoseShare = .1 }, "lost", -n * 13 / 100, -n * 7 / 100},
		"doubled":  {func(c *sink.Config) { c.DuplicateShare = .1 }, "recorded twice", n * 7 / 100, n * 13 / 100},
		"in bulk":  {func(c *sink.Config) { c.LoseShare = .1 }, "lost", -n * 13 / 100, -n * 7 / 100},
		"none":     {func(*sink.Config) {}, "lost", 0, 0},
		"one once": {func(c *sink.Config) { c.LoseShare = 1 }, "lost", -n, -n},
	} {
		t.Run(name, func(t *testing.T) {
			f := start(c.change)
			for i := range n / 2 {
				first, second := of(i+1, page(1).at(0)), of(i+1, page(2).at(9))
				if name != "in bulk" {
					if status := f.post(first, second); status != http.StatusOK {
						t.Fatalf("answered %d", status)
					}
					continue
				}
				// strings always marshal
				body, _ := json.Marshal(map[string]any{"requests": []string{"?" + first.encode(),
					"?" + second.encode()}})
				if got := f.request(http.MethodPost, "/matomo.php", string(body)).Body.String(); !strings.Contains(got,
					`"tracked":2,"invalid":0`) {
					t.Fatal(got)
				}
			}
			f.wantRules(t) // the sender did nothing wrong
			counts := f.Counts()
			beyond := counts.Total.Hits["pageview"] - n
			if beyond < c.least || beyond > c.most || counts.Accepted != n {
				t.Errorf("%d pages beyond %d, %d accepted", beyond, n, counts.Accepted)
			}
			if got := counts.Faults[c.fault]; got != max(beyond, -beyond) {
				t.Errorf("%d %s, %d beyond", got, c.fault, beyond)
			}
		})
	}
}

func TestADuplicateHitStartsNoVisitAndNoOrder(t *testing.T) {
	f := start(func(c *sink.Config) { c.DuplicateShare = 1 })
	f.post(page(1).at(0), order(1, "o-1").at(9))
	if c := f.site(); c.Visits != 1 || c.Hits["pageview"] != 2 || c.Hits["order"] != 1 || c.Revenue != 12340 {
		t.Errorf("%+v", c)
	}
	f.wantRules(t)
}

func TestAnnotations(t *testing.T) {
	f := start(nil)
	contains(t, f.ask(t, "Annotations.add", "date", today, "note", "run-1 starts"), `"note":"run-1 starts"`)
	contains(t, f.ask(t, "Annotations.getAll"), `"run-1 starts"`, `"date":"2026-03-10"`)
}
