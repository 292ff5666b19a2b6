package tracking_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
)

func TestABulkRequestHoldsItsHitsAndTheToken(t *testing.T) {
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
		r, receipt := aim(t, client(t, nil), server.URL, token).SendBulk(hits)
		if r.Outcome != tracking.Accepted || receipt.Tracked != 2 || string(body) != want || kind != "application/json" || !json.Valid(body) {
			t.Errorf("%+v %+v for\n%s", r, receipt, body)
		}
	}
}

func TestALargeBulkRequestArrivesWhole(t *testing.T) {
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
	if r, _ := aim(t, client(t, nil), server.URL, "t").SendBulk(hits); r.Outcome != tracking.Accepted || got != 2000 {
		t.Errorf("%+v, %d hits arrived", r, got)
	}
}

func TestWhatAnAnswerToABulkRequestMeans(t *testing.T) {
	for name, c := range map[string]struct {
		status  int
		body    string
		outcome tracking.Outcome
		retry   bool
		receipt tracking.Receipt
		reason  string
	}{
		"all tracked":                 {200, `{"status":"success","tracked":3,"invalid":0}`, tracking.Accepted, false, tracking.Receipt{Tracked: 3}, ""},
		"some invalid":                {200, `{"status":"success","tracked":2,"invalid":1}`, tracking.Accepted, false, tracking.Receipt{Tracked: 2, Invalid: 1}, "called 1 hits invalid"},
		"some invalid, superuser":     {200, `{"status":"success","tracked":2,"invalid":1,"invalid_indices":[1]}`, tracking.Accepted, false, tracking.Receipt{Tracked: 2, Invalid: 1, Indices: []int{1}}, ""},
		"all invalid":                 {200, `{"status":"success","tracked":0,"invalid":3}`, tracking.Accepted, false, tracking.Receipt{Invalid: 3}, "called all hits invalid: the token has no write access to the site, is a superuser's for secure requests only, or the site does not exist"},
		"nothing tracked":             {200, `{"status":"success","tracked":0,"invalid":0}`, tracking.Failed, true, tracking.Receipt{}, "switched off"},
		"the GIF":                     {200, "GIF89a", tracking.Rejected, false, tracking.Receipt{}, "no receipt"},
		"another JSON":                {200, `{"hello":"world"}`, tracking.Rejected, false, tracking.Receipt{}, "no receipt"},
		"nonsense in the receipt":     {200, `{"status":"success","tracked":-1,"invalid":0}`, tracking.Rejected, false, tracking.Receipt{}, "no receipt"},
		"204":                         {204, "", tracking.Rejected, false, tracking.Receipt{}, "204"},
		"400":                         {400, "", tracking.Rejected, false, tracking.Receipt{}, "no write access"},
		"500, which is rolled back":   {500, `{"status":"error","tracked":0,"invalid":0}`, tracking.Failed, true, tracking.Receipt{}, "rolled back"},
		"500 after some were tracked": {500, `{"status":"error","tracked":1,"invalid":0}`, tracking.Unknown, false, tracking.Receipt{}, "500"},
		"500 of a failed commit":      {500, `{"status":"error","tracked":2,"invalid":0}`, tracking.Unknown, false, tracking.Receipt{}, "500"},
		"500 of somebody else":        {500, `<html>`, tracking.Unknown, false, tracking.Receipt{}, "500"},
		"502":                         {502, "", tracking.Unknown, false, tracking.Receipt{}, "502"},
		"503":                         {503, "", tracking.Failed, true, tracking.Receipt{}, "503"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			defer server.Close()
			r, receipt := aim(t, client(t, nil), server.URL, "").SendBulk(append(tracking.AppendBulk(nil), "a=1"...))
			if r.Outcome != c.outcome || r.Retry != c.retry || !reflect.DeepEqual(receipt, c.receipt) || !strings.Contains(r.Reason, c.reason) {
				t.Errorf("%+v %+v", r, receipt)
			}
		})
	}
}
