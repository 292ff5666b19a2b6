package profile

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/problem"
)

const (
	maxPerDay = 1e10 // also the maximum of TARGET_VISITS_PER_DAY
	minStage  = time.Second
	maxLength = 366 * day
	maxStages = 1000
)

const stagesCure = "write stages as 10m:0→20000, 1h:20000"

// Parse makes a profile from LOAD_PROFILE, LOAD_CURVE, TARGET_VISITS_PER_DAY and TIMEZONE, and reports all problems.
// The curve is checked even if the profile does not use it.
func Parse(load string, curve []float64, perDay float64, zone *time.Location) (Profile, problem.List) {
	week, problems := ParseCurve(curve)
	switch load = strings.TrimSpace(load); {
	case strings.EqualFold(load, string(Constant)):
		return NewConstant(perDay), problems
	case strings.EqualFold(load, string(Week)):
		return NewWeek(week, perDay, zone), problems
	case !strings.Contains(load, ":"):
		problems.Refuse("LOAD_PROFILE", load, "is not constant, week or stages", stagesCure)
		return Profile{}, problems
	}
	stages := parseStages(load, &problems)
	return NewStages(stages), problems
}

// ParseCurve makes a curve from the weights of LOAD_CURVE, or the typical one if there are none.
func ParseCurve(weights []float64) (Curve, problem.List) {
	var problems problem.List
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	switch n := len(weights); {
	case n == 0:
		return Typical(), nil
	case n != 24 && n != HoursOfWeek:
		problems.Refuse("LOAD_CURVE", fmt.Sprintf("%d weights", n), "is not a day or a week",
			"use 24 weights, or 168 from Monday 00:00")
	case sum == 0:
		problems.Refuse("LOAD_CURVE", "", "has no weight above 0",
			"set weights for the hours with visits, or remove it")
	default:
		return curveOf(weights), nil
	}
	return Curve{}, problems
}

func parseStages(load string, problems *problem.List) []Stage {
	var stages []Stage
	hours := 0.0 // in total; a time.Duration could overflow
	refuse := func(part, message, cure string) { problems.Refuse("LOAD_PROFILE", part, message, cure) }
	parts := strings.Split(load, ",")
	if len(parts) > maxStages {
		refuse("", fmt.Sprintf("has %d stages", len(parts)), fmt.Sprintf("use at most %d", maxStages))
		return nil
	}
	for _, part := range parts {
		part = strings.TrimSpace(part)
		length, rates, _ := strings.Cut(part, ":")
		from, to, ramp := strings.Cut(strings.ReplaceAll(rates, "->", "→"), "→")
		if !ramp {
			to = from
		}
		s := Stage{}
		var errLength, errFrom, errTo error
		s.Length, errLength = time.ParseDuration(strings.TrimSpace(length))
		s.From, errFrom = parseRate(from)
		s.To, errTo = parseRate(to)
		switch {
		case errLength != nil:
			refuse(part, "does not start with a duration", "for example 10m, 90s or 1h30m, then a colon")
		case s.Length < minStage:
			refuse(part, "is shorter than a second", "use at least 1s")
		case errFrom != nil || errTo != nil:
			refuse(part, fmt.Sprintf("has no rate from 0 to %g visits per day", float64(maxPerDay)), stagesCure)
		default:
			stages = append(stages, s)
			hours += s.Length.Hours()
		}
	}
	if len(stages) < len(parts) {
		return nil
	}
	switch {
	case NewStages(stages).Peak() == 0:
		refuse(load, "has no visits", "set a rate above 0 in at least one stage")
	case hours > maxLength.Hours():
		refuse(load, "is longer than a year", "shorten its stages")
	}
	return stages
}

func parseRate(s string) (float64, error) {
	n, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err == nil && !(n >= 0 && n <= maxPerDay) || math.Signbit(n) { // NaN too
		err = fmt.Errorf("rate %q is out of bounds", s)
	}
	return n, err
}
