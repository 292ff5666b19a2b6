package threshold_test

import (
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/threshold"
)

// run has 1,000 hits that ended otherwise than by a stop, of which 15 were not accepted.
var run = threshold.Values{
	Hits:   runsummary.Hits{Planned: 1100, Accepted: 985, Rejected: 8, Failed: 4, Unknown: 2, Shed: 1, Abandoned: 100},
	Visits: runsummary.Visits{Planned: 200, Unsent: 4},
	Due:    200, Latency: runsummary.Latency{P50: .05, P95: .8, P99: 1.5}, Elapsed: 10 * time.Second,
}

func judge(t *testing.T, text string, v threshold.Values, ended bool) []runsummary.Verdict {
	t.Helper()
	thresholds, problems := threshold.Parse("THRESHOLDS", text)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return threshold.Evaluate(thresholds, v, ended)
}

func TestBounds(t *testing.T) {
	for text, want := range map[string]struct {
		held  bool
		shown string
	}{
		"error_share<1.5%":    {false, "1.5 %"},
		"error_share<=1.5%":   {true, "1.5 %"},
		"error_share < 0.02":  {true, "1.5 %"},
		"rejected_share=0.8%": {true, "0.8 %"},
		"accepted_share>99%":  {false, "98.5 %"},
		"unknown=0":           {false, "2"},
		"unknown==2":          {true, "2"},
		"abandoned<=100":      {true, "100"},
		"p50<50ms":            {false, "50 ms"},
		"p95<=0.8s":           {true, "800 ms"},
		"p99<1.4s":            {false, "1.5 s"},
		"achieved_rate>98%":   {false, "98 %"},
		"achieved_rate>=98%":  {true, "98 %"},
		"hit_rate>98.4/s":     {true, "98.5 hits/s"},
		"visits>=200":         {true, "200"},
	} {
		v := judge(t, text, run, true)
		if len(v) != 1 || v[0].Held != want.held || threshold.FormatValue(v[0]) != want.shown || v[0].Pending {
			t.Errorf("%s: %+v, %s; want %v, %s", text, v, threshold.FormatValue(v[0]), want.held, want.shown)
		}
		if threshold.IsMissed(v[0]) == want.held || threshold.AllPassed(v) != want.held {
			t.Errorf("%s: missed %v, passed %v", text, threshold.IsMissed(v[0]), threshold.AllPassed(v))
		}
	}
}

func TestAStandstillOfOurOwnIsInNoShareAndNoRate(t *testing.T) {
	// The loadgen stood still for 90 s of 100: 1,800 visits of 2,000, and their 9,000 hits, fell due meanwhile.
	v := run
	v.Hits.Planned, v.Hits.Shed, v.Elapsed = v.Hits.Planned+9000, v.Hits.Shed+9000, 100*time.Second
	v.Visits.Planned, v.Visits.Unsent, v.Due = v.Visits.Planned+1800, v.Visits.Unsent+1800, v.Due+1800
	v.Standstill = runsummary.Standstill{Seconds: 90, Visits: 1800, Hits: 9000}
	for _, text := range []string{"error_share<=1.5%", "shed_share<=0.1%", "accepted_share>=98.5%",
		"achieved_rate>=98%", "hit_rate>98.4/s"} {
		with, without := judge(t, text, v, true)[0], judge(t, text, run, true)[0]
		if *with.Value != *without.Value || !with.Held {
			t.Errorf("%s: %v with the standstill, %v without", text, *with.Value, *without.Value)
		}
	}
	if v := judge(t, "shed<1000", v, true)[0]; v.Held {
		t.Error("shed counts the ledger's hits, whatever the cause")
	}
}

func TestWhatWasNotMeasuredHasNotHeld(t *testing.T) {
	for _, v := range judge(t, "error_share<1%,p95<1s,achieved_rate>98%,hit_rate>1", threshold.Values{}, true) {
		if v.Held || !threshold.IsMissed(v) || v.Value != nil || threshold.FormatValue(v) != "not measured" {
			t.Errorf("%+v", v)
		}
	}
}

