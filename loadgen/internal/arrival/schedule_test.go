package arrival_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/arrival"
	"github.com/puttrix/trafficinator/shared/profile"
)

var start = time.Date(2026, 11, 25, 9, 17, 0, 0, time.UTC)

func parse(t *testing.T, load string) profile.Profile {
	t.Helper()
	p, problems := profile.Parse(load, nil, 86_400, time.UTC)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return p
}

// both returns a schedule of even arrivals and one of random ones.
func both(p profile.Profile) map[string]*arrival.Schedule {
	return map[string]*arrival.Schedule{
		"even": arrival.New(p, start, 0, nil), "poisson": arrival.New(p, start, 0, rand.New(rand.NewPCG(7, 0))),
	}
}

// until takes the arrivals before a moment.
func until(s *arrival.Schedule, end time.Time) (moments []time.Time) {
	for next, ok := s.Next(); ok && next.Before(end); next, ok = s.Next() {
		moments = append(moments, next)
		s.Advance()
	}
	return moments
}

func TestADayHasItsNumberOfVisits(t *testing.T) {
	for _, perDay := range []float64{1, 7, 20_000, 1e6} {
		s := arrival.New(profile.NewConstant(perDay), start, 0, nil)
		if first, ok := s.Next(); !ok || !first.Equal(start) {
			t.Errorf("%g a day: the first arrives at %v, want the start", perDay, first)
		}
		for range uint64(perDay) {
			s.Advance()
		}
		next, _ := s.Next()
		if off := next.Sub(start.Add(24 * time.Hour)).Abs(); off > 100*time.Microsecond {
			t.Errorf("%g a day: the first of the next day is off by %v", perDay, off)
		}
	}
}

func TestArrivalsAtAConstantRateAreEven(t *testing.T) {
	moments := until(arrival.New(profile.NewConstant(86_400*3), start, 0, nil), start.Add(3*time.Hour))
	if len(moments) != 3*3*3600 {
		t.Fatalf("%d arrivals in three hours", len(moments))
	}
	for i := range moments[1:] {
		if off := (moments[i+1].Sub(moments[i]) - time.Second/3).Abs(); off > time.Microsecond {
			t.Fatalf("arrival %d comes %v after the one before, want 1/3 s", i+1, moments[i+1].Sub(moments[i]))
		}
	}
}

func TestEveryStageAndHourHasItsNumberOfVisits(t *testing.T) {
	for load, ends := range map[string]map[time.Duration]int{ // arrivals up to a moment
		"10m:0→14400, 10m:14400, 5m:0, 10m:144000→0": {10 * time.Minute: 50, 20 * time.Minute: 150,
			25 * time.Minute: 150, time.Hour: 650},
		"constant":       {time.Hour: 3600, 5 * time.Hour: 5 * 3600},
		"90m:80, 30m:80": {90 * time.Minute: 5, time.Hour * 2: 7}, // 6.67: part of a visit counts as one
	} {
		for how, s := range both(parse(t, load)) {
			moments := until(s, start.Add(5*time.Hour))
			if !slices.IsSortedFunc(moments, time.Time.Compare) {
				t.Errorf("%s, %s: out of order", load, how)
			}
			for after, want := range ends {
				got, _ := slices.BinarySearchFunc(moments, start.Add(after), time.Time.Compare)
				if got != want {
					t.Errorf("%s, %s: %d arrivals up to %v, want %d", load, how, got, after, want)
				}
			}
		}
	}
}

func TestTheHoursOfAWeekFollowTheClock(t *testing.T) {
	weights := make([]float64, 24)
	weights[9], weights[11] = 1, 2
	p, problems := profile.Parse("week", weights, 3000, time.UTC)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	for how, s := range both(p) {
		byHour := map[int]int{}
		for _, at := range until(s, start.Add(23*time.Hour)) {
			byHour[at.Hour()]++
		}
		// The start is 17 minutes past 9 h, which leaves 716.7 of 1000 visits.
		if byHour[9] != 717 || byHour[11] != 2000 || len(byHour) != 2 {
			t.Errorf("%s: %v", how, byHour)
		}
	}
}

