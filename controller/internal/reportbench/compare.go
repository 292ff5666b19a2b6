package reportbench

import "github.com/puttrix/trafficinator/shared/record"

// Verdict is how a report did beside the baseline.
type Verdict string

// The verdicts.
const (
	Same   Verdict = "same"
	Slower Verdict = "slower"
	Faster Verdict = "faster"
	// New was not in the baseline, Failing is now and was not.
	New     Verdict = "new"
	Failing Verdict = "failing"
)

// Difference sets one report beside the baseline. Times are in seconds.
type Difference struct {
	record.ReportTiming
	// Before is that of the baseline, nil for a new one.
	Before *record.ReportTiming `json:"before"`
	// Ratio is how many times as long the median of the warm requests takes now; 0 where there is none.
	Ratio   float64 `json:"ratio"`
	Verdict Verdict `json:"verdict" enum:"same,slower,faster,new,failing"`
}

const (
	// matters is by how much of the baseline, and leastSeconds by how much at least, a median has to differ.
	matters      = .2
	leastSeconds = .02
)

// Compare sets now beside a baseline, in now's order. A report is slower, or faster, where its median differs by more
// than a fifth and 20 ms, and lies beyond three quarters of the other's requests: a single slow answer is chance.
func Compare(baseline, now record.ReportBenchmark) []Difference {
	before := map[string]record.ReportTiming{}
	for _, r := range baseline.Results {
		before[r.Key()] = r
	}
	out := make([]Difference, len(now.Results))
	for i, r := range now.Results {
		out[i] = Difference{ReportTiming: r, Verdict: New}
		if b, known := before[r.Key()]; known {
			out[i].Before = &b
			out[i].judge(b)
		}
	}
	return out
}

func (d *Difference) judge(before record.ReportTiming) {
	a, b := before.Warm, d.Warm
	if b.Requests == 0 {
		d.Verdict = Same
		if a.Requests > 0 {
			d.Verdict = Failing
		}
		return
	}
	if a.Requests == 0 {
		d.Verdict = New
		return
	}
	if a.P50 > 0 {
		d.Ratio = b.P50 / a.P50
	}
	difference := b.P50 - a.P50
	d.Verdict = Same
	switch {
	case difference > leastSeconds && difference > matters*a.P50 && b.P50 > quarter(a.Times, 3):
		d.Verdict = Slower
	case -difference > leastSeconds && -difference > matters*a.P50 && b.P50 < quarter(a.Times, 1):
		d.Verdict = Faster
	}
}

// quarter is the first or third quartile of sorted times.
func quarter(times []float64, q int) float64 {
	if len(times) == 0 {
		return 0
	}
	return times[(len(times)-1)*q/4]
}
