package sink_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/sink"
)

func TestResponsesAreThoseOfMatomo(t *testing.T) {
	old := noon.Add(-24 * time.Hour).Format(time.DateTime)
	young := noon.Add(-24*time.Hour + time.Second).Format(time.DateTime)
	located := func(name, value string) params { return page(1).with(name, value) }
	cases := []struct {
		name   string
		hit    params
		status int
		stored int64
	}{
		{"a hit is answered with the GIF", page(1), 200, 1},
		{"send_image=0 with an empty 204", page(1).with("send_image", "0"), 204, 1},
		{"an unknown site", page(1).with("idsite", "77"), 400, 0},
		{"no site", page(1).without("idsite"), 400, 0},
		{"a cid that is too short", page(1).with("cid", "abc"), 400, 0},
		{"a cid that is no hex", page(1).with("cid", "0123456789abcdeg"), 400, 0},
		{"a cid in upper case is hex too", page(1).with("cid", "0123456789ABCDEF"), 200, 1},
		{"cip without a token", located("cip", "84.150.10.20"), 400, 0},
		{"country without a token", located("country", "de"), 400, 0},
		{"region without a token", located("region", "BY"), 400, 0},
		{"city without a token", located("city", "Berlin"), 400, 0},
		{"lat without a token", located("lat", "48"), 400, 0},
		{"long without a token", located("long", "11"), 400, 0},
		{"country with a wrong token", located("country", "de").with("token_auth", "wrong"), 400, 0},
		{"country with the token of another site", located("country", "de").with("token_auth", token, "idsite", "2"),
			400, 0},
		{"country with a token", located("country", "de").with("token_auth", token), 200, 1},
		{"a wrong token that nothing needs", page(1).with("token_auth", "wrong"), 200, 1},
		{"cdt of 24 hours without a token", page(1).with("cdt", old), 400, 0},
		{"cdt of 24 hours with a token", page(1).with("cdt", old, "token_auth", token), 200, 1},
		{"cdt a second younger without a token", page(1).with("cdt", young), 200, 1},
		{"cdo of 24 hours without a token", page(1).with("cdo", "86400"), 400, 0},
		{"rec other than 1", page(1).with("rec", "0"), 200, 0},
		{"rec other than 1, quiet", page(1).with("rec", "0", "send_image", "0"), 204, 0},
		{"a bot", page(1).with("ua", "Googlebot/2.1"), 200, 0},
		{"a bot that is let in", page(1).with("ua", "Googlebot/2.1", "bots", "1"), 200, 1},
		{"a tool that Matomo tracks", page(1).with("ua", "curl/8.5.0"), 200, 1},
		{"k6", page(1).with("ua", "k6/0.50"), 200, 0},
		{"an address of a crawler", page(1).with("cip", "66.249.80.1", "token_auth", token), 200, 0},
		{"a blank event", page(1).with("e_c", " ", "e_a", "a"), 400, 0},
		{"an unknown goal", page(1).with("idgoal", "3"), 400, 0},
		{"a negative timing", page(1).with("pf_srv", "-2"), 400, 0},
		{"the timing -1", page(1).with("pf_srv", "-1"), 200, 1},
		{"a title cut inside a character", page(1).with("action_name", strings.Repeat("a", 1023)+"é"), 400, 0},
		{"a title cut between characters", page(1).with("action_name", strings.Repeat("a", 1022)+"éé"), 200, 1},
		{"a category of a search cut inside a character",
			page(1).with("search", "x").with("search_cat", strings.Repeat("a", 199)+"é"), 400, 0},
		{"ca=1 that no plugin takes", page(1).with("ca", "1"), 400, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := start(nil)
			w := f.request(http.MethodPost, "/sub/matomo.php", c.hit.encode())
			if w.Code != c.status {
				t.Errorf("status %d, want %d: %s", w.Code, c.status, w.Body)
			}
			if got := f.Counts().Total.Visits; got != c.stored {
				t.Errorf("%d visits stored, want %d", got, c.stored)
			}
			isGIF := strings.HasPrefix(w.Body.String(), "GIF89a") && w.Body.Len() == 43 &&
				w.Header().Get("Content-Type") == "image/gif"
			if isGIF != (c.status == 200) {
				t.Errorf("GIF: %v", isGIF)
			}
			if c.status == 204 && w.Body.Len() != 0 {
				t.Errorf("204 with %d bytes", w.Body.Len())
			}
		})
	}
}

