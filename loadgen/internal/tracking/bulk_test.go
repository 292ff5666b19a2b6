package tracking_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/shared/answer"
)

func TestABulkRequestHasItsHitsAndTheToken(t *testing.T) {
	var body []byte
	var kind string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ = io.ReadAll(r.Body)
		kind = r.Header.Get("Content-Type")
		_, _ = io.WriteString(w, `{"status":"success","tracked":2,"invalid":0}`)
	}))
	defer server.Close()
	for token, want := range map[string]string{
		`to"ken`: `{"requests":["?a=1&b=%C3%BC+x","?a=2"],"token_auth":"to\"ken"}`,
		"":       `{"requests":["?a=1&b=%C3%BC+x","?a=2"]}`,
	} {
		hits := append(tracking.AppendBulk(nil), "a=1&b=%C3%BC+x"...)
		hits = append(tracking.AppendBulk(hits), "a=2"...)
		r := aim(t, client(t, nil), server.URL, token).SendBulk(hits, 2)
		if r.Class != answer.Accepted || r.Receipt.Tracked != 2 || string(body) != want || kind != "application/json" ||
			!json.Valid(body) {
			t.Errorf("%+v for\n%s", r, body)
		}
	}
}

func TestALargeBulkRequestArrivesCompletely(t *testing.T) {
	var got int
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = strings.Count(string(body), `"?`)
		_, _ = io.WriteString(w, `{"status":"success","tracked":2000,"invalid":0}`)
	}))
	defer server.Close()
	var hits []byte
	for range 2000 {
		hits = append(tracking.AppendBulk(hits), "x="+strings.Repeat("y", 800)...)
	}
	if r := aim(t, client(t, nil), server.URL, "t").SendBulk(hits, 2000); r.Class != answer.Accepted || got != 2000 {
		t.Errorf("%+v, %d hits arrived", r, got)
	}
}
