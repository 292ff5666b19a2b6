package tracking_test

import (
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/shop"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/loadgen/internal/visitor"
)

var noon = time.Date(2026, 7, 1, 12, 30, 45, 999, time.UTC)

func someone() *visit.Visit {
	v := &visit.Visit{ID: "0123456789abcdef", Visitor: visitor.Draw(rand.New(rand.NewPCG(1, 1)), 0)}
	v.Hits = []visit.Hit{
		{Kind: visit.Pageview, URL: "https://a.test/ü?x=1&y=2", Title: "Tea & cake + 50%", Referrer: "https://www.google.com/", PageviewID: "abc123", Timing: &visit.Timing{Network: 1, Server: 2, Transfer: 3, DOMProcessing: 4, DOMCompletion: 5, OnLoad: 6}},
		{Kind: visit.Order, URL: "https://a.test/pay", PageviewID: "abc123", OrderID: "x-1", Order: &shop.Order{
			Items:    []shop.Item{{SKU: "A-1", Name: `Mug "blue", large`, Category: "Kitchen", Price: 905, Quantity: 2}},
			Subtotal: 1810, Tax: 181, Shipping: 5, Revenue: 1996,
		}},
		{Kind: visit.Event, URL: "https://a.test/pay", PageviewID: "abc123", Event: visit.EventData{Category: "CTA", Action: "click", Name: "Buy"}},
		{Kind: visit.Ping, URL: "https://a.test/pay", PageviewID: "abc123"},
	}
	return v
}

func form(t *testing.T, v *visit.Visit, i int, f tracking.Form, at time.Time) url.Values {
	t.Helper()
	raw := string(tracking.Append(nil, v, i, f, at))
	values, err := url.ParseQuery(raw)
	if err != nil {
		t.Fatal(err)
	}
	for name, all := range values {
		if len(all) != 1 {
			t.Errorf("%s stands there %d times: %s", name, len(all), raw)
		}
	}
	return values
}

func expect(t *testing.T, got url.Values, want map[string]string) {
	t.Helper()
	for name, v := range want {
		if got.Get(name) != v {
			t.Errorf("%s is %q, want %q", name, got.Get(name), v)
		}
	}
}

func TestAPageviewIsWrittenWhole(t *testing.T) {
	v := someone()
	got := form(t, v, 0, tracking.Form{SiteID: 7, Located: true, Dated: true}, noon)
	local := noon.In(v.Visitor.Place.Zone)
	expect(t, got, map[string]string{
		"idsite": "7", "rec": "1", "cid": v.ID, "_id": v.ID, "url": "https://a.test/ü?x=1&y=2", "action_name": "Tea & cake + 50%",
		"urlref": "https://www.google.com/", "pv_id": "abc123", "cdt": "2026-07-01 12:30:45", "pf_net": "1", "pf_onl": "6",
		"ua": v.Visitor.Device.UserAgent, "uadata": v.Visitor.Device.Hints, "lang": v.Visitor.Place.Lang, "res": v.Visitor.Resolution,
		"cip": v.Visitor.IP.String(), "country": v.Visitor.Place.Country, "region": v.Visitor.Place.Region, "city": v.Visitor.Place.City,
		"h": strconv.Itoa(local.Hour()), "m": "30", "s": "45",
	})
}

func TestWithoutATokenNothingIsSentThatNeedsOne(t *testing.T) {
	for i := range someone().Hits {
		got := form(t, someone(), i, tracking.Form{SiteID: 1}, noon)
		for _, name := range []string{"cip", "country", "region", "city", "lat", "long", "token_auth", "cdt"} {
			if got.Has(name) {
				t.Errorf("hit %d has %s", i, name)
			}
		}
	}
}

func TestAnOrderIsWrittenToTheCent(t *testing.T) {
	got := form(t, someone(), 1, tracking.Form{SiteID: 1}, noon)
	expect(t, got, map[string]string{
		"idgoal": "0", "ec_id": "x-1", "revenue": "19.96", "ec_st": "18.10", "ec_tx": "1.81", "ec_sh": "0.05",
		"ec_items": `[["A-1","Mug \"blue\", large","Kitchen",9.05,2]]`,
	})
	for _, name := range []string{"ec_currency", "ec_dt", "action_name"} {
		if got.Has(name) {
			t.Errorf("it has %s", name)
		}
	}
}

func TestWhatHappensOnAPageIsNoPageview(t *testing.T) {
	event := form(t, someone(), 2, tracking.Form{SiteID: 1, Quiet: true}, noon)
	expect(t, event, map[string]string{"ca": "1", "e_c": "CTA", "e_a": "click", "e_n": "Buy", "send_image": "0"})
	if event.Has("e_v") || event.Has("action_name") {
		t.Errorf("%v", event)
	}
	if ping := form(t, someone(), 3, tracking.Form{SiteID: 1}, noon); ping.Get("ping") != "1" || ping.Has("send_image") {
		t.Errorf("%v", ping)
	}
}

func TestWithoutATimeNothingDependsOnTheClock(t *testing.T) {
	got := form(t, someone(), 0, tracking.Form{SiteID: 1, Dated: true}, time.Time{})
	if slices.ContainsFunc([]string{"cdt", "h", "m", "s"}, got.Has) {
		t.Errorf("%v", got)
	}
}

func BenchmarkAppend(b *testing.B) {
	v, buffer := someone(), make([]byte, 0, 2048)
	b.ReportAllocs()
	for b.Loop() {
		buffer = tracking.Append(buffer[:0], v, 0, tracking.Form{SiteID: 1, Located: true, Dated: true}, noon)
	}
}
