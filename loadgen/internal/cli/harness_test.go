package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/host"
	"github.com/puttrix/trafficinator/loadgen/internal/sink"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/statedir"
)

const (
	token = "0123456789abcdef0123456789abcdef"
	// patience bounds every wait of these tests; only a test that fails takes so long.
	patience = 5 * time.Minute
)

// matomo is the sink behind a server. A test may answer hits in the sink's stead.
type matomo struct {
	*sink.Sink
	url string

	mu       sync.Mutex
	hits     int
	visitors map[string]int // hits by visitor id
}

// instead answers the nth hit, from 1, where it returns true; else the sink does.
type instead func(n int, w http.ResponseWriter, r *http.Request) bool

func newMatomo(t *testing.T, cfg sink.Config, meddle instead) *matomo {
	t.Helper()
	if cfg.Tokens == nil {
		cfg.Tokens = map[string][]int{token: {1, 2}}
	}
	m := &matomo{Sink: sink.New(cfg), visitors: map[string]int{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			m.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client broke off
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if n := m.note(body); meddle == nil || !meddle(n, w, r) {
			m.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	m.url = server.URL + "/matomo.php"
	return m
}

func (m *matomo) note(body []byte) (n int) {
	form, _ := url.ParseQuery(string(body)) // the sink judges the form
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hits++
	m.visitors[form.Get("cid")]++
	return m.hits
}

func (m *matomo) seen() (hits, visitors int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.hits, len(m.visitors)
}

// ids are the visitors that have sent a hit so far.
func (m *matomo) ids() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Keys(m.visitors))
}

// settings send 100 visits in five seconds to m; more wins. The threshold always passes: without one of its own a run
// fails where a busy machine is late with most of its hits.
func settings(m *matomo, more map[string]string) map[string]string {
	env := map[string]string{
		"MATOMO_TOKEN_AUTH": token, "TELEMETRY_ADDR": "off", "TARGET_VISITS_PER_DAY": "1728000",
		"PAUSE_BETWEEN_PVS_MIN": "0", "PAUSE_BETWEEN_PVS_MAX": "0", "STOP_AFTER_VISITS": "100", "RUN_SEED": "7",
		"SUMMARY_FILE": "/out/summary.json", "REQUEST_TIMEOUT": "300", "THRESHOLDS": "visits>=0",
	}
	if m != nil {
		env["MATOMO_URL"] = m.url
	}
	maps.Copy(env, more)
	return env
}

// withExchange has an empty exchange folder, /x.
func withExchange(t *testing.T) afero.Fs {
	t.Helper()
	fsys := afero.NewMemMapFs()
	if err := fsys.MkdirAll("/x", 0o700); err != nil {
		t.Fatal(err)
	}
	return fsys
}

// loadgen is the program under way.
type loadgen struct {
	fs             afero.Fs
	env            map[string]string
	stdout, stderr output
	signals        chan os.Signal
	code           chan int
}

func start(t *testing.T, fsys afero.Fs, env map[string]string, args ...string) *loadgen {
	t.Helper()
	return startAt(t, fsys, time.Now, env, args...)
}

// startAt starts the program in a today of the test's own.
func startAt(t *testing.T, fsys afero.Fs, now func() time.Time, env map[string]string, args ...string) *loadgen {
	t.Helper()
	l := &loadgen{fs: fsys, env: env, signals: make(chan os.Signal, 2), code: make(chan int, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.code <- Run(ctx, args, host.Host{
			Version: "test", Env: env, FS: fsys, Stdout: &l.stdout, Stderr: &l.stderr, Signals: l.signals, Now: now,
		})
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return l
}

// wait is the exit code.
func (l *loadgen) wait(t *testing.T, limit time.Duration) int {
	t.Helper()
	select {
	case code := <-l.code:
		return code
	case <-time.After(limit):
		t.Fatalf("has not ended after %s:\n%s", limit, l.stderr.String())
		return 0
	}
}

// ends demands an exit code.
func (l *loadgen) ends(t *testing.T, want int) {
	t.Helper()
	if got := l.wait(t, patience); got != want {
		t.Fatalf("exit code %d, want %d:\n%s", got, want, l.stderr.String())
	}
}

func (l *loadgen) summary(t *testing.T) runsummary.Summary {
	t.Helper()
	return readSummary(t, l.fs, l.env["SUMMARY_FILE"])
}

func readSummary(t *testing.T, fsys afero.Fs, path string) (s runsummary.Summary) {
	t.Helper()
	data, err := afero.ReadFile(fsys, path)
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err != nil {
		t.Fatalf("summary %s: %v", path, err)
	}
	return s
}

// storedSummary returns the summary of a run in a state folder.
func storedSummary(t *testing.T, fsys afero.Fs, dir, runID string) runsummary.Summary {
	t.Helper()
	path, err := statedir.Find(fsys, dir, runID)
	if err != nil {
		t.Fatal(err)
	}
	return readSummary(t, fsys, path)
}

// output collects the output of a program, readable while it runs.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

func (o *output) has(text string) bool { return strings.Contains(o.String(), text) }

// eventually polls until ok is true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("never happened: %s", what)
		}
	}
}