func TestRequestsThatAreNoHits(t *testing.T) {
	cases := []struct {
		name, method, body, coding string
		want                       int
	}{
		{"GET without parameters", "GET", "", "", 200}, {"POST without parameters", "POST", "", "", 400},
		{"OPTIONS", "OPTIONS", "", "", 204}, {"HEAD", "HEAD", "", "", 400},
		{"a gzip body", "POST", page(1).encode(), "gzip", 400},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := start(nil)
			r := httptest.NewRequest(c.method, "/matomo.php", strings.NewReader(c.body))
			if c.coding != "" {
				r.Header.Set("Content-Encoding", c.coding)
			}
			w := httptest.NewRecorder()
			f.ServeHTTP(w, r)
			if w.Code != c.want {
				t.Errorf("status %d, want %d", w.Code, c.want)
			}
			if got := f.Counts(); got.Total.Visits != 0 || got.Accepted != 0 {
				t.Errorf("something was tracked: %+v", got)
			}
		})
	}
}

func TestASecondOrderWithTheSameIDIsRejected(t *testing.T) {
	other := func(p params) params { return p.with("cid", "fedcba9876543210", "_id", "fedcba9876543210") }
	f := start(nil)
	f.post(page(1).at(0), order(1, "o").at(1))
	if status := f.post(other(order(1, "o")).at(2)); status != 400 {
		t.Errorf("status %d, want 400", status)
	}
	got := f.site()
	if got.Hits["order"] != 1 || got.Revenue != 12340 {
		t.Errorf("%d orders of %d cents", got.Hits["order"], got.Revenue)
	}
	if got.Visits != 2 {
		t.Errorf("%d visits: the visit that the rejected order started must remain", got.Visits)
	}
	if f.Counts().Rejected["ec_id is not unique"] != 1 {
		t.Errorf("rejected: %v", f.Counts().Rejected)
	}
	if status := f.post(page(1).with("idsite", "2"), order(1, "o").with("idsite", "2")); status != 200 {
		t.Errorf("the id of another site's order: status %d", status)
	}
}

func TestOrdersAreParsedLikeMatomo(t *testing.T) {
	cases := []struct {
		name           string
		hit            params
		revenue, items int64
	}{
		{"a comma ends the number", order(1, "o").with("revenue", "12,50"), 1200, 4},
		{"broken items are none, and no error", order(1, "o").with("ec_items", "[["), 12340, 0},
		{"an item without SKU is skipped", order(1, "o").with("ec_items", `[["","a","c",1,5],["B","b","c",1,2]]`),
			12340, 2},
		{"a missing quantity is 1", order(1, "o").with("ec_items", `[["A","a","c",1],["B","b","c",1,0]]`), 12340, 2},
		{"amounts are rounded to the cent", order(1, "o").with("revenue", "1.239"), 124, 4},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := start(nil)
			f.post(page(1).at(0), c.hit.at(1))
			if got := f.site(); got.Revenue != c.revenue || got.Items != c.items {
				t.Errorf("revenue %d, items %d, want %d, %d", got.Revenue, got.Items, c.revenue, c.items)
			}
		})
	}
}

func TestResponsesHaveTheTimeOfTheSink(t *testing.T) {
	f := start(func(c *sink.Config) { c.ClockSkew = -time.Hour })
	w := f.request(http.MethodOptions, "/matomo.php", "")
	if got, want := w.Header().Get("Date"), noon.Add(-time.Hour).Format(http.TimeFormat); got != want {
		t.Errorf("Date %q, want %q", got, want)
	}
	f.post(page(1).with("cdt", noon.Add(-time.Minute).Format(time.DateTime)))
	f.wantRules(t, sink.RuleFuture)
}
