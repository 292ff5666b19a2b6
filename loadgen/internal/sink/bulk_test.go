package sink_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/loadgen/internal/sink"
)

func TestBulkResponsesAreThoseOfMatomo(t *testing.T) {
	item := func(p params) string { return "?" + p.encode() }
	body := func(top map[string]any, items ...any) string {
		all := map[string]any{"requests": items}
		for k, v := range top {
			all[k] = v
		}
		b, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	german := page(1).with("country", "de")
	cases := []struct {
		name, query, body string
		status            int
		answer            string
		pages             int64
	}{
		{"two hits in order", "", body(nil, item(page(1).at(0)), item(page(2).at(9))), 200,
			`{"status":"success","tracked":2,"invalid":0}`, 2},
		{"an object is a hit", "", body(nil, page(1)), 200, `{"status":"success","tracked":1,"invalid":0}`, 1},
		{"an object may contain numbers, true and null", "", body(nil, map[string]any{
			"idsite": 1, "rec": true, "cid": visitor, "ua": agent, "url": "https://shop.test/", "action_name": "x",
			"urlref": nil,
		}), 200, `{"status":"success","tracked":1,"invalid":0}`, 1},
		{"a number is no hit", "", body(nil, 5), 200, `{"status":"success","tracked":0,"invalid":0}`, 0},
		{"a full address is a hit", "", body(nil, "https://m.test/matomo.php"+item(page(1))), 200,
			`{"status":"success","tracked":1,"invalid":0}`, 1},
		{"a bare string is skipped", "", body(nil, page(1).encode()), 200,
			`{"status":"success","tracked":0,"invalid":0}`, 0},
		{"an empty list", "", body(nil), 200, `{"status":"success","tracked":0,"invalid":0}`, 0},
		{"unreadable JSON", "", `{"requests":[`, 200, `{"status":"success","tracked":0,"invalid":0}`, 0},
		{"send_image 0 is quiet", "", body(map[string]any{"send_image": 0}, item(page(1))), 204, "", 1},
		{"a bad hit does not stop the rest", "", body(nil, item(page(1).with("idsite", "77")), item(page(1))), 200,
			`{"status":"success","tracked":1,"invalid":1}`, 1},
		{"an excluded hit counts as tracked", "", body(nil, item(page(1).with("rec", "0"))), 200,
			`{"status":"success","tracked":1,"invalid":0}`, 0},
		{"a token at the top", "", body(map[string]any{"token_auth": token}, item(german)), 200,
			`{"status":"success","tracked":1,"invalid":0}`, 1},
		{"a wrong token is success with nothing tracked", "", body(map[string]any{"token_auth": "wrong"}, item(german)),
			200, `{"status":"success","tracked":0,"invalid":1}`, 0},
		{"a token inside the hit", "", body(nil, item(german.with("token_auth", token))), 200,
			`{"status":"success","tracked":1,"invalid":0}`, 1},
		{"a token in the address does not count", "?token_auth=" + token, body(nil, item(german)), 200,
			`{"status":"success","tracked":0,"invalid":1}`, 0},
		{"a title cut inside a character undoes all", "",
			body(nil, item(page(1)), item(page(2).with("action_name", strings.Repeat("a", 1023)+"é"))), 500,
			`{"status":"error","tracked":0,"invalid":0}`, 0},
		{"ca=1 that no plugin takes undoes all", "", body(nil, item(page(1)), item(page(2).with("ca", "1"))), 500,
			`{"status":"error","tracked":0,"invalid":0}`, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := start(nil)
			w := f.request(http.MethodPost, "/matomo.php"+c.query, c.body)
			if w.Code != c.status || strings.TrimSpace(w.Body.String()) != c.answer {
				t.Errorf("%d %s, want %d %s", w.Code, w.Body, c.status, c.answer)
			}
			if got := f.site().Hits["pageview"]; got != c.pages {
				t.Errorf("%d pageviews, want %d", got, c.pages)
			}
		})
	}
}

func TestRulesCheckEveryHitOfABulkRequest(t *testing.T) {
	f := start(nil)
	f.request(http.MethodPost, "/matomo.php?token_auth=x",
		`{"requests":["no query","?`+page(1).with("colour", "red").encode()+`"]}`)
	f.wantRules(t, sink.RuleEncoding, sink.RuleTokenQuery, sink.RuleUnknownParameter)
}