func TestARampIsFollowed(t *testing.T) {
	p := parse(t, "1h:0→864000")
	s := arrival.New(p, start, 0, nil)
	for i, at := range until(s, start.Add(time.Hour)) {
		if due := p.Integral(start, start, at); math.Abs(due-float64(i)) > 1e-3 {
			t.Fatalf("arrival %d comes where %v are due", i, due)
		}
	}
}

// A Poisson process has gaps whose mean and deviation are the same, and numbers in short stretches whose variance is
// their mean.
func TestRandomArrivalsArePoisson(t *testing.T) {
	const n = 86_400
	moments := until(arrival.New(profile.NewConstant(n), start, 0, rand.New(rand.NewPCG(1, 2))),
		start.Add(24*time.Hour))
	if len(moments) != n {
		t.Fatalf("%d arrivals", len(moments))
	}
	var sum, squares float64
	for i := range moments[1:] {
		gap := moments[i+1].Sub(moments[i]).Seconds()
		sum, squares = sum+gap, squares+gap*gap
	}
	mean := sum / n
	if deviation := math.Sqrt(squares/n - mean*mean); math.Abs(deviation-1) > 0.02 {
		t.Errorf("gaps deviate by %v s from their mean of %v s, want 1 s", deviation, mean)
	}
	var byMinute [24 * 60]float64
	for _, at := range moments {
		byMinute[int(at.Sub(start)/time.Minute)]++
	}
	variance := 0.0
	for _, k := range byMinute {
		variance += (k - 60) * (k - 60) / float64(len(byMinute))
	}
	if variance < 50 || variance > 70 { // four deviations of its own about 59
		t.Errorf("visits of a minute have the variance %v, want about 60", variance)
	}
}

func TestTheSeedFixesRandomArrivals(t *testing.T) {
	p := parse(t, "week")
	draw := func(seed uint64) []time.Time {
		return until(arrival.New(p, start, 0, rand.New(rand.NewPCG(seed, 0))), start.Add(time.Hour))
	}
	if !slices.Equal(draw(1), draw(1)) {
		t.Error("the same seed gives other arrivals")
	}
	if slices.Equal(draw(1), draw(2)) {
		t.Error("another seed gives the same arrivals")
	}
}

func TestStagesStopWhileTheScheduleIsPaused(t *testing.T) {
	p := parse(t, "10m:14400, 10m:28800")
	for how, s := range both(p) {
		moments := until(s, start.Add(5*time.Minute))
		s.Pause(start.Add(5 * time.Minute))
		if _, ok := s.Next(); ok {
			t.Errorf("%s: visits arrive", how)
		}
		if _, ok := s.End(); ok {
			t.Errorf("%s: the end is known", how)
		}
		s.Resume(start.Add(2 * time.Hour))
		if end, ok := s.End(); !ok || !end.Equal(start.Add(2*time.Hour+15*time.Minute)) {
			t.Errorf("%s: ends at %v", how, end)
		}
		first := until(s, start.Add(2*time.Hour+5*time.Minute))
		second := until(s, start.Add(24*time.Hour))
		if len(moments)+len(first) != 100 || len(second) != 200 {
			t.Errorf("%s: %d and %d arrivals of the first stage, %d of the second", how, len(moments), len(first),
				len(second))
		}
	}
}

func TestTheWeekContinuesWhileTheScheduleIsPaused(t *testing.T) {
	weights := make([]float64, 24)
	weights[9], weights[10] = 1, 3
	p, _ := profile.Parse("week", weights, 4000, time.UTC)
	for how, s := range both(p) {
		_ = until(s, start.Add(13*time.Minute)) // half past 9 h
		s.Pause(start.Add(13 * time.Minute))
		s.Resume(start.Add(73 * time.Minute)) // half past 10 h
		if got := len(until(s, start.AddDate(0, 0, 1).Add(-17*time.Minute))); got < 1499-60 || got > 1501+60 {
			t.Errorf("%s: %d arrivals of the second half of 10 h, want about 1500", how, got)
		}
	}
}

