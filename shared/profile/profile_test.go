package profile_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/shared/profile"
)

var start = time.Date(2026, 11, 25, 9, 17, 0, 0, time.UTC)

func parse(t *testing.T, load string) profile.Profile {
	t.Helper()
	p, problems := profile.Parse(load, nil, 20_000, time.UTC)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return p
}

func near(got, want float64) bool { return math.Abs(got-want) <= 1e-6*max(1, math.Abs(want)) }

func TestVisitsAreKnownBeforehand(t *testing.T) {
	for load, want := range map[string]struct {
		visits float64
		length time.Duration
	}{
		"10m:0→20000, 1h:20000, 5m:200000": {10_000.0/144 + 20_000.0/24 + 200_000.0/288, 75 * time.Minute},
		"24h:100->300":                     {200, 24 * time.Hour},
		"1h:0, 1h : 24 , 30m:48 → 0":       {1.5, 150 * time.Minute},
		"Constant":                         {20_000 * 7, 0},
		"week":                             {20_000 * 7, 0},
	} {
		p := parse(t, load)
		if p.Length() != want.length {
			t.Errorf("%s: %v long, want %v", load, p.Length(), want.length)
		}
		if got := p.Integral(start, start, start.AddDate(0, 0, 7)); !near(got, want.visits) {
			t.Errorf("%s: %v visits in the first week, want %v", load, got, want.visits)
		}
	}
}

func TestTheRateRampsWithinAStage(t *testing.T) {
	p := parse(t, "10m:0->1000, 10m:500, 20m:500->100")
	for after, want := range map[time.Duration]float64{
		0: 0, time.Minute: 100, 599 * time.Second: 998.333333333, 10 * time.Minute: 500, 30 * time.Minute: 300,
		40 * time.Minute: 0,
	} {
		if got := p.Rate(start, start.Add(after)); !near(got, want) {
			t.Errorf("after %v: %v a day, want %v", after, got, want)
		}
	}
	if p.Peak() != 1000 {
		t.Errorf("peak %v", p.Peak())
	}
}

func TestWhenIsTheInverseOfTheIntegral(t *testing.T) {
	for _, load := range []string{"constant", "week", "3h:0→90000, 2h:90000→90001, 1h:0, 4h:50000→0"} {
		p := parse(t, load)
		from, to := start.Add(11*time.Minute), start.Add(10*time.Hour)
		total := p.Integral(start, from, to)
		for i := range 1000 {
			x := total * float64(i) / 1000
			at, ok := p.TimeOf(start, from, to, x)
			if back := p.Integral(start, from, at); !ok || math.Abs(back-x) > 1e-6 {
				t.Fatalf("%s: %v visits after %v, where there are %v", load, x, at.Sub(from), back)
			}
		}
		if _, ok := p.TimeOf(start, from, to, total+1); ok {
			t.Errorf("%s: there are %v visits, and yet one more", load, total)
		}
	}
}

func TestNobodyComesInAStageWithoutVisits(t *testing.T) {
	p := parse(t, "1h:24, 1h:0, 1h:24")
	at, ok := p.TimeOf(start, start, start.Add(3*time.Hour), 1)
	if want := start.Add(2 * time.Hour); !ok || !at.Equal(want) {
		t.Errorf("the second visit comes at %v, want %v", at, want)
	}
}

func TestADayHasTheHoursOfItsZone(t *testing.T) {
	weights := make([]float64, 24)
	for h := range weights {
		weights[h] = float64(1 + h)
	}
	zone := func(name string) *time.Location {
		z, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		return z
	}
	for name, c := range map[string]struct {
		zone *time.Location
		day  time.Time
		sum  float64 // of the weights of its hours
	}{
		"usual": {zone("Europe/Berlin"), time.Date(2026, 6, 1, 0, 0, 0, 0, zone("Europe/Berlin")), 300},
		"2 h is left out": {zone("Europe/Berlin"),
			time.Date(2026, 3, 29, 0, 0, 0, 0, zone("Europe/Berlin")), 300 - 3},
		"2 h is a duplicate key": {zone("Europe/Berlin"),
			time.Date(2026, 10, 25, 0, 0, 0, 0, zone("Europe/Berlin")), 300 + 3},
		"1 h is a duplicate key": {zone("America/New_York"),
			time.Date(2026, 11, 1, 0, 0, 0, 0, zone("America/New_York")), 300 + 2},
		"half of 2 h is left": {zone("Australia/Lord_Howe"),
			time.Date(2026, 10, 4, 0, 0, 0, 0, zone("Australia/Lord_Howe")), 300 - 1.5},
		"half of 1 h is twice": {zone("Australia/Lord_Howe"),
			time.Date(2026, 4, 5, 0, 0, 0, 0, zone("Australia/Lord_Howe")), 300 + 1},
		"within an hour": {zone("Pacific/Chatham"), time.Date(2026, 9, 27, 0, 0, 0, 0, zone("Pacific/Chatham")),
			300 - 3*.25 - 4*.75},
	} {
		p, problems := profile.Parse("week", weights, 2400, c.zone)
		if err := problems.Err(); err != nil {
			t.Fatal(err)
		}
		next := c.day.AddDate(0, 0, 1)
		if got := p.Integral(time.Time{}, c.day, next) / 2400 * 300; !near(got, c.sum) {
			t.Errorf("%s: weights %v in all, want %v", name, got, c.sum)
		}
		if got := p.Rate(time.Time{}, next.Add(-time.Minute)); !near(got, 2400*24/12.5) {
			t.Errorf("%s: its last hour has the rate %v", name, got)
		}
	}
}

