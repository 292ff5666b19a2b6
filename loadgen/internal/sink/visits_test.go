package sink_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/sink"
)

func TestVisitsStartAndJoinLikeInMatomo(t *testing.T) {
	other := func(p params) params { return p.with("cid", "fedcba9876543210", "_id", "fedcba9876543210") }
	campaign := func(p params, name string) params { return p.with("url", p["url"]+"?mtm_campaign="+name) }
	cases := []struct {
		name                          string
		hits                          []params
		visits, unique, split, second int64
	}{
		{"1799 s join", []params{page(1).at(0), page(2).at(1799)}, 1, 1, 0, 1800},
		{"1800 s split", []params{page(1).at(0), page(2).at(1800)}, 2, 1, 1, 0},
		{"a visitor who comes back is not split", []params{page(1).at(-3600), page(2).without("urlref").at(0)},
			2, 1, 0, 0},
		{"new_visit opens a visit of the known visitor", []params{page(1).at(0), page(2).with("new_visit", "1").at(9)},
			2, 1, 0, 0},
		{"two cids are two visits", []params{page(1).at(0), other(page(1)).at(1)}, 2, 2, 0, 0},
		{"a ping does not extend a visit",
			[]params{page(1).at(0), extra(1, "ping", "1").at(1500), page(2).at(2000)}, 2, 1, 1, 1501},
		{"a ping after 1800 s is dropped", []params{page(1).at(0), extra(1, "ping", "1").at(1800)}, 1, 1, 0, 0},
		{"a ping without a visit is dropped", []params{extra(1, "ping", "1").at(0)}, 0, 0, 0, 0},
		{"a ping with new_visit is dropped", []params{page(1).at(0), extra(1, "ping", "1", "new_visit", "1").at(5)},
			1, 1, 0, 0},
		{"a single order is a visit", []params{order(1, "o").at(0)}, 1, 1, 0, 0},
		{"an order adds two seconds", []params{page(1).at(0), order(1, "o").at(9)}, 1, 1, 0, 12},
		{"a later hit rewrites them", []params{page(1).at(0), order(1, "o").at(9), page(2).at(19)}, 1, 1, 0, 20},
		{"a single hit has no duration", []params{page(1).at(0)}, 1, 1, 0, 0},
		{"the last hit decides the duration", []params{page(1).at(0), page(2).at(100), page(3).at(50)}, 1, 1, 0, 51},
		{"reversed hits leave none", []params{page(3).at(100), page(2).at(50), page(1).at(0)}, 1, 1, 0, 0},
		{"a hit half an hour before the visit opens another",
			[]params{page(1).at(1801), page(2).without("urlref").at(0)}, 2, 1, 1, 0},
		{"another campaign splits", []params{campaign(page(1), "a").at(0), campaign(page(2), "b").at(9)}, 2, 1, 1, 0},
		{"the same campaign joins", []params{campaign(page(1), "a").at(0), campaign(page(2), "A").at(9)}, 1, 1, 0, 10},
		{"a direct visit is upgraded by a campaign", []params{page(1).at(0), campaign(page(2), "a").at(9)},
			1, 1, 0, 10},
		{"a uid wins over cid", []params{page(1).with("uid", "u").at(0), other(page(2)).with("uid", "u").at(9)},
			1, 1, 0, 10},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := start(nil)
			f.clock.Time = noon.Add(time.Hour)
			f.post(c.hits...)
			got := f.site()
			if got.Visits != c.visits || got.UniqueVisitors != c.unique || got.SplitVisits != c.split ||
				got.Seconds != c.second {
				t.Errorf("visits %d, unique %d, split %d, seconds %d; want %d, %d, %d, %d",
					got.Visits, got.UniqueVisitors, got.SplitVisits, got.Seconds, c.visits, c.unique, c.split, c.second)
			}
		})
	}
}

func TestMidnightOfTheSiteSplitsAVisit(t *testing.T) {
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	midnightCET := time.Date(2026, 3, 10, 23, 0, 0, 0, time.UTC)
	cases := []struct {
		name   string
		zone   *time.Location
		visits int64
	}{{"23:59 and 00:00 in the site's zone are two visits", nil, 2},
		{"the same moments in another zone are one", tokyo, 1}}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := start(func(cfg *sink.Config) { cfg.Sites = map[int]sink.Site{1: {Zone: c.zone}} })
			f.clock.Time = midnightCET.Add(-time.Minute)
			f.post(page(1))
			f.clock.Time = midnightCET
			f.post(extra(1, "e_c", "c", "e_a", "a"), page(2))
			if got := f.site(); got.Visits != c.visits || got.SplitVisits != c.visits-1 {
				t.Errorf("visits %d, split %d", got.Visits, got.SplitVisits)
			}
			f.wantRules(t) // to cross midnight is no fault of the sender
		})
	}
}

func TestInvalidTimesBecomeNow(t *testing.T) {
	cases := []struct {
		name, cdt string
		taken     bool
	}{
		{"UTC text", noon.Add(-time.Minute).Format(time.DateTime), true}, {"Unix seconds", "1773140340", true},
		{"ISO with an offset", "2026-03-10T12:59:00+02:00", true},
		{"two minutes ahead", noon.Add(2 * time.Minute).Format(time.DateTime), false},
		{"21 years ago", "2005-01-01 00:00:00", false}, {"unreadable", "yesterday-ish", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := start(nil)
			f.post(page(1).with("cdt", c.cdt), page(2).with("cdt", noon.Format(time.DateTime)))
			want := int64(1)
			if c.taken {
				want = 61
			}
			if got := f.site(); got.Visits != 1 || got.Seconds != want {
				t.Errorf("visits %d, seconds %d, want 1 of %d", got.Visits, got.Seconds, want)
			}
		})
	}
}

