package benchmark_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/controller/internal/benchmark"
	"github.com/puttrix/trafficinator/controller/internal/benchmark/timing"
)

// took is a report whose warm requests took that long, in milliseconds.
func took(ms ...float64) timing.ReportTiming {
	r := timing.ReportTiming{Report: "Page titles", Period: "day"}
	for _, t := range slices.Sorted(slices.Values(ms)) {
		r.Warm.Times = append(r.Warm.Times, t/1000)
	}
	if n := len(r.Warm.Times); n > 0 {
		cold := r.Warm.Times[n-1]
		r.Cold, r.Warm.Requests, r.Warm.P50, r.Warm.P95, r.Warm.Max = &cold, n, r.Warm.Times[(n-1)/2], cold, cold
	}
	return r
}

func result(results ...timing.ReportTiming) timing.ReportBenchmark {
	return timing.ReportBenchmark{Results: results}
}

func verdict(t *testing.T, before, now timing.ReportTiming) timing.ReportDifference {
	t.Helper()
	c := benchmark.Compare(result(before), result(now))
	if len(c.Reports) != 1 {
		t.Fatalf("%+v", c)
	}
	return c.Reports[0]
}

func TestAReportThatGotSlowerIsFlaggedAndNoiseIsNot(t *testing.T) {
	for name, c := range map[string]struct {
		before, now timing.ReportTiming
		want        timing.ReportVerdict
	}{
		"twice as long": {took(100, 105, 98, 110, 101), took(205, 210, 199, 220, 200), timing.ReportSlower},
		"half as long":  {took(205, 210, 199, 220, 200), took(100, 105, 98, 110, 101), timing.ReportFaster},
		"a third more, steadily": {took(300, 301, 302, 303, 304), took(400, 401, 402, 403, 404),
			timing.ReportSlower},
		"one slow answer": {took(100, 101, 102, 103, 104), took(100, 101, 102, 103, 2000), timing.ReportSame},
		"two slow answers of five": {took(100, 101, 102, 103, 104), took(100, 101, 102, 1900, 2000),
			timing.ReportSame},
		"as restless as before":     {took(100, 120, 150, 400, 900), took(110, 130, 200, 420, 880), timing.ReportSame},
		"a tenth more":              {took(300, 301, 302, 303, 304), took(330, 331, 332, 333, 334), timing.ReportSame},
		"three times of nothing":    {took(5, 5, 6, 6, 7), took(15, 16, 18, 18, 19), timing.ReportSame},
		"no answer any more":        {took(100, 101, 102), took(), timing.ReportFailing},
		"no answer, as before":      {took(), took(), timing.ReportFailing},
		"an answer for the first":   {took(), took(100, 101, 102), timing.ReportNew},
		"a single request each way": {took(100), took(300), timing.ReportSame},
		"three of each, apart":      {took(100, 101, 140), took(200, 201, 240), timing.ReportSlower},
	} {
		if d := verdict(t, c.before, c.now); d.Verdict != c.want {
			t.Errorf("%s: %s, want %s", name, d.Verdict, c.want)
		}
	}
	late := took(100, 101, 102)
	late.Timeouts = 2
	if d := verdict(t, took(100, 101, 102), late); d.Verdict != timing.ReportSlower ||
		!strings.Contains(d.Why, "timed out 2 times") {
		t.Errorf("%+v", d)
	}
}

// The same server measured twice must hardly ever be called slower or faster, and one twice as slow in nine of ten
// times, of five requests each.
func TestVerdictsAreRarelyChance(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	draw := func(scale float64) timing.ReportTiming {
		var ms []float64
		for range 5 {
			ms = append(ms, scale*(100+30*r.ExpFloat64()))
		}
		return took(ms...)
	}
	const rounds = 2000
	wrong, missed := 0, 0
	for range rounds {
		if verdict(t, draw(1), draw(1)).Verdict != timing.ReportSame {
			wrong++
		}
		if verdict(t, draw(1), draw(2)).Verdict != timing.ReportSlower {
			missed++
		}
	}
	if wrong > rounds*2/100 || missed > rounds*10/100 {
		t.Errorf("of %d: %d differences that are none, %d missed", rounds, wrong, missed)
	}
}

func TestWhatIsComparedIsMatchedByReportPeriodAndSegment(t *testing.T) {
	week, segment, other := took(900, 901, 902), took(900, 901, 902), took(1, 1, 1)
	week.Period, segment.Segment, other.Report = "week", "a==b", "Goals"
	c := benchmark.Compare(result(took(100, 101, 102), week, other), result(segment, week, took(100, 101, 103)))
	want := []timing.ReportVerdict{timing.ReportNew, timing.ReportSame, timing.ReportSame}
	for i, d := range c.Reports {
		if d.Verdict != want[i] {
			t.Errorf("%s %s %q: %s, want %s", d.Report, d.Period, d.Segment, d.Verdict, want[i])
		}
	}
	if d := c.Reports[2]; d.Before == nil || *d.Before != .101 || d.Now == nil || *d.Now != .101 || d.Ratio == nil ||
		*d.Ratio != 1 || c.Missing != 1 {
		t.Errorf("%+v, %d missing", d, c.Missing)
	}
}

func TestWhatElseDiffersIsTold(t *testing.T) {
	few, many := uint64(10), uint64(20_010)
	a := timing.ReportBenchmark{URL: "https://m.test/matomo.php", SiteID: 1, Version: "5.1.0", Visits: &few,
		Date: "2026-11-01", Parallel: 1}
	b := a
	b.Version, b.Visits, b.Date, b.RunID, b.SiteID, b.Parallel = "5.2.0", &many, "2026-11-02", "nightly", 2, 4
	if c := benchmark.Compare(a, a); len(c.Conditions) != 0 {
		t.Errorf("%q", c.Conditions)
	}
	week := took(100, 101, 102)
	week.Period = "week"
	short, long := a, a
	short.Results, long.Results, long.Visits = []timing.ReportTiming{took(100, 101, 102)},
		[]timing.ReportTiming{week}, &many
	if c := benchmark.Compare(short, long); len(c.Conditions) != 0 {
		t.Errorf("visits of a day beside those of a week: %q", c.Conditions)
	}
	all := strings.Join(benchmark.Compare(a, b).Conditions, "\n")
	for _, want := range []string{"5.1.0", "5.2.0", "10 visits", "20010", "2026-11-02", "was sending",
		"another site", "4"} {
		if !strings.Contains(all, want) {
			t.Errorf("%s is not told of in\n%s", want, all)
		}
	}
}

func TestThresholdsAreHeldForEachReport(t *testing.T) {
	list, problems := benchmark.Thresholds("p95<150ms, error_share<10%")
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	quick, slow, failing, shaky := took(100, 101, 102), took(100, 101, 900), took(), took(100, 101, 102)
	slow.Report, failing.Report, shaky.Report = "slow", "failing", "shaky"
	failing.Failures, shaky.Timeouts = 3, 1
	got := map[string][]string{}
	for _, m := range benchmark.Judge(result(quick, slow, failing, shaky), list) {
		got[m.Report] = append(got[m.Report], m.Expression)
	}
	if len(got["Page titles"]) != 0 || !slices.Equal(got["slow"], []string{"p95<150ms"}) ||
		!slices.Equal(got["failing"], []string{"p95<150ms", "error_share<10%"}) ||
		!slices.Equal(got["shaky"], []string{"error_share<10%"}) {
		t.Errorf("%v", got)
	}
	if _, problems := benchmark.Thresholds("p95<banana, visits>3, hit_rate>2"); len(problems) != 3 {
		t.Errorf("%v", problems)
	}
}
