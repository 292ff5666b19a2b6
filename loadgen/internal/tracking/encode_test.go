package tracking_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/shop"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/shared/eventset"
	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/urllist"
)

var noon = time.Date(2026, 7, 1, 12, 30, 45, 999, time.UTC)

// The hits of someone's visit.
const (
	pageview = iota
	order
	event
	ping
)

func generator(t testing.TB, funnels []funnel.Funnel) *visit.Generator {
	t.Helper()
	store, err := shop.New(shop.Config{RevenueMin: 1599, RevenueMax: 29999, ItemsMin: 2, ItemsMax: 5, TaxRate: .1,
		Shipping: []shop.Cents{5}})
	if err != nil {
		t.Fatal(err)
	}
	events := eventset.Default()
	return visit.New(visit.Behaviour{
		Seed: 1, RunID: "test", Pages: urllist.Default(""), Shop: store, Funnels: funnels,
		PageviewsMin: 3, PageviewsMax: 6, DurationMin: time.Minute, DurationMax: 8 * time.Minute,
		Extras: []visit.Extra{{Kind: hit.Search, Share: .15}, {Kind: hit.Event, Share: .25, Events: events.Click},
			{Kind: hit.Event, Share: .12, Events: events.Random}, {Kind: hit.Download, Share: .08},
			{Kind: hit.Outlink, Share: .1}, {Kind: hit.Order, Share: .05}},
	})
}