func TestDuringARunOnlyWhatCanNoLongerPassIsMissed(t *testing.T) {
	for text, want := range map[string]bool{
		"visits>=201": false, "visits>1000": false, "accepted=986": false, "p95<900ms": false,
		"accepted=984": true, "unknown<2": true, "p95<700ms": true, "error_share<1%": true,
	} {
		if v := judge(t, text, run, false)[0]; threshold.IsMissed(v) != want {
			t.Errorf("%s: %+v", text, v)
		}
	}
	if v := judge(t, "p95<700ms", threshold.Values{}, false)[0]; threshold.IsMissed(v) {
		t.Errorf("missed before anything was measured: %+v", v)
	}
}

func TestAllProblemsAreReportedAtOnce(t *testing.T) {
	faults := []string{
		"p95", "p42<1s", "p95<800", "p95<0", "error_share<1", "error_share<101%", "achieved_rate>98", "unknown=0.5",
		"unknown=-1",
		"hit_rate>fast", "visits>", "unknown!=0", "unknown<Inf", "unknown<NaN", "p95=<1s",
	}
	good, problems := threshold.Parse("THRESHOLDS", "visits>1,"+strings.Join(faults, ", ")+",,p95<1s")
	if len(good) != 2 || len(problems.Errors()) != len(faults) {
		t.Fatalf("%d good, problems:\n%v", len(good), problems.Err())
	}
	for i, p := range problems {
		if p.Where != "THRESHOLDS" || p.Value != faults[i] || p.Message == "" || p.Cure == "" {
			t.Errorf("%s: %+v", faults[i], p)
		}
	}
}

func TestEveryMetricCanBeWritten(t *testing.T) {
	for _, name := range threshold.Metrics() {
		bound := "<100%"
		switch {
		case name == "hit_rate":
			bound = "<1000"
		case name[0] == 'p':
			bound = "<1m"
		case !strings.HasSuffix(name, "_share") && name != "achieved_rate":
			bound = "<1000"
		}
		if v := judge(t, name+bound, run, true)[0]; !v.Held {
			t.Errorf("%+v", v)
		}
	}
}

func TestTheBuiltInThresholdIsMissedWhereMostHitsWereNotAccepted(t *testing.T) {
	for name, c := range map[string]struct {
		hits   runsummary.Hits
		passed string // "" says nothing
	}{
		"most accepted":                {runsummary.Hits{Planned: 10, Accepted: 6, Failed: 4}, ""},
		"half accepted":                {runsummary.Hits{Planned: 10, Accepted: 5, Failed: 5}, "no"},
		"the rest fell due in our own": {runsummary.Hits{Planned: 20, Accepted: 6, Failed: 4, Shed: 10}, ""},
		"nothing was left to send":     {runsummary.Hits{}, ""},
		"a stop":                       {runsummary.Hits{Planned: 20, Accepted: 6, Abandoned: 14}, ""},
	} {
		s := runsummary.Summary{Hits: c.hits, Standstills: []runsummary.Standstill{{Hits: c.hits.Shed}}}
		verdicts := threshold.Evaluate(threshold.Default(), threshold.ValuesOf(&s), true)
		got := ""
		if passed := threshold.Result(verdicts); passed != nil {
			got = map[bool]string{true: "yes", false: "no"}[*passed]
		}
		if got != c.passed || threshold.Label(verdicts[0]) != "error_share<50% (default)" {
			t.Errorf("%s: passed %q, %s", name, got, threshold.Label(verdicts[0]))
		}
	}
	set := judge(t, "error_share<50%", run, true)
	if passed := threshold.Result(set); passed == nil || !*passed || threshold.Label(set[0]) != "error_share<50%" {
		t.Error("one that somebody set is taken for built in")
	}
}
