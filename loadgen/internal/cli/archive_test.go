package cli

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/sink"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// full lets backfills be as large as people make them.
var full = flag.Bool("full", false, "send backfills of 90 days of 2,000 visits, which takes minutes")

// bigJob is how long one of those may take.
const bigJob = 20 * time.Minute

// archive is a Matomo that gets past days: the sink, beside it the part of the Reporting API that a backfill asks, and
// an account of which visitor came in how many requests.
type archive struct {
	*sink.Sink
	url string
	// lose may answer a tracking request in the sink's stead, where it returns true.
	lose func(n int, w http.ResponseWriter, r *http.Request) bool
	// api is the answer of the Reporting API; "" refuses.
	api string

	mu       sync.Mutex
	requests int
	visitors map[string]int  // requests of those that reached the sink, by visitor
	lost     map[string]bool // visitors of those that did not
	asked    []url.Values
}

func newArchive(t *testing.T, zone string, now func() time.Time) *archive {
	t.Helper()
	z, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	a := &archive{
		Sink: sink.New(sink.Config{Sites: map[int]sink.Site{1: {Zone: z}}, Tokens: map[string][]int{token: {1}},
			Now: now, MaxOpen: 1 << 20}),
		visitors: map[string]int{}, lost: map[string]bool{},
	}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	a.url = server.URL + "/matomo.php"
	return a
}

func (a *archive) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client was killed
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if strings.HasSuffix(r.URL.Path, "index.php") {
		a.report(w, r)
		return
	}
	var bulk struct{ Requests []string }
	if r.Method != http.MethodPost || json.Unmarshal(body, &bulk) != nil {
		a.Sink.ServeHTTP(w, r)
		return
	}
	a.mu.Lock()
	a.requests++
	n := a.requests
	a.mu.Unlock()
	seen := map[string]bool{}
	for _, hit := range bulk.Requests {
		_, id, _ := strings.Cut(hit, "&cid=")
		seen[id[:16]] = true
	}
	if a.lose != nil && a.lose(n, w, r) {
		a.mu.Lock()
		defer a.mu.Unlock()
		maps.Copy(a.lost, seen)
		return
	}
	a.mu.Lock()
	for id := range seen {
		a.visitors[id]++
	}
	a.mu.Unlock()
	a.Sink.ServeHTTP(w, r)
}

func (a *archive) report(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm() // the test looks at the values
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, r.PostForm)
	if a.api == "" {
		w.WriteHeader(http.StatusUnauthorized)
	}
	_, _ = io.WriteString(w, a.api)
}

func (a *archive) seen() (requests int, visitors map[string]int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.requests, maps.Clone(a.visitors)
}

// days are the sink's visits by day.
func (a *archive) days() map[string]int64 {
	out := map[string]int64{}
	for date, d := range a.Counts().Total.Days {
		out[date] = d.Visits
	}
	return out
}

func pastSettings(a *archive, more map[string]string) map[string]string {
	env := map[string]string{
		"BACKFILL_ENABLED": "true", "MATOMO_TOKEN_AUTH": token, "TELEMETRY_ADDR": "off", "RUN_SEED": "7",
		"RUN_ID":       "past",
		"SUMMARY_FILE": "/out/summary.json", "STATE_DIR": "/state", "BULK_SIZE": "500", "MATOMO_URL": a.url,
		"BACKFILL_DAYS_BACK": "3", "BACKFILL_DURATION_DAYS": "3", "TARGET_VISITS_PER_DAY": "60",
		"REQUEST_TIMEOUT": "300",
	}
	maps.Copy(env, more)
	return env
}

// agrees compares the job's account with the sink's calendar, if every answer arrived.
func (a *archive) agrees(t *testing.T, s runsummary.Summary) {
	t.Helper()
	addsUp(t, s)
	c, days := a.Counts().Total, a.days()
	for _, d := range s.Backfill.Days {
		if d.Sent != d.Planned || days[d.Date] != int64(d.Planned) || s.Opened.Days[d.Date] != d.Planned {
			t.Errorf("%s: the sink has %d visits, the ledger %d, the job %+v", d.Date, days[d.Date],
				s.Opened.Days[d.Date], d)
		}
		delete(days, d.Date)
	}
	if len(days) > 0 {
		t.Errorf("the sink has days that are not of the job: %v", days)
	}
	for kind, h := range s.ByKind {
		if c.Hits[kind] != int64(h.Accepted) || h.Accepted != h.Planned {
			t.Errorf("%s: %+v, the sink has %d", kind, h, c.Hits[kind])
		}
	}
	if c.UniqueVisitors != c.Visits || c.SplitVisits > 0 || s.Backfill.BatchesDone != s.Backfill.Batches ||
		len(s.Backfill.Unknown) > 0 {
		t.Errorf("%d visitors in %d visits, %d split; %d of %d batches, unknown %v", c.UniqueVisitors, c.Visits,
			c.SplitVisits, s.Backfill.BatchesDone, s.Backfill.Batches, s.Backfill.Unknown)
	}
	for _, v := range a.Violations() {
		t.Errorf("the sink objects: %s", v)
	}
}
