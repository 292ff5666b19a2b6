package sink_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/loadgen/internal/sink"
)

// firstLine hands over the address that Run prints first.
type firstLine struct {
	line chan string
	done bool
}

func (f *firstLine) Write(p []byte) (int, error) {
	if !f.done {
		f.done = true
		f.line <- string(p)
	}
	return len(p), nil
}

func runWith(t *testing.T, hit params, args ...string) (code int, out string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stderr := &firstLine{line: make(chan string, 1)}
	var stdout bytes.Buffer
	ended := make(chan int)
	go func() { ended <- sink.Run(ctx, append([]string{"--addr", "127.0.0.1:0"}, args...), &stdout, stderr) }()
	_, address, ok := strings.Cut(<-stderr.line, "listens on ")
	if !ok {
		t.Fatal("the first line does not contain the address")
	}
	resp, err := http.Post(strings.TrimSpace(address), "application/x-www-form-urlencoded",
		strings.NewReader(hit.encode()))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close() // nothing of it is read
	cancel()
	return <-ended, stdout.String()
}

func TestTheCommandReportsAtTheEnd(t *testing.T) {
	hit := page(1).with("country", "de", "colour", "red", "token_auth", sink.DefaultToken)
	code, out := runWith(t, hit)
	for _, want := range []string{"requests", "site 1", "hits: pageview", sink.RuleUnknownParameter, "colour"} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("code %d, no %q in:\n%s", code, want, out)
		}
	}
	if strings.Contains(out, sink.DefaultToken) {
		t.Error("the report shows the token")
	}
}

func TestTheCommandReportsAsJSON(t *testing.T) {
	hit := page(1).with("idsite", "12", "country", "de", "token_auth", "mine")
	code, out := runWith(t, hit, "--json", "--quiet", "--site-zone", "12=Asia/Tokyo", "--token", "mine", "--clock-skew",
		"1s", "--seed", "3")
	var got struct {
		Counts     sink.Counts
		Violations []sink.Violation
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 {
		t.Fatalf("code %d: %v in %s", code, err, out)
	}
	if got.Counts.Sites[12].Visits != 1 || got.Counts.Total.Hits["pageview"] != 1 || len(got.Violations) != 0 {
		t.Errorf("got %s", out)
	}
}

func TestInvalidFlagsAreReported(t *testing.T) {
	cases := []struct{ args, want string }{
		{"--error-share 1.1", "must be 0 to 1"}, {"--drop-share NaN", "must be 0 to 1"},
		{"--error-status 404", "--error-status 404: must be 400, 500 or 503"},
		{"--outage 10s", "must be like 10s+5s: starts after 10 s, lasts 5 s"},
		{"--outage 10s+5s=404", `an outage is answered with 503 or not at all, not with "404"`},
		{"--site-zone Mars/Base", `zone "Mars/Base" is unknown; use a name like Europe/Berlin`},
		{"--site-zone x=CET", `site "x" is not a number from 1`}, {"--token =1", "the token is empty"},
		{"--token a=b", `site "b" is not a number from 1`}, {"--delay -1s", "--delay -1s: must not be negative"},
		{"--limit -1", "--limit -1: must not be negative"}, {"--lose-share 2", "must be 0 to 1"},
		{"--archive-delay -1s", "--archive-delay -1s: must not be negative"},
		{"--view-token a=b", `site "b" is not a number from 1`}, {"--nonsense", "flag provided but not defined"},
		{"extra", `unexpected "extra": all settings are flags`},
	}
	for _, c := range cases {
		var stderr bytes.Buffer
		if code := sink.Run(t.Context(), strings.Fields(c.args), io.Discard, &stderr); code != 2 ||
			!strings.Contains(stderr.String(), c.want) {
			t.Errorf("%s: code %d, printed %q", c.args, code, stderr.String())
		}
	}
}

func TestHelpAndABusyAddress(t *testing.T) {
	var stderr bytes.Buffer
	if code := sink.Run(t.Context(), []string{"--help"}, io.Discard, &stderr); code != 0 ||
		!strings.Contains(stderr.String(), "-outage") {
		t.Errorf("help: code %d, printed %q", code, stderr.String())
	}
	if code := sink.Run(t.Context(), []string{"--addr", "127.0.0.1:99999"}, io.Discard, &stderr); code != 1 ||
		!strings.Contains(stderr.String(), "sink: listen:") {
		t.Errorf("bad address: code %d, printed %q", code, stderr.String())
	}
}

func TestPagesShowTheRecordedHits(t *testing.T) {
	f := start(func(c *sink.Config) { c.Keep = 2 })
	f.post(page(1).with("token_auth", token), page(2), page(3).with("colour", "<b>", "token_auth", token))
	cases := []struct {
		path, want, not string
	}{
		{"/", "hits: pageview", "<b>"}, {"/sink/counts", `"pageview":3`, token + `"`},
		{"/sink/hits", `"token_auth":"***MASKED***"`, "page-1\","},
		{"/sink/violations", `"rule":"unknown parameter","parameter":"colour"`, token + `"`},
	}
	for _, c := range cases {
		w := f.request(http.MethodGet, c.path, "")
		if body := w.Body.String(); w.Code != 200 || !strings.Contains(body, c.want) || strings.Contains(body, c.not) {
			t.Errorf("%s: %d %s", c.path, w.Code, body)
		}
	}
	if got := f.request(http.MethodGet, "/nowhere", "").Code; got != 404 {
		t.Errorf("an unknown path: %d", got)
	}
	if got := f.request(http.MethodPost, "/sink/counts", "").Code; got != 405 {
		t.Errorf("POST to a page: %d", got)
	}
}
