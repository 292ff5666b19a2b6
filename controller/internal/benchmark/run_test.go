package benchmark_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/benchmark"
	"github.com/puttrix/trafficinator/controller/internal/benchmark/timing"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/target"
)

const token = "0123456789abcdef0123456789abcdef"

// site is a Matomo on a real server; answer, where it is set, is that of a report.
type site struct {
	target.Target
	answer func(w http.ResponseWriter, r *http.Request)

	mu    sync.Mutex
	asked []string // method, period, date and segment
	// together is how many requests there were at once, and most the most of it.
	together, most atomic.Int32
}

func newSite(t *testing.T) *site {
	s := &site{}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.Target = target.Target{Name: "matomo", URL: server.URL + "/matomo.php", SiteID: 7, Token: token}
	return s
}

// ServeHTTP implements http.Handler.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := s.together.Add(1)
	defer s.together.Add(-1)
	for most := s.most.Load(); n > most && !s.most.CompareAndSwap(most, n); most = s.most.Load() {
	}
	_ = r.ParseForm()
	f := r.PostForm
	s.mu.Lock()
	s.asked = append(s.asked, strings.TrimSpace(strings.Join([]string{f.Get("method"), f.Get("period"), f.Get("date"),
		f.Get("segment")}, " ")))
	s.mu.Unlock()
	switch {
	case r.URL.Path != "/index.php" || f.Get("token_auth") != token || f.Get("idSite") != "7" &&
		f.Get("method") != "API.getMatomoVersion":
		w.WriteHeader(http.StatusForbidden)
	case f.Get("method") == "API.getMatomoVersion":
		_, _ = w.Write([]byte(`{"value":"5.2.0"}`))
	case f.Get("method") == "SitesManager.getSiteFromId":
		_, _ = w.Write([]byte(`{"idsite":"7","name":"Shop","timezone":"Pacific/Kiritimati"}`))
	case f.Get("method") == "Live.getLastVisitsDetails" && f.Get("filter_limit") == "1":
		_, _ = w.Write([]byte(
			`[{"visitorId":"abc","actionDetails":[{"type":"event","url":"x"},{"type":"action","url":"https:\/\/shop.test\/shoes\/red"}]}]`,
		))
	case f.Get("method") == "CustomDimensions.getConfiguredCustomDimensions":
		_, _ = w.Write([]byte(`[]`))
	case f.Get("method") == "VisitsSummary.getVisits":
		_, _ = w.Write([]byte(`{"value":1234}`))
	case s.answer != nil:
		s.answer(w, r)
	default:
		_, _ = w.Write([]byte(`[{"label":"a"},{"label":"b"}]`))
	}
}

// times counts requests that begin so.
func (s *site) times(prefix string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.asked {
		if strings.HasPrefix(a, prefix) {
			n++
		}
	}
	return n
}

// pages are options of one report.
func pages() benchmark.Options {
	return benchmark.Options{Reports: []string{"Page titles"}, Periods: []string{"day"}, Repeats: 3, Parallel: 1,
		Timeout: 60, Date: "2026-03-29"}
}

