package sink_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/sink"
)

const (
	token = "right"
	agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) " +
		"Chrome/139.0.0.0 Safari/537.36"
	visitor = "0123456789abcdef"
)

// noon is the time of the sink in most tests: 12:00 in CET, the default zone.
var noon = time.Date(2026, 3, 10, 11, 0, 0, 0, time.UTC)

// params are the parameters of one hit.
type params map[string]string

func (p params) with(pairs ...string) params {
	out := maps.Clone(p)
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i]] = pairs[i+1]
	}
	return out
}

func (p params) without(names ...string) params {
	out := maps.Clone(p)
	for _, n := range names {
		delete(out, n)
	}
	return out
}

func (p params) encode() string {
	v := url.Values{}
	for name, value := range p {
		v.Set(name, value)
	}
	return v.Encode()
}

// at dates the hit so many seconds after 11:30 in CET, with the clock of a visitor in India.
func (p params) at(seconds int) params {
	t := noon.Add(-30*time.Minute + time.Duration(seconds)*time.Second)
	local := t.In(time.FixedZone("", 5*3600+1800))
	return p.with("cdt", t.Format(time.DateTime), "h", fmt.Sprint(local.Hour()), "m", fmt.Sprint(local.Minute()), "s",
		fmt.Sprint(local.Second()))
}

// page is the n-th page of a flawless visit.
func page(n int) params {
	p := params{
		"idsite": "1", "rec": "1", "apiv": "1", "cid": visitor, "_id": visitor, "ua": agent, "lang": "de-DE,de;q=0.9",
		"res": "1920x1080",
		"url": fmt.Sprintf("https://shop.test/page-%d", n), "action_name": fmt.Sprintf("Page %d", n),
		"pv_id": fmt.Sprintf("page%02d", n), "pdf": "1", "cookie": "1", "pf_srv": "120",
	}
	if n > 1 {
		p["urlref"] = fmt.Sprintf("https://shop.test/page-%d", n-1)
	}
	return p
}

// extra is something that happens on the n-th page.
func extra(n int, pairs ...string) params {
	return page(n).without("action_name", "pf_srv").with(pairs...)
}

func order(n int, id string) params {
	return extra(n, "idgoal", "0", "ec_id", id, "revenue", "123.40", "ec_st", "100.00", "ec_tx", "19.00", "ec_sh",
		"4.90", "ec_dt", "0.50",
		"ec_items", `[["A1","Lamp","Light",30.00,3],["B2","Bulb","Light",10,1]]`)
}

// clock can be set by a test.
type clock struct{ time.Time }

func (c *clock) now() time.Time { return c.Time }

type fixture struct {
	*sink.Sink
	clock *clock
}

func start(change func(*sink.Config)) fixture {
	c := &clock{noon}
	cfg := sink.Config{Tokens: map[string][]int{token: {1}}, Now: c.now}
	if change != nil {
		change(&cfg)
	}
	return fixture{sink.New(cfg), c}
}

func (f fixture) request(method, target, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("User-Agent", agent)
	f.ServeHTTP(w, r)
	return w
}

// post sends hits one after another and returns the last status.
func (f fixture) post(hits ...params) int {
	status := 0
	for _, h := range hits {
		status = f.request(http.MethodPost, "/matomo.php", h.encode()).Code
	}
	return status
}

func (f fixture) site() *sink.SiteCounts { return f.Counts().Sites[1] }

func (f fixture) wantRules(t *testing.T, want ...string) {
	t.Helper()
	got := map[string]bool{}
	for _, v := range f.Violations() {
		got[v.Rule] = true
	}
	for _, rule := range want {
		if !got[rule] {
			t.Errorf("rule %q was not reported, only %v", rule, f.Violations())
		}
		delete(got, rule)
	}
	if len(got) > 0 {
		t.Errorf("reported beyond %q: %v", want, f.Violations())
	}
}

func TestAValidVisitIsRecordedWithoutViolations(t *testing.T) {
	f := start(nil)
	located := func(p params) params {
		return p.with(
			"token_auth",
			token,
			"cip",
			"84.150.10.20",
			"country",
			"de",
			"region",
			"BY",
			"city",
			"München",
			"lat",
			"48.14",
			"long",
			"11.58",
			"uadata",
			`{"fullVersionList":[{"brand":"Chromium","version":"139.0.7258.128"}],"mobile":false,"model":"","platform":"Windows","platformVersion":"15.0.0"}`,
		)
	}
	hits := []params{
		page(1).with("urlref", "https://www.google.com/").at(0), page(2).at(20),
		extra(2, "search", "lamp", "search_cat", "all", "search_count", "0").at(25),
		extra(2, "ca", "1", "e_c", "Video", "e_a", "Play", "e_n", "Intro", "e_v", "1.5").at(30),
		page(3).at(60), extra(3, "link", "https://partner.test/x").at(61),
		extra(3, "download", "https://shop.test/a.pdf").at(62), order(3, "o-1").at(70), extra(3, "ping", "1").at(99),
	}
	for i, h := range hits {
		if status := f.post(located(h)); status != http.StatusOK {
			t.Fatalf("hit %d: status %d", i, status)
		}
	}
	f.wantRules(t)
	got := f.site()
	wantHits := map[string]int64{"pageview": 3, "search": 1, "event": 1, "outlink": 1, "download": 1,
		"order": 1, "ping": 1}
	if !maps.Equal(got.Hits, wantHits) {
		t.Errorf("hits %v, want %v", got.Hits, wantHits)
	}
	for _, c := range []struct {
		name      string
		got, want int64
	}{
		{"visits", got.Visits, 1}, {"unique visitors", got.UniqueVisitors, 1}, {"actions", got.Actions, 7},
		{"bounces", got.Bounces, 0},
		{"seconds", got.Seconds, 100}, {"revenue", got.Revenue, 12340}, {"subtotal", got.Subtotal, 10000},
		{"tax", got.Tax, 1900},
		{"shipping", got.Shipping, 490}, {"discount", got.Discount, 50}, {"items", got.Items, 4},
		{"split", got.SplitVisits, 0},
		{"country de", got.Countries["de"], 1}, {"from search", got.Referrers["search"], 1},
		{"title Page 2", got.Titles["Page 2"], 1},
		{"accepted", f.Counts().Accepted, 9}, {"total visits", f.Counts().Total.Visits, 1},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d, want %d", c.name, c.got, c.want)
		}
	}
}
