package cli

import (
	"encoding/json"
	"encoding/xml"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/afero"
	"golang.org/x/net/html"

	"github.com/puttrix/trafficinator/loadgen/internal/sink"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

func TestMissedThresholdIsShownEverywhere(t *testing.T) {
	t.Parallel()
	m := newMatomo(t, sink.Config{ErrorShare: .2, ErrorStatus: 400}, nil)
	fsys := afero.NewMemMapFs()
	l := start(t, fsys, settings(m, nil), "run", "--threshold", "error_share<5%", "--threshold", "p95<1m, visits=100",
		"--report", "/out/run.html", "--junit", "/out/run.xml")
	l.ends(t, exitcode.Missed)
	s := l.summary(t)
	addsUp(t, s)

	want := map[string]bool{"error_share<5%": false, "p95<1m": true, "visits=100": true}
	if len(s.Thresholds) != len(want) {
		t.Fatalf("%+v", s.Thresholds)
	}
	for _, v := range s.Thresholds {
		if v.Held != want[v.Expression] || v.Pending {
			t.Errorf("%+v", v)
		}
	}
	h := s.Hits
	share := float64(h.Planned-h.Accepted) / float64(h.Planned)
	if got := *s.Thresholds[0].Value; got != share || h.Rejected == 0 || h.Abandoned > 0 {
		t.Errorf("error share %v, want %v of %+v", got, share, h)
	}
	if !regexp.MustCompile(`error_share<5%\s+MISSED\s+\d+(\.\d+)? %`).MatchString(l.stderr.String()) {
		t.Errorf("the printed summary does not contain what was missed and by what value:\n%s", l.stderr.String())
	}

	data, err := afero.ReadFile(fsys, "/out/run.xml")
	if err != nil {
		t.Fatal(err)
	}
	var suite struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
	}
	if err := xml.Unmarshal(data, &suite); err != nil || suite.Tests != 4 || suite.Failures != 1 || suite.Errors != 0 {
		t.Errorf("JUnit %+v, %v:\n%s", suite, err, data)
	}
	equalsTheLedger(t, parsePage(t, fsys, "/out/run.html"), s)
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cfg    sink.Config
		args   []string
		signal bool
		want   int
	}{
		"thresholds passed": {args: []string{"--threshold", "rejected=0", "--threshold",
			"visits=100"}, want: exitcode.OK},
		"no hit accepted wins over thresholds": {cfg: sink.Config{ErrorShare: 1, ErrorStatus: 400},
			args: []string{"--threshold", "rejected=0"}, want: exitcode.NoTarget},
		"a stop wins over thresholds": {args: []string{"--threshold", "visits>1000000"}, signal: true,
			want: exitcode.Interrupted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMatomo(t, c.cfg, nil)
			l := start(t, afero.NewMemMapFs(), settings(m, nil), append([]string{"run"}, c.args...)...)
			if c.signal {
				eventually(t, "ten hits", func() bool { hits, _ := m.seen(); return hits >= 10 })
				l.signals <- syscall.SIGTERM
			}
			l.ends(t, c.want)
		})
	}
}

func TestThresholdAbortEndsTheRun(t *testing.T) {
	t.Parallel()
	m := newMatomo(t, sink.Config{}, nil)
	l := start(t, afero.NewMemMapFs(), settings(m, map[string]string{
		"STOP_AFTER_VISITS": "100000", "TARGET_VISITS_PER_DAY": "86400", "THRESHOLDS": "accepted<1",
		"THRESHOLD_ABORT": "true", "LOG_FORMAT": "json",
	}))
	l.ends(t, exitcode.Missed)
	s := l.summary(t)
	addsUp(t, s)
	if s.Reason != "threshold" || !strings.Contains(s.Message, "threshold accepted<1 failed for 10s") {
		t.Errorf("%s: %s", s.Reason, s.Message)
	}
	for line := range strings.Lines(l.stderr.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
}

func TestRunFlags(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"--threshold p95<800":         `THRESHOLDS="p95<800"`,
		"--profile sometimes":         `LOAD_PROFILE="sometimes"`,
		"--report /no/such/out.html":  `--report="/no/such/out.html"`,
		"--report":                    "flag needs an argument: -report",
		"--reports x":                 "flag provided but not defined: -reports",
		"TARGET_VISITS_PER_DAY=20000": `run: unexpected argument "TARGET_VISITS_PER_DAY=20000"`,
	} {
		l := start(t, afero.NewReadOnlyFs(afero.NewMemMapFs()), settings(nil, map[string]string{
			"MATOMO_URL": "http://127.0.0.1:1/matomo.php", "SUMMARY_FILE": "", "THRESHOLDS": "unknown=0",
			"LOAD_PROFILE": "constant",
		}), append([]string{"run"}, strings.Fields(args)...)...)
		if l.ends(t, exitcode.BadConfig); !l.stderr.has(want) {
			t.Errorf("run %s: want %s in:\n%s", args, want, l.stderr.String())
		}
	}
	l := start(t, afero.NewMemMapFs(), nil, "run", "--help")
	l.ends(t, exitcode.OK)
	for _, flag := range []string{"--profile", "--threshold", "--report", "--junit", "4 threshold failed"} {
		if !l.stderr.has(flag) {
			t.Errorf("the help lacks %s", flag)
		}
	}
}

