package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/profile"
)

// profileRate is what the rates of the profiles are shares of, in visits a second; each has one hit.
const profileRate = 1_000

// profileCase is a load profile that is measured, by its settings.
type profileCase struct {
	name     string
	settings map[string]string
	load     profile.Profile
	// begin is when it is started, zero for at once.
	begin time.Time
}

// profiles measures whether visits come as a load profile has them.
func (b *bench) profiles(ctx context.Context) (string, error) {
	s, err := b.startSink(ctx, "--arrivals")
	if err != nil {
		return "", err
	}
	defer s.stop()
	rows := [][]string{{"profile", "arrivals", "due", "due by the ledger", "arrived", "arrived : due",
		"furthest stage or hour", "p50", "p99", "max", "disturbed"}}
	for _, form := range []func() (profileCase, error){b.stagesCase, b.curveCase} {
		for _, how := range []string{"even", "poisson"} {
			of, err := form()
			if err != nil {
				return "", err
			}
			row, err := b.measureProfile(ctx, s, of, how)
			if err != nil {
				return "", fmt.Errorf("%s, %s: %w", of.name, how, err)
			}
			_, _ = fmt.Fprintf(b.out, "%s\n", strings.Join(row, "  "))
			rows = append(rows, row)
		}
	}
	return markdownTable(
		rows,
	) + fmt.Sprintf(
		"\n%s each, rates around %d visits/s of one hit. Stages: %s. Curve: an hour "+
			"with a third of the next one's rate, whose change lies in the middle.\n",
		b.profile,
		profileRate,
		strings.ReplaceAll(stagesSetting(b.profile), ",", ", "),
	), nil
}

// stagesSetting holds, ramps up and down, and has a spike. It begins with a rate, so that the first arrival tells its start.
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

// zones have hours that end at different minutes, so that the next end is not far.
var zones = []string{"UTC", "Asia/Kolkata", "Asia/Kathmandu"}

// curveCase has hours of little and of much traffic in turn, and begins so that the hour changes in the middle.
func (b *bench) curveCase() (profileCase, error) {
	weights := make([]float64, 24)
	for h := range weights {
		weights[h] = float64(1 + 2*(h%2))
	}
	soonest, change := (*time.Location)(nil), time.Time{}
	for _, name := range zones {
		zone, err := time.LoadLocation(name)
		if err != nil {
			return profileCase{}, fmt.Errorf("load time zone: %w", err)
		}
		earliest := time.Now().Add(b.profile / 2).In(zone)
		end := earliest.Add(time.Hour - time.Duration(earliest.Minute())*time.Minute - time.Duration(
			earliest.Second())*time.Second)
		if soonest == nil || end.Before(change) {
			soonest, change = zone, end
		}
	}
	text := strings.Trim(strings.Join(strings.Fields(fmt.Sprint(weights)), ","), "[]")
	load, problems := profile.Parse("week", weights, profileRate*day, soonest)
	return profileCase{
		name: "curve", load: load, begin: change.Add(-b.profile / 2),
		settings: map[string]string{
			"LOAD_PROFILE": "week", "LOAD_CURVE": text, "TIMEZONE": soonest.String(),
			"TARGET_VISITS_PER_DAY": strconv.Itoa(profileRate * day),
		},
	}, problems.Err()
}

// measureProfile runs a profile and holds what arrived against it.
func (b *bench) measureProfile(ctx context.Context, s *sinkProcess, of profileCase, how string) ([]string, error) {
	if wait := time.Until(of.begin); wait > 0 {
		_, _ = fmt.Fprintf(b.out, "%s waits %s for the end of an hour\n", of.name, wait.Round(time.Second))
		if err := sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
	o := b.newLoadgen(of.settings, 0)
	o.extra["ARRIVALS"] = how
	sent, err := b.runAtRate(ctx, s, o.contender("loadgen"), job{url: s.url(), length: b.profile, rate: profileRate})
	if err != nil {
		return nil, err
	}
	if _, err := o.ownCount(ctx, ""); err != nil {
		return nil, err
	}
	arrivals := sent.arrivals
	// the first arrival is the profile's start, or within a millisecond of it
	start := sent.epoch.Add(time.Duration(arrivals[0]))
	pieces := slices.Collect(of.load.Pieces(start, start, start.Add(b.profile)))
	due := profile.Count(of.load.Integral(start, start, start.Add(b.profile)))
	zero, late := arrivals[0], []string{"–", "–", "–"}
	if how == "even" { // each arrival has an ideal moment
		ideal := idealArrivals(pieces, len(arrivals))
		zero = arrivals[0] - int64(lateness(arrivals[:len(ideal)], ideal)[0])
		apart := slices.Sorted(slices.Values(lateness(arrivals[:len(ideal)], ideal)))
		for i, d := range []time.Duration{quantile(apart, 0.5), quantile(apart, 0.99), apart[len(apart)-1]} {
			late[i] = milliseconds(d)
		}
	}
	row := []string{of.name, how, strconv.FormatUint(due, 10), strconv.FormatUint(o.summary.Due, 10),
		strconv.Itoa(len(arrivals)), fmt.Sprintf("%.3f %%", 100*float64(len(arrivals))/float64(due)),
		largestDeviation(pieces, arrivals, zero)}
	return append(append(row, late...), percent(sent.disturbed)), nil
}

// idealArrivals are the moments, since the start of the first piece, of the arrivals that the pieces have, n at most.
func idealArrivals(pieces []profile.Piece, n int) []time.Duration {
	moments, before := make([]time.Duration, 0, n), 0.0
	for _, p := range pieces {
		for ; len(moments) < n &&
			float64(len(moments)) < before+
				p.Visits(); moments = append(moments, p.TimeOf(float64(len(moments))-before).Sub(pieces[0].From)) {
		}
		before += p.Visits()
	}
	return moments
}

// largestDeviation is the greatest distance from what a piece has due, as a share of it; zero is its start by the clock of the
// arrivals.
func largestDeviation(pieces []profile.Piece, arrivals []int64, zero int64) string {
	most := 0.0
	for i, p := range pieces {
		from, to, n := zero+int64(p.From.Sub(pieces[0].From)), zero+int64(p.To.Sub(pieces[0].From)), 0
		for _, at := range arrivals {
			if at >= from && at < to || i == 0 && at < from || i == len(pieces)-1 && at >= to {
				n++
			}
		}
		if off := float64(n)/p.Visits() - 1; math.Abs(off) > math.Abs(most) {
			most = off
		}
	}
	return fmt.Sprintf("%+.3f %%", 100*most)
}