func TestAWeekOf168WeightsBeginsOnMonday(t *testing.T) {
	weights := make([]float64, 168)
	weights[0], weights[167] = 1, 2 // Monday 0 h and Sunday 23 h
	c, problems := profile.ParseCurve(weights)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	if got := c.Share(time.Monday); !near(got, 7.0/3) {
		t.Errorf("Monday has %v mean days", got)
	}
	if got := c.Share(time.Sunday); !near(got, 14.0/3) {
		t.Errorf("Sunday has %v mean days", got)
	}
	monday := time.Date(2026, 11, 23, 0, 30, 0, 0, time.UTC)
	p := profile.NewWeek(c, 3000, time.UTC)
	if got := p.Rate(time.Time{}, monday); !near(got, 3000*56) {
		t.Errorf("Monday at half past 0 has %v a day", got)
	}
	if got := p.Rate(time.Time{}, monday.Add(time.Hour)); got != 0 {
		t.Errorf("Monday at half past 1 has %v a day", got)
	}
}

func TestATypicalSiteSleepsAtNightAndRestsAtWeekends(t *testing.T) {
	c, sum := profile.Typical(), 0.0
	for d := range time.Weekday(7) {
		sum += c.Share(d)
		if c.Hour(d, 4) > 0.3*c.Hour(d, 12) {
			t.Errorf("%s: %v at 4 h, %v at noon", d, c.Hour(d, 4), c.Hour(d, 12))
		}
	}
	if !near(sum, 7) {
		t.Errorf("the days of a week have %v mean days", sum)
	}
	if c.Share(time.Sunday) > 0.7*c.Share(time.Tuesday) {
		t.Errorf("Sunday %v, Tuesday %v", c.Share(time.Sunday), c.Share(time.Tuesday))
	}
}

func TestEveryProblemOfAProfileIsReported(t *testing.T) {
	for load, want := range map[string][]string{
		"weekly": {`LOAD_PROFILE="weekly": is not constant, week or stages; write stages as`},
		"":       {"is not constant, week or stages"},
		"10m:0→x, 20000:5m, 1h:5": {`"10m:0→x": has no rate from 0 to 1e+10 visits per day`,
			`"20000:5m": does not start with a duration`},
		"10m:-5, 1ms:3, 1h:": {`"10m:-5": has no rate`, `"1ms:3": is shorter than a second`,
			`"1h:": has no rate`},
		"1h:NaN, 1h:Inf, 1h:2e10, 1h:":          {`"1h:NaN"`, `"1h:Inf"`, `"1h:2e10"`, `"1h:"`},
		"10m:0, 5m:0→0":                         {"has no visits; set a rate above 0 in at least one stage"},
		"9000h:5":                               {"is longer than a year"},
		"2000000h:5,2000000h:5,2000000h:5":      {"is longer than a year"}, // more than 64 bits of nanoseconds
		"1h:5,":                                 {`LOAD_PROFILE: does not start with a duration`},
		"10m:0→5→9":                             {`"10m:0→5→9": has no rate`},
		"10m:1" + strings.Repeat(",1m:1", 1000): {"has 1001 stages; use at most 1000"},
	} {
		_, problems := profile.Parse(load, nil, 20_000, time.UTC)
		if len(problems) != len(want) {
			t.Errorf("%q: %v", load, problems)
			continue
		}
		for i, text := range want {
			if got := problems[i].String(); !strings.Contains(got, text) {
				t.Errorf("%q: %s, want %s", load, got, text)
			}
		}
	}
}

func TestACurveIsADayOrAWeek(t *testing.T) {
	for name, c := range map[string]struct {
		weights []float64
		want    string
	}{
		"too few":  {make([]float64, 23), `LOAD_CURVE="23 weights": is not a day or a week; use 24 weights`},
		"too many": {make([]float64, 169), "is not a day or a week"},
		"none":     {make([]float64, 24), "LOAD_CURVE: has no weight above 0"},
	} {
		// It is refused though a constant does not need it.
		if _, problems := profile.Parse("constant", c.weights, 1, time.UTC); len(problems) != 1 ||
			!strings.Contains(problems[0].String(), c.want) {
			t.Errorf("%s: %v", name, problems)
		}
	}
}

func TestCountsAreExactDespiteRounding(t *testing.T) {
	for load, want := range map[string]uint64{
		"7m:0→20000, 13m:20000, 1h:20000→0": 646, // of 645.8: a part of a visit begins one
		"144m:10":                           1, "24h:7": 7, "144m:10, 144m:20, 144m:30": 6, "1s:86400": 1,
		"1h:1e10": 416_666_667,
	} {
		p := parse(t, load)
		if got := profile.Count(p.Integral(start, start, start.Add(p.Length()))); got != want {
			t.Errorf("%s: %d visits, want %d", load, got, want)
		}
	}
}