func TestReferrerTypesAreThoseOfMatomo(t *testing.T) {
	cases := []struct{ url, from, want string }{
		{"https://shop.test/", "", "direct"},
		{"https://shop.test/", "https://SHOP.test/other", "direct"},
		{"https://shop.test/?ignore_referrer=1", "https://www.google.com/", "direct"},
		{"https://shop.test/", "https://www.google.com/", "search"},
		{"https://shop.test/", "https://www.google.co.uk/", "search"},
		{"https://shop.test/", "https://duckduckgo.com/anything", "search"},
		{"https://shop.test/", "android-app://com.google.android.googlequicksearchbox/", "search"},
		{"https://shop.test/", "https://search.yahoo.com/", "search"},
		{"https://shop.test/", "https://www.bing.com/", "search"},
		{"https://shop.test/", "https://www.facebook.com/", "search"}, // the trap
		{"https://shop.test/", "https://l.facebook.com/", "social"},
		{"https://shop.test/", "https://m.facebook.com/", "social"},
		{"https://shop.test/", "https://t.co/abc", "social"},
		{"https://shop.test/", "https://example.org/articles/twitter.com/x", "social"},
		{"https://shop.test/", "https://lens.google.com/", "website"},
		{"https://shop.test/", "https://www.google.com/maps", "website"},
		{"https://shop.test/", "https://www.baidu.com/link?url=x", "website"},
		{"https://shop.test/", "https://medium.com/x", "website"},
		{"https://shop.test/", "https://www.microsoft.com/", "website"},
		{"https://shop.test/?utm_source=news", "https://www.google.com/", "campaign"},
		{"https://shop.test/#mtm_campaign=x", "", "campaign"},
	}
	for _, c := range cases {
		f := start(nil)
		f.post(page(1).with("url", c.url, "urlref", c.from))
		if got := f.site().Referrers; got[c.want] != 1 {
			t.Errorf("%s from %q: filed as %v, want %s", c.url, c.from, got, c.want)
		}
	}
}

func TestCountriesComeFromTheParameterOrTheLanguage(t *testing.T) {
	cases := []struct{ country, lang, want string }{
		{"se", "de-DE", "se"}, {"SE", "de-DE", "SE"}, {"", "sv-SE", "se"}, {"", "sv", "se"}, {"", "ja", "jp"},
		{"", "de-AT", "at"},
		{"", "pt-BR", "br"}, {"", "en-US", "us"}, {"", "en,sv-SE", "se"}, {"", "en", "xx"}, {"", "es-419", "xx"},
	}
	for _, c := range cases {
		f := start(nil)
		hit := page(1).with("lang", c.lang)
		if c.country != "" {
			hit = hit.with("country", c.country, "token_auth", token)
		}
		f.post(hit)
		if got := f.site().Countries; got[c.want] != 1 {
			t.Errorf("country %q, lang %q: %v, want %s", c.country, c.lang, got, c.want)
		}
	}
}

func TestIdleVisitorsAreRemovedIfThereAreMany(t *testing.T) {
	cases := []struct {
		name   string
		idle   time.Duration
		visits int64
	}{{"after 32 minutes a hit cannot join any more", 32 * time.Minute, 3}, {"after 30 it can", 30 * time.Minute, 2}}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := start(func(cfg *sink.Config) { cfg.MaxOpen = 1 })
			f.post(page(1).at(0))
			f.clock.Time = noon.Add(c.idle)
			f.post(page(1).with("cid", "fedcba9876543210", "_id", "fedcba9876543210").at(0))
			f.post(page(2).at(60)) // dated into the first visit
			if got := f.site(); got.Visits != c.visits || got.UniqueVisitors != 2 {
				t.Errorf("visits %d of %d visitors, want %d of 2", got.Visits, got.UniqueVisitors, c.visits)
			}
		})
	}
}

func BenchmarkHit(b *testing.B) {
	f := start(nil)
	hit, i := page(1).with("cid", "", "_id", ""), 0
	for b.Loop() {
		id := fmt.Sprintf("%016x", i/5)
		i++
		f.post(hit.with("cid", id, "_id", id, "pv_id", fmt.Sprintf("p%05d", i%100000)))
	}
}

func TestDaysFollowTheSitesCalendar(t *testing.T) {
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	f := start(func(c *sink.Config) { c.Sites = map[int]sink.Site{1: {Zone: newYork}} })
	f.clock.Time = time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC)
	for i, at := range []time.Time{
		time.Date(2026, 11, 1, 3, 59, 59, 0, time.UTC), // the last second of October there
		time.Date(2026, 11, 1, 4, 0, 0, 0, time.UTC),   // a day of 25 hours starts
		time.Date(2026, 11, 2, 4, 59, 59, 0, time.UTC), // and ends
		time.Date(2026, 11, 2, 5, 0, 0, 0, time.UTC),
	} {
		id := fmt.Sprintf("%016x", i+1)
		f.post(page(1).with("cid", id, "_id", id, "cdt", at.Format(time.DateTime), "token_auth", token))
	}
	for date, want := range map[string]int64{"2026-10-31": 1, "2026-11-01": 2, "2026-11-02": 1} {
		if d := f.site().Days[date]; d == nil || d.Visits != want || d.Hits["pageview"] != want {
			t.Errorf("%s has %+v, want %d visits", date, d, want)
		}
	}
}