// someone looks at a page, orders, and triggers an event there.
func someone(t testing.TB) *visit.Visit {
	t.Helper()
	return generator(t, []funnel.Funnel{{
		Name: "all", Probability: 1, Enabled: true, ExitAfterCompletion: true, Steps: []funnel.Step{
			{Type: funnel.Pageview, URL: "https://a.test/ü?x=1&y=2", Title: "Tea & cake + 50%"},
			{Type: funnel.Ecommerce},
			{Type: funnel.Event, EventCategory: "CTA", EventAction: "click", EventName: "Buy"},
		},
	}}).Visit(0)
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
			t.Errorf("%s occurs %d times: %s", name, len(all), raw)
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

func TestAPageviewIsEncodedCompletely(t *testing.T) {
	v := someone(t)
	got := form(t, v, pageview, tracking.Form{SiteID: 7, WithPlace: true, WithTime: true}, noon)
	local, who := noon.In(v.Visitor.Place.Zone), v.Visitor
	id := v.PageviewID(pageview)
	expect(t, got, map[string]string{
		"idsite": "7", "rec": "1", "apiv": "1", "cid": v.ID.String(), "_id": v.ID.String(),
		"url": "https://a.test/ü?x=1&y=2", "action_name": "Tea & cake + 50%",
		"urlref": who.Source.Referrer.Plain, "pv_id": string(id[:]), "cdt": "2026-07-01 12:30:45",
		"pf_net": strconv.Itoa(v.Timing(pageview)[0]), "pf_onl": strconv.Itoa(v.Timing(pageview)[5]),
		"ua": who.Device.UserAgent, "uadata": who.Device.Hints, "lang": who.Place.Lang.Plain, "res": who.Resolution,
		"cookie": "1",
		"cip":    who.IP.String(), "country": who.Place.Country, "region": who.Place.Region, "city": who.Place.City,
		"lat": who.Place.Lat, "long": who.Place.Long,
		"h": strconv.Itoa(local.Hour()), "m": strconv.Itoa(local.Minute()), "s": "45",
	})
}

func TestEveryHitOfManyVisitsIsWellFormed(t *testing.T) {
	g := generator(t, nil)
	for n := range uint64(2000) {
		v := g.Visit(n)
		for i := range v.Hits {
			got := form(t, v, i, tracking.Form{SiteID: 1, WithPlace: true, WithTime: true}, noon)
			expect(t, got, map[string]string{"url": v.Hits[i].URL.Plain, "ua": v.Visitor.Device.UserAgent,
				"city": v.Visitor.Place.City, "cip": v.Visitor.IP.String()})
		}
	}
}

func TestWithoutATokenNoParametersThatNeedOneAreSent(t *testing.T) {
	v := someone(t)
	for i := range v.Hits {
		got := form(t, v, i, tracking.Form{SiteID: 1}, noon)
		for _, name := range []string{"cip", "country", "region", "city", "lat", "long", "token_auth", "cdt"} {
			if got.Has(name) {
				t.Errorf("hit %d has %s", i, name)
			}
		}
	}
}

func TestAnOrderIsEncodedToTheCent(t *testing.T) {
	v := someone(t)
	got, o := form(t, v, order, tracking.Form{SiteID: 1}, noon), v.Order(order)
	expect(t, got, map[string]string{
		"idgoal": "0", "ec_id": v.ID.String() + "-1", "revenue": o.Revenue.String(), "ec_st": o.Subtotal.String(),
		"ec_tx": o.Tax.String(), "ec_sh": "0.05",
	})
	for _, name := range []string{"ec_currency", "ec_dt", "action_name"} {
		if got.Has(name) {
			t.Errorf("it has %s", name)
		}
	}
	var items [][]any
	if err := json.Unmarshal([]byte(got.Get("ec_items")), &items); err != nil || len(items) != len(o.Items) {
		t.Fatalf("%s: %v", got.Get("ec_items"), err)
	}
	for i, it := range o.Items {
		if want := fmt.Sprint([]any{it.SKU, it.Name, it.Category, float64(it.Price) / 100,
			it.Quantity}); fmt.Sprint(items[i]) != want {
			t.Errorf("item %v, want %s", items[i], want)
		}
	}
}

func TestHitsOnAPageAreNoPageviews(t *testing.T) {
	v := someone(t)
	got := form(t, v, event, tracking.Form{SiteID: 1, NoContent: true}, noon)
	id := v.PageviewID(pageview)
	expect(t, got, map[string]string{"ca": "1", "e_c": "CTA", "e_a": "click", "e_n": "Buy", "send_image": "0",
		"pv_id": string(id[:])})
	if got.Has("e_v") || got.Has("action_name") {
		t.Errorf("%v", got)
	}
	if got := form(t, v, ping, tracking.Form{SiteID: 1}, noon); got.Get("ping") != "1" || got.Has("send_image") {
		t.Errorf("%v", got)
	}
}

func TestWithoutATimeNothingDependsOnTheClock(t *testing.T) {
	got := form(t, someone(t), pageview, tracking.Form{SiteID: 1, WithTime: true}, time.Time{})
	if slices.ContainsFunc([]string{"cdt", "h", "m", "s"}, got.Has) {
		t.Errorf("%v", got)
	}
}

func TestEncodingAHitAllocatesNothing(t *testing.T) {
	g := generator(t, nil)
	var v visit.Visit
	body := make([]byte, 0, 4096)
	n := uint64(0)
	some := testing.AllocsPerRun(5000, func() {
		g.Make(n, &v)
		i := int(n) % len(v.Hits)
		body = tracking.Append(body[:0], &v, i, tracking.Form{SiteID: 1, WithPlace: true, WithTime: true}, noon)
		n++
	})
	if some > .5 { // orders, one hit in a hundred, may cost some
		t.Errorf("%.2f allocations a hit", some)
	}
}

func BenchmarkAppend(b *testing.B) {
	v, buffer := generator(b, nil).Visit(1), make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		buffer = tracking.Append(buffer[:0], v, 0, tracking.Form{SiteID: 1, WithPlace: true, WithTime: true}, noon)
	}
	b.ReportMetric(float64(len(buffer)), "bytes")
}

func TestEveryHitHasTheRunIDInItsDimension(t *testing.T) {
	v := someone(t)
	for i := range v.Hits {
		if got := form(t, v, i, tracking.Form{SiteID: 1, RunID: "nightly-7", RunDimension: 12},
			noon).Get("dimension12"); got != "nightly-7" {
			t.Errorf("hit %d carries %q", i, got)
		}
		if form(t, v, i, tracking.Form{SiteID: 1, RunID: "nightly-7"}, noon).Has("dimension0") {
			t.Errorf("hit %d has a dimension that was not requested", i)
		}
	}
}