// addsUp compares planned with the sum of the six outcomes, in total, by kind and by target, and visits with theirs.
func addsUp(t *testing.T, s runsummary.Summary) {
	t.Helper()
	row := func(name string, h runsummary.Hits) {
		if sum := h.Accepted + h.Rejected + h.Failed + h.Unknown + h.Shed + h.Abandoned; sum != h.Planned {
			t.Errorf("%s: %d planned, %d ended: %+v", name, h.Planned, sum, h)
		}
	}
	row("all", s.Hits)
	for name, rows := range map[string]map[string]runsummary.Hits{"kinds": s.ByKind, "targets": s.ByTarget} {
		var planned uint64
		for key, h := range rows {
			row(key, h)
			planned += h.Planned
		}
		if planned != s.Hits.Planned {
			t.Errorf("%s: %d planned, %d in all", name, planned, s.Hits.Planned)
		}
	}
	reasons := map[string]uint64{}
	for _, r := range s.Reasons {
		reasons[r.Target] += r.Hits
	}
	for name, h := range s.ByTarget {
		if lost := h.Planned - h.Accepted; reasons[name] != lost {
			t.Errorf("target %s: %d hits were not accepted, %d of them with a reason: %+v", name, lost,
				reasons[name], s.Reasons)
		}
	}
	if v := s.Visits; v.Planned != v.Complete+v.Partial+v.Uncertain+v.Lost+v.Unsent {
		t.Errorf("visits do not add up: %+v", v)
	}
	if s.Ended.IsZero() || s.Reason == "" {
		t.Errorf("the ledger is not closed: ended %s, reason %q", s.Ended, s.Reason)
	}
}

// sent demands that so many visits began and that the target accepted each hit, but for those for which this machine
// had no time: no test may need a quiet one.
func sent(t *testing.T, s runsummary.Summary, visits uint64) {
	t.Helper()
	h, v := s.Hits, s.Visits
	if v.Planned != visits || h.Accepted == 0 || h.Accepted+h.Shed != h.Planned || h.Shed == 0 && v.Complete != visits {
		t.Errorf("want %d visits with all their hits accepted: %+v, %+v", visits, v, h)
	}
}

// recorded compares the ledger with the sink. Where the answer to a hit is missing, it may be there or not.
func recorded(t *testing.T, s runsummary.Summary, m *matomo) {
	t.Helper()
	c := m.Counts()
	for kind, h := range s.ByKind {
		if got := c.Total.Hits[kind]; got < int64(h.Accepted) || got > int64(h.Accepted+h.Unknown) {
			t.Errorf("%s: %d accepted and %d unknown, the sink recorded %d", kind, h.Accepted, h.Unknown, got)
		}
	}
	visitsAgree(t, s, m)
	for _, v := range m.Violations() {
		// What follows a page that this machine had no time for refers to one that never came.
		if s.ByKind["pageview"].Shed > 0 && v.Rule == "pv_id is not that of an earlier page" {
			continue
		}
		t.Errorf("the sink objects: %s", v)
	}
	if s.ByKind["order"].Unknown == 0 {
		money := func(cents int64) string { return fmt.Sprintf("%.2f", float64(cents)/100) }
		for what, pair := range map[string][2]string{
			"revenue":  {fmt.Sprintf("%.2f", s.Revenue), money(c.Total.Revenue)},
			"tax":      {fmt.Sprintf("%.2f", s.Tax), money(c.Total.Tax)},
			"shipping": {fmt.Sprintf("%.2f", s.Shipping), money(c.Total.Shipping)},
			"pieces":   {fmt.Sprint(s.Items), fmt.Sprint(c.Total.Items)},
		} {
			if pair[0] != pair[1] {
				t.Errorf("%s %s sent, %s recorded", what, pair[0], pair[1])
			}
		}
	}
	for country, n := range s.Opened.Countries {
		if got := c.Total.Countries[country]; s.Visits.Split+s.Hits.Unknown == 0 && country != "" && got != int64(n) {
			t.Errorf("%d visits from %s, the sink shows %d", n, country, got)
		}
	}
}

// visitsAgree compares only the visits with the sink.
func visitsAgree(t *testing.T, s runsummary.Summary, m *matomo) {
	t.Helper()
	sure := int64(s.Visits.Complete + s.Visits.Partial + s.Visits.Split)
	if got := m.Counts().Total.Visits; got < sure || got > sure+int64(s.Visits.Uncertain+s.Visits.Repeated) {
		t.Errorf("the sink shows %d visits, the ledger %d, %d uncertain and %d repeated", got, sure, s.Visits.Uncertain,
			s.Visits.Repeated)
	}
}