// parsePage reads a report, which may hold nothing that runs or that is elsewhere.
func parsePage(t *testing.T, fsys afero.Fs, path string) *html.Node {
	t.Helper()
	data, err := afero.ReadFile(fsys, path)
	if err != nil {
		t.Fatal(err)
	}
	page, err := html.Parse(strings.NewReader(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	for n := range page.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if slices.Contains([]string{"script", "link", "img", "iframe", "object", "embed", "base", "form"}, n.Data) {
			t.Errorf("the report has a <%s>", n.Data)
		}
		for _, a := range n.Attr {
			if slices.Contains([]string{"src", "href", "style", "srcset", "action", "background"}, a.Key) ||
				strings.HasPrefix(a.Key, "on") {
				t.Errorf("the report has a <%s %s=%q>", n.Data, a.Key, a.Val)
			}
		}
	}
	return page
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// figures are the exact values below a node, and what people see of them.
func figures(n *html.Node) (values, shown []string) {
	for d := range n.Descendants() {
		if d.Data == "data" && d.FirstChild != nil {
			values, shown = append(values, attr(d, "value")), append(shown, d.FirstChild.Data)
		}
	}
	return values, shown
}

// equalsTheLedger compares the figures of a report with the summary.
func equalsTheLedger(t *testing.T, page *html.Node, s runsummary.Summary) {
	t.Helper()
	byID := map[string]*html.Node{}
	for n := range page.Descendants() {
		if id := attr(n, "id"); id != "" {
			byID[id] = n
		}
	}
	table := func(id string, rows map[string]runsummary.Hits) {
		got := map[string]runsummary.Hits{}
		for n := range byID[id].Descendants() {
			if n.Data != "tr" {
				continue
			}
			values, shown := figures(n)
			if len(values) == 0 {
				continue // its head
			}
			var u [7]uint64
			for i, v := range values {
				u[i], _ = strconv.ParseUint(v, 10, 64)
				if strings.ReplaceAll(shown[i], ",", "") != v {
					t.Errorf("%s shows %s for %s", id, shown[i], v)
				}
			}
			got[attr(n, "data-key")] = runsummary.Hits{
				Planned: u[0], Accepted: u[1], Rejected: u[2], Failed: u[3], Unknown: u[4], Shed: u[5], Abandoned: u[6],
			}
		}
		if !maps.Equal(got, rows) {
			t.Errorf("%s: %+v\nthe ledger: %+v", id, got, rows)
		}
	}
	kinds := maps.Clone(s.ByKind)
	maps.DeleteFunc(kinds, func(_ string, h runsummary.Hits) bool { return h.Planned == 0 })
	kinds[""] = s.Hits
	table("by-kind", kinds)
	table("by-target", s.ByTarget)

	v := s.Visits
	fates, _ := figures(byID["visits"])
	for i, n := range []uint64{v.Complete, v.Partial, v.Uncertain, v.Lost, v.Unsent, v.Planned} {
		if fates[i] != strconv.FormatUint(n, 10) {
			t.Errorf("visits: %v, the ledger: %+v", fates, v)
			break
		}
	}
	float := func(n float64) string { return strconv.FormatFloat(n, 'g', -1, 64) }
	latencies, _ := figures(byID["latency"])
	if all := latencies[len(latencies)-3:]; !slices.Equal(all,
		[]string{float(s.Latency.P50), float(s.Latency.P95), float(s.Latency.P99)}) {
		t.Errorf("latencies %v, the ledger: %+v", all, s.Latency)
	}
	verdicts, _ := figures(byID["thresholds"])
	for i, v := range s.Thresholds {
		if verdicts[i] != float(*v.Value) {
			t.Errorf("threshold %+v: %s", v, verdicts[i])
		}
	}
	for id, want := range map[string]string{
		"visits-begun": strconv.FormatUint(v.Planned, 10), "hits-accepted": strconv.FormatUint(s.Hits.Accepted, 10),
		"errors":      strconv.FormatUint(s.Hits.Rejected+s.Hits.Failed+s.Hits.Unknown+s.Hits.Shed, 10),
		"latency-p95": float(s.Latency.P95), "revenue": float(s.Revenue),
	} {
		if got := attr(byID[id], "value"); got != want {
			t.Errorf("%s: %s, the ledger: %s", id, got, want)
		}
	}
	for _, id := range []string{"chart-hits", "chart-latency", "chart-visits"} {
		if byID[id] == nil {
			t.Errorf("there is no %s", id)
		}
	}
}
