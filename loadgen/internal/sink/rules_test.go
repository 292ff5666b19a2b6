package sink_test

import (
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/loadgen/internal/sink"
)

func TestEachRuleIsReported(t *testing.T) {
	const (
		firstSecond = "2026-03-10 10:30:00"
		longPath    = 1025
	)
	then := func(hits ...params) []params { return append([]params{page(1).at(0)}, hits...) }
	value := func(name, v string) []params { return []params{page(1).with(name, v)} }
	authorised := func(pairs ...string) []params { return []params{page(1).with("token_auth", token).with(pairs...)} }
	cases := []struct {
		name string
		hits []params
		want []string
	}{
		{"an unknown parameter", value("colour", "red"), []string{sink.RuleUnknownParameter}},
		{"a parameter that Matomo ignores since 4", value("_idvc", "1"), []string{sink.RuleUnknownParameter}},
		{"an array", value("search[]", "x"), []string{sink.RuleUnknownParameter}},
		{"a custom dimension is known", value("dimension1", "x"), nil},
		{"ec_currency", []params{page(1).at(0), order(1, "o").with("ec_currency", "EUR").at(1)},
			[]string{sink.RuleCurrency}},
		{"no url", []params{page(1).without("url")}, []string{sink.RuleMissing}},
		{"no rec", []params{page(1).without("rec")}, []string{sink.RuleMissing}},
		{"half an event", []params{page(1).with("e_c", "c")}, []string{sink.RuleMissing}},
		{"no cid", []params{page(1).without("cid")}, []string{sink.RuleNoCID}},
		{"cid and _id differ", value("_id", "fedcba9876543210"), []string{sink.RuleIDsDiffer}},
		{"upper case in cid", []params{page(1).with("cid", "0123456789ABCDEF", "_id", "0123456789ABCDEF")},
			[]string{sink.RuleValue}},
		{"a short cid", []params{page(1).with("cid", "0123", "_id", "0123")}, []string{sink.RuleValue}},
		{"pv_id of five", value("pv_id", "abcde"), []string{sink.RuleValue}},
		{"pv_id with a dash", value("pv_id", "abcd-f"), []string{sink.RuleValue}},
		{"res beyond nine characters", value("res", "10000x8000"), []string{sink.RuleValue}},
		{"lang that is none", value("lang", "german"), []string{sink.RuleValue}},
		{"lang in the wrong case", value("lang", "de-de"), []string{sink.RuleValue}},
		{"uadata that is no JSON", value("uadata", "{"), []string{sink.RuleValue}},
		{"uadata without brands", value("uadata", `{"mobile":false,"platform":"Windows"}`), []string{sink.RuleValue}},
		{"uadata with a strange key",
			value("uadata", `{"brands":[{"brand":"a","version":"1"}],"platform":"Windows","x":1}`),
			[]string{sink.RuleValue}},
		{"idgoal that is no number", value("idgoal", "x"), []string{sink.RuleValue}},
		{"latitude beyond the pole", authorised("lat", "90.1"), []string{sink.RuleValue}},
		{"longitude with letters", authorised("long", "1e1"), []string{sink.RuleValue}},
		{"hour 24", value("h", "24"), []string{sink.RuleValue}},
		{"minute -1", value("m", "-1"), []string{sink.RuleValue}},
		{"second 60", value("s", "60"), []string{sink.RuleValue}},
		{"a relative url", value("url", "/page"), []string{sink.RuleValue}},
		{"a relative urlref", value("urlref", "google"), []string{sink.RuleValue}},
		{"an unreadable cdt", value("cdt", "soon"), []string{sink.RuleValue}},
		{"a plugin flag of 2", value("pdf", "2"), []string{sink.RuleValue}},
		{"page timing over the limit", value("pf_srv", "16777216"), []string{sink.RuleValue}},
		{"an event value in words", then(extra(1, "e_c", "c", "e_a", "a", "e_v", "much").at(1)),
			[]string{sink.RuleValue}},
		{"a blank search", then(extra(1, "search", " ", "action_name", "x", "pv_id", "abcdef").at(1)),
			[]string{sink.RuleValue}},
		{"an event value with a comma", then(extra(1, "e_c", "c", "e_a", "a", "e_v", "1,5").at(1)),
			[]string{sink.RuleComma}},
		{"revenue with a comma", then(order(1, "o").with("revenue", "123,40").at(1)),
			[]string{sink.RuleComma, sink.RuleSum}},
		{"revenue a cent off", then(order(1, "o").with("revenue", "123.41").at(1)), []string{sink.RuleSum}},
		{"an order without revenue", then(order(1, "o").without("revenue").at(1)),
			[]string{sink.RuleMissing, sink.RuleSum}},
		{"a third decimal", then(order(1, "o").with("ec_tx", "19.001").at(1)), []string{sink.RuleValue}},
		{"items that are no JSON", then(order(1, "o").with("ec_items", "[[").at(1)), []string{sink.RuleItems}},
		{"an item with four columns", then(order(1, "o").with("ec_items", `[["A","a","c",100]]`).at(1)),
			[]string{sink.RuleItems}},
		{"an item without SKU", then(order(1, "o").with("ec_items", `[["","a","c",100,1]]`).at(1)),
			[]string{sink.RuleItems}},
		{"a price in quotes", then(order(1, "o").with("ec_items", `[["A","a","c","100",1]]`).at(1)),
			[]string{sink.RuleItems}},
		{"a price with three decimals", then(order(1, "o").with("ec_items", `[["A","a","c",100.001,1]]`).at(1)),
			[]string{sink.RuleItems}},
		{"quantity 0", then(order(1, "o").with("ec_items", `[["A","a","c",100,0]]`).at(1)), []string{sink.RuleItems}},
		{"a category of six", then(order(1, "o").with("ec_items", `[["A","a",["1","2","3","4","5","6"],100,1]]`).at(1)),
			[]string{sink.RuleItems}},
		{"a category of five is fine",
			then(order(1, "o").with("ec_items", `[["A","a",["1","2","3","4","5"],100,1]]`).at(1)), nil},
		{"no items", then(order(1, "o").with("ec_items", `[]`).at(1)), []string{sink.RuleItems}},
		{"items that do not add up to the subtotal",
			then(order(1, "o").with("ec_items", `[["A","a","c",99.99,1]]`).at(1)), []string{sink.RuleItemSum}},
		{"a url of 1025 bytes", value("url", "https://shop.test/"+strings.Repeat("a", longPath-18)),
			[]string{sink.RuleLongURL}},
		{"a url of 1024 bytes is not cut", value("url", "https://shop.test/"+strings.Repeat("a", longPath-19)), nil},
		{"no title", []params{page(1).without("action_name")}, []string{sink.RuleNoTitle}},
		{"a blank title", value("action_name", " "), []string{sink.RuleNoTitle, sink.RuleValue}},
		{"country in upper case", authorised("country", "DE"), []string{sink.RuleCountryCase}},
		{"country of three letters", authorised("country", "deu"), []string{sink.RuleValue}},
		{"a private cip", authorised("cip", "192.168.1.1"), []string{sink.RuleReserved}},
		{"a documentation cip", authorised("cip", "2001:db8::1"), []string{sink.RuleReserved}},
		{"a cip of Google", authorised("cip", "74.125.1.1"), []string{sink.RuleBotAddress}},
		{"a cip that is none", authorised("cip", "1.2.3"), []string{sink.RuleValue}},
		{"a home IPv6 address is fine", authorised("cip", "2003:e5::1"), nil},
		{"a bot", value("ua", "Mozilla/5.0 (compatible; Googlebot/2.1)"), []string{sink.RuleBotAgent}},
		{"cdt ahead of the clock", value("cdt", "2026-03-10 11:00:01"), []string{sink.RuleFuture}},
		{"a clock that fits a cdt ahead",
			[]params{page(1).with("cdt", "2026-03-10 11:00:01", "h", "12", "m", "0", "s", "1")},
			[]string{sink.RuleFuture}},
		{"cdt of this second is not ahead", value("cdt", "2026-03-10 11:00:00"), nil},
		{"a visitor's clock with other seconds",
			[]params{page(1).with("cdt", firstSecond, "h", "12", "m", "30", "s", "1")}, []string{sink.RuleClock}},
		{"a visitor's clock in no zone", []params{page(1).with("cdt", firstSecond, "h", "12", "m", "31", "s", "0")},
			[]string{sink.RuleClock}},
		{"time that goes backward", []params{page(1).at(9), page(2).at(8)}, []string{sink.RuleBackward}},
		{"two hits of one second are in order", []params{page(1).at(9), page(2).at(9)}, nil},
		{"a gap of 1800 s", then(page(2).at(1800)), []string{sink.RuleGap}},
		{"a gap that only a ping bridges", then(extra(1, "ping", "1").at(1500), page(2).at(1800)),
			[]string{sink.RuleGap}},
		{"a late ping", then(extra(1, "ping", "1").at(1800)), []string{sink.RuleGap}},
		{"a returning visitor is no gap", then(page(2).with("urlref", "https://www.google.com/").at(1800)), nil},
		{"another campaign", []params{page(1).with("url", "https://shop.test/?mtm_campaign=a").at(0),
			page(2).with("url", "https://shop.test/?mtm_campaign=b").at(1)}, []string{sink.RuleCampaign}},
		{"another host", then(page(2).with("url", "https://other.test/", "urlref", "https://other.test/x").at(1)),
			[]string{sink.RuleHost}},
		{"urlref of another host after the entry", then(page(2).with("urlref", "https://www.google.com/").at(1)),
			[]string{sink.RuleReferrer}},
		{"a page that follows itself is fine",
			then(page(1).with("urlref", "https://shop.test/page-1", "pv_id", "abcdef").at(1)), nil},
		{"an event first", []params{extra(1, "e_c", "c", "e_a", "a")},
			[]string{sink.RuleExtraFirst, sink.RulePageview}},
		{"an order first", []params{order(1, "o")}, []string{sink.RuleExtraFirst, sink.RulePageview}},
		{"a search first", []params{extra(1, "search", "x")}, []string{sink.RuleExtraFirst, sink.RulePageview}},
		{"an outlink first", []params{extra(1, "link", "https://a.test/")},
			[]string{sink.RuleExtraFirst, sink.RulePageview}},
		{"a download first", []params{extra(1, "download", "https://a.test/b.zip")},
			[]string{sink.RuleExtraFirst, sink.RulePageview}},
		{"a page that is a search by accident may be first", value("url", "https://shop.test/?q=x"), nil},
		{"a ping without a page, which only tests", []params{extra(1, "ping", "1").without("pv_id")}, nil},
		{"a ping first", []params{extra(1, "ping", "1")}, []string{sink.RuleNoPage, sink.RulePageview}},
		{"a cart first", []params{extra(1, "idgoal", "0", "revenue", "5")},
			[]string{sink.RuleNoPage, sink.RulePageview}},
		{"an event with the pv_id of no page", then(extra(1, "e_c", "c", "e_a", "a", "pv_id", "zzzzzz").at(1)),
			[]string{sink.RulePageview}},
		{"an event on an earlier page is fine", then(page(2).at(1), extra(1, "e_c", "c", "e_a", "a").at(2)), nil},
		{"a page with the pv_id of another", then(page(2).with("pv_id", "page01").at(1)), []string{sink.RulePageview}},
		{"the device changes", then(page(2).with("ua", agent+" Edg/139.0.0.0").at(1)), []string{sink.RuleTrait}},
		{"the screen changes", then(page(2).with("res", "800x600").at(1)), []string{sink.RuleTrait}},
		{"the language changes", then(page(2).with("lang", "en-US").at(1)), []string{sink.RuleTrait}},
		{"the country changes", then(page(2).with("country", "fr", "token_auth", token).at(1)),
			[]string{sink.RuleTrait}},
		{"the address changes", then(page(2).with("cip", "84.150.10.20", "token_auth", token).at(1)),
			[]string{sink.RuleTrait}},
		{"the hints change", then(page(2).with("uadata",
			`{"brands":[{"brand":"a","version":"1"}],"platform":"Linux"}`).at(1)), []string{sink.RuleTrait}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := start(nil)
			f.post(c.hits...)
			f.wantRules(t, c.want...)
		})
	}
}

