package visit_test

import (
	"encoding/json"
	"math"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/shop"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/loadgen/internal/visitor"
	"github.com/puttrix/trafficinator/shared/eventset"
	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/urllist"
)

// usual is the behaviour of the default settings, modified by change.
func usual(t testing.TB, change func(*visit.Behaviour)) *visit.Generator {
	t.Helper()
	store, err := shop.New(shop.Config{RevenueMin: 1599, RevenueMax: 29999, ItemsMin: 1, ItemsMax: 5, TaxRate: .1,
		Shipping: []shop.Cents{0, 599}})
	if err != nil {
		t.Fatal(err)
	}
	events := eventset.Default()
	b := visit.Behaviour{
		Seed: 42, RunID: "test", Pages: urllist.Default(""), Shop: store,
		PageviewsMin: 3, PageviewsMax: 6, DurationMin: time.Minute, DurationMax: 8 * time.Minute,
		PauseMin: 500 * time.Millisecond, PauseMax: 2 * time.Second, DirectShare: .3,
		Extras: []visit.Extra{{Kind: hit.Search, Share: .15}, {Kind: hit.Event, Share: .25, Events: events.Click},
			{Kind: hit.Event, Share: .12, Events: events.Random}, {Kind: hit.Download, Share: .08},
			{Kind: hit.Outlink, Share: .1}, {Kind: hit.Order, Share: .05}},
	}
	if change != nil {
		change(&b)
	}
	return visit.New(b)
}

func asJSON(t testing.TB, v *visit.Visit) string {
	t.Helper()
	all := []any{v.ID.String(), v.Funnel, v.Bounce, v.Hits, v.Visitor.Device.Name, v.Visitor.Place.City, v.Visitor.IP,
		v.Visitor.Source}
	for i, h := range v.Hits {
		all = append(all, v.PageviewID(i), v.Timing(i))
		switch h.Kind {
		case hit.Search:
			all = append(all, v.Search(i))
		case hit.Event:
			all = append(all, v.Event(i))
		case hit.Outlink, hit.Download:
			all = append(all, v.TargetURL(i))
		case hit.Order:
			all = append(all, v.Order(i), string(v.AppendOrderID(nil, i)))
		}
	}
	data, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestTheSameSeedAndRunGiveTheSameVisits(t *testing.T) {
	a, b := usual(t, nil), usual(t, nil)
	for n := range uint64(300) {
		if one, other := asJSON(t, a.Visit(n)), asJSON(t, b.Visit(n)); one != other {
			t.Fatalf("visit %d differs:\n%s\n%s", n, one, other)
		}
	}
}

// A run repeated with its seed and id sends the same hits, even with a later version.
func TestASeedKeepsItsPageviewIDsAcrossVersions(t *testing.T) {
	if id := usual(t, nil).Visit(7).PageviewID(0); string(id[:]) != "B6FPw4" {
		t.Errorf("the pageview id of visit 7 is %q", id)
	}
}

func TestAnotherRunIDChangesOnlyTheVisitorIDs(t *testing.T) {
	a, b := usual(t, nil), usual(t, func(b *visit.Behaviour) { b.RunID = "again" })
	for n := range uint64(300) {
		one, other := a.Visit(n), b.Visit(n)
		if one.ID == other.ID {
			t.Fatalf("visit %d has the visitor %s in both runs", n, one.ID)
		}
		if asJSON(t, one) != strings.ReplaceAll(asJSON(t, other), other.ID.String(), one.ID.String()) {
			t.Fatalf("visit %d differs in more than its ids", n)
		}
	}
}

func TestEveryVisitHasItsOwnVisitorID(t *testing.T) {
	g := usual(t, nil)
	id := regexp.MustCompile(`^[0-9a-f]{16}$`)
	seen := map[visit.ID]bool{}
	for n := range uint64(20_000) {
		v := g.Visit(n)
		if seen[v.ID] || !id.MatchString(v.ID.String()) {
			t.Fatalf("visit %d has the id %q", n, v.ID)
		}
		seen[v.ID] = true
	}
}

func TestMatomoRecordsEveryVisitAsOne(t *testing.T) {
	many := func(b *visit.Behaviour) {
		for i := range b.Extras {
			b.Extras[i].Share = .5
		}
	}
	for name, change := range map[string]func(*visit.Behaviour){
		"default":     nil,
		"many extras": many,
		"live":        func(b *visit.Behaviour) { many(b); b.Live = true },
		"long":        func(b *visit.Behaviour) { many(b); b.DurationMin, b.DurationMax = 2*time.Hour, 2*time.Hour },
		"one page":    func(b *visit.Behaviour) { many(b); b.PageviewsMin, b.PageviewsMax = 1, 1 },
		"short": func(b *visit.Behaviour) {
			many(b)
			b.DurationMin, b.DurationMax = 6*time.Second, 6*time.Second
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := usual(t, change)
			for n := range uint64(2000) {
				sound(t, g.Visit(n), name == "live")
			}
		})
	}
}