func TestAPausedScheduleKeepsTheFractionOfAVisit(t *testing.T) {
	s := arrival.New(profile.NewConstant(24), start, 0, nil) // one an hour
	s.Advance()
	for i := range 4 { // paused for an hour, then running for a quarter of an hour
		at := start.Add(time.Duration(i) * 75 * time.Minute)
		s.Pause(at.Add(10 * time.Minute))
		s.Resume(at.Add(70 * time.Minute))
	}
	if next, _ := s.Next(); (next.Sub(start) - 5*time.Hour).Abs() > time.Millisecond {
		t.Errorf("the second comes after %v", next.Sub(start))
	}
}

func TestScaleChangesTheRate(t *testing.T) {
	for how, s := range both(profile.NewConstant(86_400)) {
		before := until(s, start.Add(30*time.Minute))
		s.Scale(start.Add(30*time.Minute), 10)
		if rate := s.Rate(); math.Abs(rate-10) > 1e-9 {
			t.Errorf("%s: rate %v", how, rate)
		}
		after := until(s, start.Add(time.Hour))
		// The exact number of the hour survives the change.
		if n := len(before) + len(after); n != 1800+18_000 {
			t.Errorf("%s: %d and %d arrivals", how, len(before), len(after))
		}
		s.Pause(start.Add(time.Hour))
		s.Scale(start.Add(time.Hour), 1)
		s.Resume(start.Add(2 * time.Hour))
		if n := len(until(s, start.Add(3*time.Hour))); n < 3600-1 || n > 3600+1 {
			t.Errorf("%s: %d arrivals in an hour of the plan's rate", how, n)
		}
	}
}

func TestAResumedRunContinuesInItsStages(t *testing.T) {
	p := parse(t, "10m:14400, 10m:28800")
	s := arrival.New(p, start, 150, nil)
	if next, ok := s.Next(); !ok || !next.Equal(start) {
		t.Errorf("continues at %v, %t", next, ok)
	}
	if end, _ := s.End(); end.Sub(start) != 7*time.Minute+30*time.Second {
		t.Errorf("ends %v later", end.Sub(start))
	}
	if n := len(until(s, start.Add(time.Hour))); n != 150 {
		t.Errorf("%d visits are left", n)
	}
	fast := parse(t, "1s:8640000000") // a nanosecond has a part of a visit that counts
	for first := uint64(1); first < 100_000; first += 7_919 {
		if n := len(until(arrival.New(fast, start, first, nil), start.Add(time.Hour))); uint64(n) != 100_000-first {
			t.Errorf("from visit %d on %d of 100000 are left", first, n)
		}
	}
	s = arrival.New(p, start, 300, nil)
	if end, ok := s.End(); !ok || !end.Equal(start) {
		t.Errorf("one that is over ends at %v", end)
	}
	if _, ok := s.Next(); ok {
		t.Error("one that is over has visits")
	}
}

func TestOverdueCountsArrivals(t *testing.T) {
	p := parse(t, "10m:14400, 10m:28800")
	s := arrival.New(p, start, 0, nil)
	for after, want := range map[time.Duration]uint64{
		-time.Second: 0, 0: 1, 59 * time.Second: 10, 15 * time.Minute: 200, 20 * time.Minute: 300, time.Hour: 300,
	} {
		if got := s.Overdue(start.Add(after)); got != want {
			t.Errorf("%d after %v, want %d", got, after, want)
		}
	}
	if n := len(until(s, start.Add(time.Hour))); n != 300 {
		t.Errorf("%d arrivals", n)
	}
	if got := s.Overdue(start.Add(time.Hour)); got != 0 {
		t.Errorf("%d are overdue after the last", got)
	}
}

func BenchmarkAdvance(b *testing.B) {
	for how, s := range both(profile.NewConstant(1e9)) {
		b.Run(how, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.Advance()
			}
		})
	}
}