func TestRequestsThatHideOrRepeatAreReported(t *testing.T) {
	cases := []struct {
		name, method, target, body string
		want                       []string
	}{
		{"a token in the address", "POST", "/matomo.php?token_auth=" + token, page(1).encode(),
			[]string{sink.RuleTokenQuery}},
		{"a token by GET", "GET", "/matomo.php?" + page(1).with("token_auth", token).encode(), "",
			[]string{sink.RuleTokenGET, sink.RuleTokenQuery}},
		{"GET without a token is fine", "GET", "/piwik.php?" + page(1).encode(), "", nil},
		{"a duplicate parameter", "POST", "/matomo.php", page(1).encode() + "&rec=1", []string{sink.RuleRepeated}},
		{"a broken escape", "POST", "/matomo.php", page(1).encode() + "&e_n=%zz", []string{sink.RuleEncoding}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := start(nil)
			if status := f.request(c.method, c.target, c.body).Code; status != 200 {
				t.Errorf("status %d: a rule must not change the answer", status)
			}
			f.wantRules(t, c.want...)
		})
	}
}

func TestViolationsAreCountedAndNeverShowAToken(t *testing.T) {
	f := start(nil)
	for range 3 {
		f.request("GET", "/matomo.php?"+page(1).with("colour", "red", "token_auth", token).encode(), "")
	}
	for _, v := range f.Violations() {
		if strings.Contains(v.String(), "="+`"`+token) {
			t.Errorf("shows the token: %v", v)
		}
		if v.Rule == sink.RuleUnknownParameter &&
			(v.Count != 3 || v.Parameter != "colour" || v.Value != "red" || !strings.Contains(v.Hit, visitor)) {
			t.Errorf("got %+v", v)
		}
	}
	if f.Counts().Violations < 3 {
		t.Errorf("%d objections", f.Counts().Violations)
	}
}

func TestDistinctViolationsAreBounded(t *testing.T) {
	f := start(nil)
	for i := range 1100 {
		f.post(page(1).with("x"+strings.Repeat("y", i), "1"))
	}
	if n := len(f.Violations()); n > 1010 {
		t.Errorf("%d distinct violations are stored", n)
	}
}