// sound fails unless Matomo would record the complete visit.
func sound(t *testing.T, v *visit.Visit, live bool) {
	t.Helper()
	if v.Hits[0].Kind != hit.Pageview || v.Hits[0].Offset != 0 || v.Hits[0].SendOffset != 0 {
		t.Fatalf("visit %d starts with %+v", v.Number, v.Hits[0])
	}
	host, ids := "", map[visit.PageviewID]bool{}
	for i, h := range v.Hits {
		u, err := url.Parse(h.URL.Plain)
		if err != nil || h.Title.Plain == "" && h.Kind == hit.Pageview {
			t.Fatalf("visit %d: hit %+v", v.Number, h)
		}
		if host == "" {
			host = u.Host
		}
		if u.Host != host {
			t.Fatalf("visit %d goes from %s to %s", v.Number, host, u.Host)
		}
		if h.Kind == hit.Pageview {
			if ids[v.PageviewID(i)] {
				t.Fatalf("visit %d: pageview id %q comes twice", v.Number, v.PageviewID(i))
			}
			ids[v.PageviewID(i)] = true
		} else if !ids[v.PageviewID(i)] {
			t.Fatalf("visit %d: %s without its page", v.Number, h.Kind)
		}
		if i == 0 {
			continue
		}
		before := v.Hits[i-1]
		if gap := h.Offset - before.Offset; gap < 0 || gap > visit.MaxGap ||
			h.Offset != h.Offset.Truncate(time.Second) {
			t.Fatalf("visit %d: hit %d is recorded %v after the one before", v.Number, i, gap)
		}
		if h.SendOffset < before.SendOffset || live && h.SendOffset != h.Offset {
			t.Fatalf("visit %d: hit %d is sent at %v after %v", v.Number, i, h.SendOffset, before.SendOffset)
		}
		if ref, err := url.Parse(h.Referrer.Plain); err != nil || h.Referrer.Plain != "" && ref.Host != host {
			t.Fatalf("visit %d: hit %d comes from %s", v.Number, i, h.Referrer.Plain)
		}
		if h.Kind == hit.Pageview && h.URL == h.Referrer {
			t.Fatalf("visit %d: %s leads to itself", v.Number, h.URL.Plain)
		}
	}
	if last := v.Hits[len(v.Hits)-1]; last.Kind != hit.Ping && !v.Bounce {
		t.Fatalf("visit %d ends with %s", v.Number, last.Kind)
	}
}

func TestTheRecordedDurationFollowsTheSettings(t *testing.T) {
	g := usual(t, func(b *visit.Behaviour) { b.DurationMin, b.DurationMax = 100*time.Second, 100*time.Second })
	for n := range uint64(500) {
		// Matomo adds a second.
		if got := g.Visit(n).Length() + time.Second; got != 100*time.Second {
			t.Fatalf("visit %d lasts %v", n, got)
		}
	}
}

func TestSharesFollowTheSettings(t *testing.T) {
	const n = 40_000
	g := usual(t, func(b *visit.Behaviour) { b.BounceShare = .2 })
	kinds := map[hit.Kind]int{}
	bounces, direct := 0, 0
	for i := range uint64(n) {
		v := g.Visit(i)
		if v.Bounce {
			bounces++
		}
		if v.Hits[0].Referrer.Plain == "" {
			direct++
		}
		for _, h := range v.Hits {
			kinds[h.Kind]++
		}
	}
	able := n - bounces
	share(t, "bounces", bounces, n, .2)
	share(t, "direct", direct, n, .3)
	share(t, "searches", kinds[hit.Search], able, .15)
	share(t, "outlinks", kinds[hit.Outlink], able, .1)
	share(t, "downloads", kinds[hit.Download], able, .08)
	share(t, "orders", kinds[hit.Order], able, .05)
	if events := float64(kinds[hit.Event]) / float64(able); math.Abs(events-.37) > 4*math.Sqrt((.25*.75+
		.12*.88)/float64(able)) {
		t.Errorf("events a visit: %.4f, want .37", events)
	}
	share(t, "no ping", n-kinds[hit.Ping], n, .2)
}

// share fails unless count of n is within 4 standard errors of p; n is such that a fifth off would be seen.
func share(t *testing.T, what string, count, n int, p float64) {
	t.Helper()
	se := math.Sqrt(p * (1 - p) / float64(n))
	if 8*se > .2*p {
		t.Fatalf("%s: %d draws are too few to see a fifth", what, n)
	}
	if got := float64(count) / float64(n); math.Abs(got-p) > 4*se {
		t.Errorf("%s: share %.4f, want %.4f ± %.4f", what, got, p, 4*se)
	}
}

func TestPopularPagesAreViewedMoreOften(t *testing.T) {
	g := usual(t, nil)
	seen := map[string]int{}
	for n := range uint64(5000) {
		for _, h := range g.Visit(n).Hits {
			if h.Kind == hit.Pageview {
				seen[h.URL.Plain]++
			}
		}
	}
	pages := urllist.Default("")
	if first, late := seen[pages[0].URL], seen[pages[1500].URL]; first < 20*max(1, late) {
		t.Errorf("the first page is seen %d times, page 1500 %d times", first, late)
	}
}

