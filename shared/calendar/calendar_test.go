package calendar_test

import (
	"math"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/profile"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func date(t *testing.T, s string) calendar.Date {
	t.Helper()
	d, err := calendar.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func flat(t *testing.T) profile.Curve {
	t.Helper()
	weights := make([]float64, 24)
	for i := range weights {
		weights[i] = 1
	}
	c, problems := profile.ParseCurve(weights)
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	return c
}

func TestADayBeginsWithItsFirstMoment(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		zone, day, begin string
		hours            float64
	}{
		{"Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z", 23},
		{"Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z", 25},
		{"Europe/Berlin", "2026-10-26", "2026-10-25T23:00:00Z", 24},
		{"America/New_York", "2026-03-08", "2026-03-08T05:00:00Z", 23},
		{"America/New_York", "2026-11-01", "2026-11-01T04:00:00Z", 25},
		{"Asia/Kathmandu", "2026-01-01", "2025-12-31T18:15:00Z", 24},
		{"America/Havana", "2026-03-08", "2026-03-08T05:00:00Z", 23},    // no midnight: it begins at 1:00
		{"America/Havana", "2026-11-01", "2026-11-01T04:00:00Z", 25},    // two midnights: the first counts
		{"Asia/Amman", "2021-10-29", "2021-10-28T21:00:00Z", 25},        // the same, east of Greenwich
		{"America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z", 23}, // no midnight
		{"America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00:00Z", 25}, // its last hour comes twice
		{"America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00:00Z", 24},
		{"Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00:00Z", 24.5},
		{"Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z", 24}, // the day before was left out
	} {
		z, d := zone(t, c.zone), date(t, c.day)
		begin := d.Start(z)
		if got := begin.UTC().Format(time.RFC3339); got != c.begin {
			t.Errorf("%s begins in %s at %s, want %s", c.day, c.zone, got, c.begin)
		}
		if got := d.Add(1).Start(z).Sub(begin).Hours(); got != c.hours {
			t.Errorf("%s has %g hours in %s, want %g", c.day, got, c.zone, c.hours)
		}
		if calendar.DateOf(begin.In(z)) != d || calendar.DateOf(begin.Add(-time.Second).In(z)) == d {
			t.Errorf("%s does not begin in %s at %s", c.day, c.zone, begin.In(z))
		}
	}
}

func TestDaysAreDatesOfTheCalendar(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "2026-13-01", "2026-02-30", "1.3.2026", "2026-3-1", "2026-03-01T00:00:00Z"} {
		if _, err := calendar.ParseDate(bad); err == nil {
			t.Errorf("%q is taken for a date", bad)
		}
	}
	if got := date(t, "2024-02-28").Add(2).String(); got != "2024-03-01" {
		t.Errorf("two days after 2024-02-28 is %s", got)
	}
	if got := date(t, "2026-03-01").DaysUntil(date(t, "2026-04-01")); got != 31 {
		t.Errorf("March has %d days", got)
	}
}

func TestDaysHaveTheVisitsOfCurveTrendAndClock(t *testing.T) {
	t.Parallel()
	z := zone(t, "Europe/Berlin")
	w := calendar.Window{First: date(t, "2026-03-23"), Last: date(t, "2026-04-05"), Zone: z}
	days := w.Days(calendar.Load{PerDay: 2400, Curve: flat(t)}, date(t, "2026-05-01").Start(z))
	for _, d := range days {
		want := uint64(2400)
		if d.Date.String() == "2026-03-29" {
			want = 2300 // of 23 hours
		}
		if d.Visits != want || d.Skipped != "" {
			t.Errorf("%s has %d visits, want %d; %q", d.Date, d.Visits, want, d.Skipped)
		}
	}
	typical := profile.Typical()
	days = w.Days(calendar.Load{PerDay: 10_000, Curve: typical, Trend: 0.1}, date(t, "2026-05-01").Start(z))
	for i, d := range days {
		want := 10_000 * typical.Share(d.Start.Weekday()) * math.Pow(1.1, float64(i)/7)
		if short := d.Date.String() == "2026-03-29"; !short && math.Abs(float64(d.Visits)-want) > 1 || short &&
			float64(d.Visits) >= want {
			t.Errorf("%s has %d visits, want %.1f", d.Date, d.Visits, want)
		}
	}
	if a, b := float64(days[0].Visits), float64(days[7].Visits); math.Abs(b/a-1.1) > 0.001 {
		t.Errorf("a week later there are %g visits, before %g: that is no growth of 10 %%", b, a)
	}
}

func TestTodayHasOnlyWhatHasPassed(t *testing.T) {
	t.Parallel()
	z := zone(t, "Europe/Berlin")
	w := calendar.Window{First: date(t, "2026-06-01"), Last: date(t, "2026-06-02"), Zone: z}
	l := calendar.Load{PerDay: 2400, Curve: flat(t)}
	noon := time.Date(2026, 6, 2, 12, 0, 0, 0, z)
	days := w.Days(l, noon)
	if d := days[1]; d.Visits != 1200 || !d.End.Equal(noon) {
		t.Errorf("at noon today has %d visits until %s", d.Visits, d.End)
	}
	days = w.Days(l, time.Date(2026, 6, 2, 0, 4, 0, 0, z))
	if d := days[1]; d.Visits != 0 || !strings.Contains(d.Skipped, "only 4m") {
		t.Errorf("at 0:04 today has %d visits: %q", d.Visits, d.Skipped)
	}
}

func TestCapsScaleDaysAndCutTheLast(t *testing.T) {
	t.Parallel()
	z := zone(t, "Europe/Berlin")
	w := calendar.Window{First: date(t, "2026-06-01"), Last: date(t, "2026-06-14"), Zone: z}
	now := date(t, "2026-07-01").Start(z)
	free := w.Days(calendar.Load{PerDay: 20_000, Curve: profile.Typical()}, now)
	capped := w.Days(calendar.Load{PerDay: 20_000, Curve: profile.Typical(), MaxPerDay: 2000, MaxTotal: 20_000}, now)
	busiest, sum, ratio := uint64(0), uint64(0), float64(capped[0].Visits)/float64(free[0].Visits)
	for i, d := range capped {
		busiest, sum = max(busiest, d.Visits), sum+d.Visits
		if got := float64(d.Visits) / float64(free[i].Visits); d.Skipped == "" && math.Abs(got/ratio-1) > 0.01 {
			t.Errorf("%s is scaled by %g, the first by %g", d.Date, got, ratio)
		}
	}
	if busiest != 2000 {
		t.Errorf("the busiest day has %d visits, want 2000", busiest)
	}
	last := capped[len(capped)-1]
	if sum != 20_000 || calendar.Total(capped) != sum || last.Visits != 0 || !strings.Contains(last.Skipped, "20000") {
		t.Errorf("%d visits in all, the last day %d: %q", sum, last.Visits, last.Skipped)
	}
}
