package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/wakeup"
	"github.com/puttrix/trafficinator/shared/profile"
)

// profileRate is the base of the profiles' rates, in visits per second; each visit has one hit.
const profileRate = 1_000

type profileCase struct {
	name     string
	settings map[string]string
	load     profile.Profile
	// start is when its run starts, zero for at once.
	start time.Time
}

// profiles measures how well visits follow a load profile.
func (b *bench) profiles(ctx context.Context) (string, error) {
	s, err := b.startSink(ctx, "--arrivals")
	if err != nil {
		return "", err
	}
	defer s.stop()
	rows := [][]string{{"profile", "arrivals", "due", "due by the ledger", "arrived", "arrived : due",
		"furthest stage or hour", "p50", "p99", "max", "disturbed"}}
	for _, newCase := range []func() (profileCase, error){b.stagesCase, b.curveCase} {
		for _, arrivals := range []string{"even", "poisson"} {
			c, err := newCase()
			if err != nil {
				return "", err
			}
			row, err := b.measureProfile(ctx, s, c, arrivals)
			if err != nil {
				return "", fmt.Errorf("%s, %s: %w", c.name, arrivals, err)
			}
			b.printf("%s\n", strings.Join(row, "  "))
			rows = append(rows, row)
		}
	}
	return markdownTable(
		rows,
	) + fmt.Sprintf(
		"\n%s each, rates around %d visits/s of one hit. Stages: %s. Curve: an hour "+
			"with a third of the next one's rate, with the change in the middle.\n",
		b.profile,
		profileRate,
		strings.ReplaceAll(stagesSetting(b.profile), ",", ", "),
	), nil
}

// stagesSetting holds, ramps up and down, and has a spike. Its first rate is not 0, so that the first arrival marks its
// start.
func stagesSetting(length time.Duration) string {
	var parts []string
	for _, s := range []struct{ share, from, to float64 }{{.1, .2, .2}, {.3, .2, 1}, {.2, 1, 1}, {.1, 2, 2},
		{.2, .5, .5}, {.1, .5, 0}} {
		parts = append(parts, fmt.Sprintf("%s:%.0f→%.0f",
			time.Duration(s.share*float64(length)).Round(time.Millisecond), s.from*profileRate*day,
			s.to*profileRate*day))
	}
	return strings.Join(parts, ",")
}

func (b *bench) stagesCase() (profileCase, error) {
	text := stagesSetting(b.profile)
	load, problems := profile.Parse(text, nil, 1, time.UTC)
	return profileCase{name: "stages", settings: map[string]string{"LOAD_PROFILE": text}, load: load}, problems.Err()
}

// zones have hours that end at different minutes, so that the next end is near.
var zones = []string{"UTC", "Asia/Kolkata", "Asia/Kathmandu"}

// curveCase alternates hours of little and of much traffic. It starts so that the hour changes in the middle.
func (b *bench) curveCase() (profileCase, error) {
	weights, texts := make([]float64, 24), make([]string, 24)
	for h := range weights {
		weights[h] = float64(1 + 2*(h%2))
		texts[h] = fmt.Sprint(weights[h])
	}
	var zone *time.Location
	var change time.Time
	for _, name := range zones {
		z, err := time.LoadLocation(name)
		if err != nil {
			return profileCase{}, fmt.Errorf("load time zone: %w", err)
		}
		t := time.Now().Add(b.profile / 2).In(z)
		end := time.Date(t.Year(), t.Month(), t.Day(), t.Hour()+1, 0, 0, 0, z)
		if zone == nil || end.Before(change) {
			zone, change = z, end
		}
	}
	load, problems := profile.Parse("week", weights, profileRate*day, zone)
	return profileCase{
		name: "curve", load: load, start: change.Add(-b.profile / 2),
		settings: map[string]string{
			"LOAD_PROFILE": "week", "LOAD_CURVE": strings.Join(texts, ","), "TIMEZONE": zone.String(),
			"TARGET_VISITS_PER_DAY": strconv.Itoa(profileRate * day),
		},
	}, problems.Err()
}

func (b *bench) measureProfile(ctx context.Context, s *sinkProcess, c profileCase, how string) ([]string, error) {
	if wait := time.Until(c.start); wait > 0 {
		b.printf("%s waits %s for the end of an hour\n", c.name, wait.Round(time.Second))
		if !wakeup.Sleep(ctx, wait) {
			return nil, ctx.Err()
		}
	}
	o := b.newLoadgen(c.settings, 0)
	o.settings["ARRIVALS"] = how
	run, err := b.runAtRate(ctx, s, o.tool("loadgen"), job{url: s.url(), length: b.profile, rate: profileRate})
	if err != nil {
		return nil, err
	}
	if _, err := o.ownCount(ctx, ""); err != nil {
		return nil, err
	}
	arrivals := run.arrivals
	// the first arrival is at most a millisecond after the profile's start
	start := run.epoch.Add(time.Duration(arrivals[0]))
	pieces := slices.Collect(c.load.Pieces(start, start, start.Add(b.profile)))
	due := profile.Count(c.load.Integral(start, start, start.Add(b.profile)))
	zero, late := arrivals[0], []string{"–", "–", "–"}
	if how == "even" { // each arrival has an ideal time
		ideal := idealArrivals(pieces, len(arrivals))
		apart := lateness(arrivals[:len(ideal)], ideal)
		zero -= int64(apart[0])
		slices.Sort(apart)
		for i, d := range []time.Duration{quantile(apart, 0.5), quantile(apart, 0.99), apart[len(apart)-1]} {
			late[i] = milliseconds(d)
		}
	}
	row := []string{c.name, how, strconv.FormatUint(due, 10), strconv.FormatUint(o.summary.Due, 10),
		strconv.Itoa(len(arrivals)), fmt.Sprintf("%.3f %%", 100*float64(len(arrivals))/float64(due)),
		largestDeviation(pieces, arrivals, zero)}
	return append(append(row, late...), percent(run.disturbed)), nil
}

// idealArrivals returns the arrivals of the pieces as times since the start of the first, at most n.
func idealArrivals(pieces []profile.Piece, n int) []time.Duration {
	times, before := make([]time.Duration, 0, n), 0.0
	for _, p := range pieces {
		for len(times) < n && float64(len(times)) < before+p.Visits() {
			times = append(times, p.TimeOf(float64(len(times))-before).Sub(pieces[0].From))
		}
		before += p.Visits()
	}
	return times
}

// largestDeviation returns how far the arrivals of a piece are from its due visits at most, as a share of them. zero is
// the start of the first piece by the clock of the arrivals.
func largestDeviation(pieces []profile.Piece, arrivals []int64, zero int64) string {
	largest := 0.0
	for i, p := range pieces {
		from, to, n := zero+int64(p.From.Sub(pieces[0].From)), zero+int64(p.To.Sub(pieces[0].From)), 0
		for _, at := range arrivals {
			if at >= from && at < to || i == 0 && at < from || i == len(pieces)-1 && at >= to {
				n++
			}
		}
		if off := float64(n)/p.Visits() - 1; math.Abs(off) > math.Abs(largest) {
			largest = off
		}
	}
	return fmt.Sprintf("%+.3f %%", 100*largest)
}