func TestPagesThatMatomoRecordsDifferently(t *testing.T) {
	g := usual(t, func(b *visit.Behaviour) {
		b.Pages = []urllist.Page{
			{URL: "https://a.test/one", Title: "One"}, {URL: "https://a.test/find?q=lamp", Title: "Find"},
			{URL: "https://a.test/sale?utm_campaign=spring", Title: "Sale"}, {URL: "https://a.test/two"},
			{URL: "https://a.test/direct?ignore_referrer=1"},
		}
	})
	searches, campaigns := 0, 0
	for n := range uint64(500) {
		v := g.Visit(n)
		for i, h := range v.Hits {
			switch {
			case h.Kind != hit.Pageview:
			case strings.Contains(h.URL.Plain, "?q="):
				searches++
				if h.RecordedAs != hit.Search {
					t.Fatalf("%s is booked as %s", h.URL.Plain, h.RecordedAs)
				}
			case strings.Contains(h.URL.Plain, "ignore_referrer") && i == 0:
				if v.AsReported().Source.Type != visitor.Direct || h.Referrer.Plain != "" {
					t.Fatalf("a page for a direct entry gets %+v", v.AsReported().Source)
				}
			case strings.Contains(h.URL.Plain, "utm_campaign"):
				campaigns++
				if v.AsReported().Source.Type != visitor.Campaign {
					t.Fatalf("a campaign decides the source, not %q", v.AsReported().Source.Type)
				}
				if i > 0 || h.Referrer.Plain != "" {
					t.Fatalf("the campaign is hit %d, from %q", i, h.Referrer.Plain)
				}
			}
		}
	}
	if searches == 0 || campaigns == 0 {
		t.Errorf("%d searches, %d campaigns", searches, campaigns)
	}
}

func funnels(exit bool) []funnel.Funnel {
	value, results := 120.0, 12
	return []funnel.Funnel{{
		Name: "Purchase", Probability: 1, Enabled: true, ExitAfterCompletion: exit,
		Steps: []funnel.Step{
			{Type: funnel.Pageview, URL: "https://shop.example.test/landing", DelayMin: 10, DelayMax: 20},
			{Type: funnel.SiteSearch, SearchKeyword: "lamp", SearchResults: &results, DelayMin: 5, DelayMax: 5},
			{Type: funnel.Event, URL: "https://shop.example.test/lamp", EventCategory: "Basket", EventAction: "add",
				EventName: "lamp", DelayMin: 5, DelayMax: 5},
			{Type: funnel.Ecommerce, URL: "https://shop.example.test/checkout", Revenue: &value, DelayMin: 30,
				DelayMax: 30},
		},
	}}
}

func TestAFunnelIsFollowedByOneVisitor(t *testing.T) {
	for _, exit := range []bool{true, false} {
		g := usual(t, func(b *visit.Behaviour) { b.Funnels = funnels(exit) })
		for n := range uint64(300) {
			v := g.Visit(n)
			sound(t, v, false)
			var kinds []string
			for _, h := range v.Hits {
				kinds = append(kinds, h.Kind.String())
			}
			path := strings.Join(kinds, " ")
			const want = "pageview search pageview event pageview order"
			if exit && path != want+" ping" || !exit &&
				(!strings.HasPrefix(path, want+" pageview") || !strings.HasSuffix(path, "pageview ping")) {
				t.Fatalf("exit %t: %s", exit, path)
			}
			if order, id := v.Order(5), string(v.AppendOrderID(nil, 5)); order.Revenue != 12000 ||
				id != v.ID.String()+"-1" {
				t.Fatalf("order %+v of %s", order, id)
			}
			if length := v.Hits[5].Offset - v.Hits[0].Offset; length < 20*time.Second || length > 31*time.Second {
				t.Fatalf("the order comes after %v", length)
			}
		}
	}
}

func TestFunnelsGetTheirShares(t *testing.T) {
	const n = 30_000
	three := []funnel.Funnel{funnels(true)[0], funnels(true)[0], funnels(true)[0]}
	three[0].Name, three[0].Probability, three[0].Priority = "last", .4, 2
	three[1].Name, three[1].Probability, three[1].Priority = "first", .35, 0
	three[2].Name, three[2].Probability, three[2].Enabled = "off", 1, false
	g := usual(t, func(b *visit.Behaviour) { b.Funnels = three })
	count := map[string]int{}
	for i := range uint64(n) {
		count[g.Visit(i).Funnel]++
	}
	for i, p := range funnel.Shares(three) {
		if p > 0 {
			share(t, three[i].Name, count[three[i].Name], n, p)
		}
	}
	if count["off"] > 0 {
		t.Error("a funnel that is switched off is followed")
	}
}

func BenchmarkMake(b *testing.B) {
	g := usual(b, nil)
	var v visit.Visit
	b.ReportAllocs()
	for n := uint64(0); b.Loop(); n++ {
		g.Make(n, &v)
	}
}