func (s *site) measure(ctx context.Context, t *testing.T, o benchmark.Options) timing.ReportBenchmark {
	t.Helper()
	b, err := benchmark.Run(ctx, benchmark.NewClient(time.Minute, target.Environment{}), s.Target,
		o, timing.ReportBenchmark{}, func(timing.ReportBenchmark) {})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEachReportIsAskedForColdThenWarmThenAtOnce(t *testing.T) {
	s := newSite(t)
	o := pages()
	o.Periods, o.Segments, o.Parallel = []string{"day", "range"}, []string{"", "countryCode==se"}, 2
	b := s.measure(t.Context(), t, o)
	if b.State != timing.BenchmarkDone || b.Version != "5.2.0" || b.Visits == nil || *b.Visits != 1234 ||
		b.Planned != 40 || b.Done != 40 || b.Ended == nil {
		t.Errorf("%+v", b)
	}
	for _, want := range []string{"day 2026-03-29", "range 2026-02-28,2026-03-29", "day 2026-03-29 countryCode==se",
		"range 2026-02-28,2026-03-29 countryCode==se"} {
		n := s.times("Actions.getPageTitles " + want)
		if !strings.Contains(want, "==") {
			n -= s.times("Actions.getPageTitles " + want + " ")
		}
		if n != 1+3+2*3 {
			t.Errorf("%s: asked %d times", want, n)
		}
	}
	if len(b.Results) != 4 {
		t.Fatalf("%d results", len(b.Results))
	}
	for _, r := range b.Results {
		if r.Cold == nil || r.Warm.Requests != 3 || r.Parallel.Requests != 6 || r.Rows != 2 ||
			r.Bytes != int64(len(`[{"label":"a"},{"label":"b"}]`)) || r.Failures+r.Timeouts > 0 {
			t.Errorf("%+v", r)
		}
		if w := r.Warm; w.P50 <= 0 || w.P50 > w.P95 || w.P95 > w.Max || !slices.IsSorted(w.Times) {
			t.Errorf("%+v", w)
		}
	}
	if s.most.Load() > 2 {
		t.Errorf("%d asked at once", s.most.Load())
	}
	if last := s.asked[len(s.asked)-1]; !strings.HasPrefix(last, "VisitsSummary.getVisits range") ||
		s.times("VisitsSummary") != 1 {
		t.Errorf("the state of the data was read by %q, before which everything must have been measured", last)
	}
}

func TestWithoutADateThePeriodsHoldYesterdayOfTheSite(t *testing.T) {
	s := newSite(t)
	o := pages()
	o.Date = ""
	b := s.measure(t.Context(), t, o)
	zone, err := time.LoadLocation("Pacific/Kiritimati")
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Now().In(zone).AddDate(0, 0, -1).Format(time.DateOnly); b.Date != want ||
		s.times("Actions.getPageTitles day "+want) == 0 {
		t.Errorf("date %s, want %s: %v", b.Date, want, s.asked)
	}
}

func TestReportsAboutOneThingGetAnExample(t *testing.T) {
	s := newSite(t)
	var got sync.Map
	s.answer = func(w http.ResponseWriter, r *http.Request) {
		for _, key := range []string{"visitorId", "pageUrl", "label"} {
			if v := r.PostForm.Get(key); v != "" {
				got.Store(key, v)
			}
		}
		_, _ = w.Write([]byte(`{}`))
	}
	o := pages()
	o.Reports = []string{"Visitor profile", "transitions of a PAGE", "Row evolution of a page", "Custom dimension"}
	b := s.measure(t.Context(), t, o)
	for key, want := range map[string]string{"visitorId": "abc", "pageUrl": "https://shop.test/shoes/red",
		"label": "shoes>/red"} {
		if v, _ := got.Load(key); v != want {
			t.Errorf("%s is %v, want %s", key, v, want)
		}
	}
	if len(b.Results) != 3 || len(b.Skipped) != 1 || !strings.Contains(b.Skipped[0].Why, "{dimension}") ||
		b.Done != b.Planned {
		t.Errorf("%+v", b)
	}
}

func TestWhatIsRefusedFailsOrIsNoMatomoIsCountedWithItsReason(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   string
	}{
		"refused": {200, `{"result":"error","message":"The segment \"x\" is not supported"}`,
			`answered 200: "The segment \"x\" is not supported"`},
		"refused by status": {400, `{"result":"error","message":"no"}`, `answered 400: "no"`},
		"with the token": {401, `{"result":"error","message":"token ` + token + ` is bad"}`,
			`the token is rejected: "token ***MASKED*** is bad"`},
		"without a word":   {200, `{"result":"error"}`, "no reason given"},
		"a failing server": {500, `[]`, "answered 500"},
		"a page":           {502, `<h1>Bad gateway</h1>`, `answered 502: "Bad gateway"`},
		"cut short":        {200, `[{"a":1},`, "answered 200: the response is not Matomo's"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.answer = func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			}
			o := pages()
			o.Repeats, o.Parallel = 50, 4
			b := s.measure(t.Context(), t, o)
			if len(b.Results) != 1 {
				t.Fatalf("%+v", b)
			}
			r := b.Results[0]
			if r.Failures != 3 || r.Timeouts != 0 || r.Cold != nil || r.Warm.Requests != 0 ||
				!strings.Contains(r.Error, c.want) {
				t.Errorf("%+v: want three failures, %s", r, c.want)
			}
			if b.State != timing.BenchmarkDone || b.Done != b.Planned {
				t.Errorf("%s, %d of %d", b.State, b.Done, b.Planned)
			}
			if strings.Contains(r.Error, token) {
				t.Error("the token is told")
			}
		})
	}
}

func TestOneFailureInBetweenIsCountedAndTheRestMeasured(t *testing.T) {
	s := newSite(t)
	var n atomic.Int32
	s.answer = func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1) == 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = w.Write([]byte(`{"nb_visits":1,"nb_actions":2}`))
	}
	o := pages()
	o.Repeats = 9
	r := s.measure(t.Context(), t, o).Results[0]
	if r.Failures != 1 || r.Warm.Requests != 8 || r.Cold == nil || r.Rows != 1 {
		t.Errorf("%+v", r)
	}
}

func TestWhatDoesNotAnswerInTimeIsATimeout(t *testing.T) {
	for name, begin := range map[string]string{"before it answers": "", "in the midst of its answer": `[{"a":1},`} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			ended := make(chan struct{})
			t.Cleanup(func() { close(ended) })
			s.answer = func(w http.ResponseWriter, r *http.Request) {
				_, _ = w.Write([]byte(begin))
				_ = http.NewResponseController(w).Flush()
				select {
				case <-r.Context().Done():
				case <-ended:
				}
			}
			m := impatient{benchmark.NewClient(time.Minute, target.Environment{}), 100 * time.Millisecond}
			o := pages()
			b, err := benchmark.Run(t.Context(), m, s.Target, o, timing.ReportBenchmark{},
				func(timing.ReportBenchmark) {})
			if err != nil || len(b.Results) != 1 || b.Results[0].Timeouts != 3 || b.Results[0].Failures != 0 ||
				b.Done != b.Planned {
				t.Errorf("%+v, %v", b, err)
			}
		})
	}
}

