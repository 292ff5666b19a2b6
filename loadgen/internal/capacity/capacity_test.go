package capacity_test

import (
	"math"
	"testing"

	"github.com/puttrix/trafficinator/loadgen/internal/capacity"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// server bears so many visits a second. More queue up until answers are late, which a short step shows later than a
// long one; where it collapses it then bears less.
type server struct {
	bears     float64
	collapses float64 // share of its throughput that is lost at twice the load
	late      float64 // seconds until a queue breaks the step
}

const (
	settling = 10. // seconds before each step
	short    = 10.
	long     = 60.
)

func (s server) step(st capacity.Step) (capacity.Result, float64) {
	length := short
	if st.Kind == runsummary.CapacityConfirm {
		length = long
	}
	over := st.Rate/s.bears - 1
	bears := s.bears * (1 - s.collapses*min(1, max(0, over)))
	if over <= 0 || over*(settling+length) < s.late {
		return capacity.Result{Held: true, Throughput: min(st.Rate, bears)}, settling + length
	}
	return capacity.Result{Throughput: bears}, settling + min(length, 5+s.late/over)
}

// search is how it ended, with the steps and the seconds it took.
func search(t *testing.T, from, to float64, answer func(capacity.Step) (capacity.Result, float64)) (*capacity.Search,
	[]capacity.Step, float64) {
	t.Helper()
	s := capacity.New(from, to)
	var steps []capacity.Step
	took := 0.
	for {
		step, more := s.Step()
		if !more {
			return s, steps, took
		}
		if steps = append(steps, step); len(steps) > 60 {
			t.Fatalf("the search does not end: %v", steps)
		}
		if step.Rate < from || step.Rate > to {
			t.Fatalf("%v is not between %v and %v", step, from, to)
		}
		result, seconds := answer(step)
		s.End(result)
		took += seconds
	}
}

func TestTheLimitOfAServerIsFound(t *testing.T) {
	for _, s := range []server{{}, {late: 1}, {late: .2}, {late: 1, collapses: .3}, {late: .5, collapses: .5}} {
		for bears := 1.1; bears < 900; bears *= 1.17 {
			s.bears = bears
			found, steps, took := search(t, 1, 1000, s.step)
			rate, confirmed := found.Best()
			within := .05
			if s.collapses > .3 {
				within = .08
			}
			if found.Outcome() != endreason.CapacityFound || !confirmed || math.Abs(rate/bears-1) > within {
				t.Errorf("%+v: %s, %.4g confirmed %t; %v", s, found.Outcome(), rate, confirmed, steps)
			}
			if s.collapses == 0 && took > 300 {
				t.Errorf("%+v took %.0f s: %v", s, took, steps)
			}
		}
	}
}

func TestALimitThatIsNoThroughputIsFound(t *testing.T) {
	// Answers come late from 70 visits a second on, but all come.
	found, steps, _ := search(t, 1, 1000, func(st capacity.Step) (capacity.Result, float64) {
		return capacity.Result{Held: st.Rate < 70, Throughput: st.Rate}, 20
	})
	if rate, confirmed := found.Best(); !confirmed || rate >= 70 || rate < 70*.96 {
		t.Errorf("%v, confirmed %t: %v", rate, confirmed, steps)
	}
}

func TestStepsRaiseThenBisectThenConfirm(t *testing.T) {
	_, steps, _ := search(t, 1, 1000, server{bears: 57.7, late: 1}.step)
	order := map[runsummary.CapacityKind]int{
		runsummary.CapacityRaise:   0,
		runsummary.CapacityBisect:  1,
		runsummary.CapacityConfirm: 2,
	}
	for i := 1; i < len(steps); i++ {
		if order[steps[i].Kind] < order[steps[i-1].Kind] {
			t.Errorf("%v", steps)
		}
		if steps[i].Kind == runsummary.CapacityRaise && steps[i].Rate < 2*steps[i-1].Rate {
			t.Errorf("%v", steps)
		}
	}
	if last := steps[len(steps)-1]; last.Kind != runsummary.CapacityConfirm {
		t.Errorf("%v", steps)
	}
}

func TestARateThatBreaksWhenConfirmedIsLowered(t *testing.T) {
	confirms := 0
	found, steps, _ := search(t, 1, 1000, func(st capacity.Step) (capacity.Result, float64) {
		if st.Kind == runsummary.CapacityConfirm {
			confirms++
			return capacity.Result{Held: st.Rate < 50}, 70 // and nothing is known of its throughput
		}
		return capacity.Result{Held: st.Rate < 60}, 20
	})
	if rate, confirmed := found.Best(); !confirmed || rate >= 50 || rate < 44 || confirms < 2 {
		t.Errorf("%v, confirmed %t: %v", rate, confirmed, steps)
	}
}

func TestTheEndsOfTheRange(t *testing.T) {
	found, steps, _ := search(t, 5, 300, server{bears: 1e6}.step)
	if rate, confirmed := found.Best(); found.Outcome() != endreason.CapacityNotReached || rate != 300 || !confirmed {
		t.Errorf("%s %v %t: %v", found.Outcome(), rate, confirmed, steps)
	}
	found, steps, _ = search(t, 5, 300, server{bears: 1}.step)
	if rate, _ := found.Best(); found.Outcome() != endreason.CapacityNone || rate != 0 || len(steps) != 1 {
		t.Errorf("%s %v: %v", found.Outcome(), rate, steps)
	}
	found, _, _ = search(t, 5, 5, server{bears: 6}.step)
	if rate, _ := found.Best(); found.Outcome() != endreason.CapacityNotReached || rate != 5 {
		t.Errorf("%s %v", found.Outcome(), rate)
	}
	// It holds for a moment and never for a minute.
	found, steps, _ = search(t, 5, 300, func(st capacity.Step) (capacity.Result, float64) {
		return capacity.Result{Held: st.Kind != runsummary.CapacityConfirm && st.Rate < 100, Throughput: st.Rate}, 20
	})
	if rate, confirmed := found.Best(); confirmed || found.Outcome() != endreason.CapacityFound || rate <= 0 {
		t.Errorf("%s %v %t: %v", found.Outcome(), rate, confirmed, steps)
	}
}

func TestNoServerKeepsASearchFromEnding(t *testing.T) {
	for seed := range uint64(2000) {
		x := seed
		search(t, 1, 1000, func(st capacity.Step) (capacity.Result, float64) {
			x = x*6364136223846793005 + 1442695040888963407
			return capacity.Result{Held: x>>63 == 1, Throughput: st.Rate * float64(x>>40&0xff) / 200}, 20
		})
	}
}