// impatient is a client whose reports have less time than an option can say.
type impatient struct {
	benchmark.Client
	patience time.Duration
}

// Time implements benchmark.Matomo.
func (m impatient) Time(ctx context.Context, t target.Target, method string,
	parameters url.Values) (benchmark.Timing, error) {
	ctx, cancel := context.WithTimeout(ctx, m.patience)
	defer cancel()
	return m.Client.Time(ctx, t, method, parameters)
}

func TestCancelKeepsWhatWasMeasured(t *testing.T) {
	s := newSite(t)
	ctx, cancel := context.WithCancel(t.Context())
	s.answer = func(w http.ResponseWriter, r *http.Request) {
		if r.PostForm.Get("period") == "week" {
			cancel()
			<-r.Context().Done()
		}
		_, _ = w.Write([]byte(`[]`))
	}
	o := pages()
	o.Periods = []string{"day", "week", "month"}
	b := s.measure(ctx, t, o)
	if b.State != timing.BenchmarkCancelled || len(b.Results) != 1 || b.Results[0].Period != "day" || b.Visits != nil ||
		b.Done >= b.Planned || b.Ended == nil {
		t.Errorf("%+v", b)
	}
}

func TestAMatomoThatCannotBeAskedFailsTheBenchmark(t *testing.T) {
	s := newSite(t)
	s.Token = "wrong"
	b := s.measure(t.Context(), t, pages())
	if b.State != timing.BenchmarkFailed || !strings.Contains(b.Error, "403") || len(b.Results) != 0 ||
		s.times("Actions") > 0 {
		t.Errorf("%+v", b)
	}
}

func TestAllFaultsOfTheOptionsAreToldAtOnce(t *testing.T) {
	o := benchmark.Options{
		Reports: []string{"No such report"}, Periods: []string{"decade"}, Segments: []string{strings.Repeat("a", 2000)},
		Date:    "29.3.2026",
		Repeats: 0, Parallel: 17, Timeout: 3600,
		More: []benchmark.Report{
			{Method: "SitesManager.deleteSite", Periods: []string{"hour"}},
			{Name: "visits SUMMARY", Method: "VisitsSummary.get", Parameters: map[string]string{"token_auth": "x"}},
		},
	}
	_, err := benchmark.Run(t.Context(), nil, target.Target{}, o, timing.ReportBenchmark{}, nil)
	problems, ok := errors.AsType[problem.List](err)
	if !ok {
		t.Fatal(err)
	}
	for _, want := range []string{
		"repeats", "parallel", "timeout_seconds", "date", `periods="decade"`, "segments", `reports="No such report"`,
		"has no name", "deleteSite", `more="hour"`, "another report", `more="token_auth"`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not told of in\n%s", want, err)
		}
	}
	if len(problems) != 12 {
		t.Errorf("%d problems:\n%s", len(problems), err)
	}
}

func TestABenchmarkIsBounded(t *testing.T) {
	o := pages()
	o.Reports, o.Repeats, o.Parallel = nil, 100, 16
	if _, err := benchmark.Run(t.Context(), nil, target.Target{}, o, timing.ReportBenchmark{}, nil); err == nil ||
		!strings.Contains(err.Error(), "requests in total") {
		t.Errorf("too many: %v", err)
	}
	o = pages()
	o.Reports, o.Periods = []string{"Real-time counters"}, []string{"year"}
	if _, err := benchmark.Run(t.Context(), nil, target.Target{}, o, timing.ReportBenchmark{}, nil); err == nil ||
		!strings.Contains(err.Error(), "periods") {
		t.Errorf("none: %v", err)
	}
}

func TestTheBuiltInReportsOnlyRead(t *testing.T) {
	names := map[string]bool{}
	for _, r := range benchmark.BuiltInReports() {
		method := r.Method[strings.Index(r.Method, ".")+1:]
		if r.Name == "" || names[r.Name] || !strings.HasPrefix(method, "get") {
			t.Errorf("%+v", r)
		}
		names[r.Name] = true
		for _, p := range r.Periods {
			if !slices.Contains(benchmark.Periods(), p) {
				t.Errorf("%s in %s", r.Name, p)
			}
		}
	}
	if len(names) < 20 {
		t.Errorf("%d reports", len(names))
	}
}

func TestFurtherReportsAreAskedForToo(t *testing.T) {
	s := newSite(t)
	o := pages()
	o.Reports = []string{"Forms"}
	o.More = []benchmark.Report{{Name: "Forms", Method: "FormAnalytics.get",
		Parameters: map[string]string{"idForm": "1"}}}
	if b := s.measure(t.Context(), t, o); len(b.Results) != 1 || s.times("FormAnalytics.get day") != 4 {
		t.Errorf("%+v", b)
	}
}
