// Package profile owns the rate of visits over time: constant, in stages, or by the hours of a week. All of it is pure
// and piecewise linear, so the number of visits in any time is known exactly in advance.
package profile

import (
	_ "embed"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/problem"
)

// Kind is a kind of profile.
type Kind string

// The kinds.
const (
	Constant Kind = "constant"
	Stages   Kind = "stages"
	Week     Kind = "week"
)

const day = 24 * time.Hour

// Profile is a rate of visits over time. start is when the load started; a pause moves it by its length.
type Profile struct {
	kind   Kind
	perDay float64 // of a constant
	stages []Stage
	hours  []float64 // of a week, rates by hour of the week from Monday on
	zone   *time.Location
}

// Stage is a linear change of the rate, in visits per 24 hours.
type Stage struct {
	Length   time.Duration
	From, To float64
}

// NewConstant is an endless rate above 0, in visits per 24 hours.
func NewConstant(perDay float64) Profile { return Profile{kind: Constant, perDay: perDay} }

// NewStages are consecutive stages, at least one of them with visits.
func NewStages(stages []Stage) Profile { return Profile{kind: Stages, stages: slices.Clone(stages)} }

// NewWeek repeats a week in the zone. A day of a clock change has as many hours as in the zone. perDay is the mean of
// the 168 hours in visits per 24 hours.
func NewWeek(c Curve, perDay float64, zone *time.Location) Profile {
	p := Profile{kind: Week, zone: zone, hours: make([]float64, len(c.hours))}
	for h, share := range c.hours {
		p.hours[h] = perDay * share
	}
	return p
}

// Kind returns the profile's kind.
func (p Profile) Kind() Kind { return p.kind }

// Length returns the duration of the profile; 0 is endless.
func (p Profile) Length() time.Duration {
	var sum time.Duration
	for _, s := range p.stages {
		sum += s.Length
	}
	return sum
}

// Peak returns the highest rate in visits per 24 hours.
func (p Profile) Peak() float64 {
	peak := p.perDay
	for _, s := range p.stages {
		peak = max(peak, s.From, s.To)
	}
	return slices.Max(append([]float64{peak}, p.hours...))
}

// Piece returns the period from at on in which the rate is linear: a stage, an hour of the week, or an hour from the
// start of a constant; false after the end of a profile. A time before start counts as start.
func (p Profile) Piece(start, at time.Time) (Piece, bool) {
	switch p.kind {
	case Week:
		return p.hour(at), true
	case Stages:
		return p.stage(start, at)
	default:
		since := max(0, at.Sub(start)).Truncate(time.Hour)
		from := start.Add(since)
		return Piece{From: from, To: from.Add(time.Hour), StartRate: p.perDay, EndRate: p.perDay}.after(at), true
	}
}

func (p Profile) stage(start, at time.Time) (Piece, bool) {
	from := start
	for _, s := range p.stages {
		if to := from.Add(s.Length); at.Before(to) {
			return Piece{From: from, To: to, StartRate: s.From, EndRate: s.To}.after(at), true
		}
		from = from.Add(s.Length)
	}
	return Piece{}, false
}

// hour ends with the hour of the clock, or with a clock change before that.
func (p Profile) hour(at time.Time) Piece {
	local := at.In(p.zone)
	past := time.Duration(local.Minute())*time.Minute + time.Duration(local.Second())*time.Second +
		time.Duration(local.Nanosecond())
	to := at.Add(time.Hour - past)
	if _, change := local.ZoneBounds(); !change.IsZero() && change.Before(to) {
		to = change
	}
	rate := p.hours[hourOfWeek(local)]
	return Piece{From: at, To: to, StartRate: rate, EndRate: rate}
}

func hourOfWeek(local time.Time) int { return (int(local.Weekday())+6)%7*24 + local.Hour() }

// Rate returns the rate at a time in visits per 24 hours.
func (p Profile) Rate(start, at time.Time) float64 {
	piece, _ := p.Piece(start, at)
	return piece.StartRate
}

// Integral returns the number of visits from one time to another, with fraction.
func (p Profile) Integral(start, from, to time.Time) float64 {
	sum := 0.0
	for piece := range p.Pieces(start, from, to) {
		sum += piece.Visits()
	}
	return sum
}

// TimeOf returns the time at which x visits have arrived since from; false if there are fewer before to.
func (p Profile) TimeOf(start, from, to time.Time, x float64) (time.Time, bool) {
	for piece := range p.Pieces(start, from, to) {
		if n := piece.Visits(); x >= n {
			x -= n
			continue
		}
		return piece.TimeOf(x), true
	}
	return time.Time{}, false
}

// Count returns the number of visits that have arrived after x visits of the profile: the first arrives at once, the
// next after a full one. An excess below a millionth is rounding.
func Count(x float64) uint64 { return uint64(max(0, math.Ceil(x-1e-6))) }

// HoursOfWeek is the number of weights of a curve.
const HoursOfWeek = 7 * 24

// Curve is the shape of a week.
type Curve struct {
	hours [HoursOfWeek]float64 // rates from Monday 00:00 on; their mean is 1
}

//go:embed typical.tsv
var typical string

// Typical is the week of a typical site; its source is in typical.tsv.
func Typical() Curve {
	var weights []float64
	for line := range strings.Lines(typical) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		for _, cell := range strings.Fields(line)[1:] {
			n, err := strconv.ParseFloat(cell, 64)
			if err != nil {
				panic(fmt.Sprintf("typical.tsv: %v", err)) // it is built in and tested
			}
			weights = append(weights, n)
		}
	}
	return curveOf(weights)
}

func curveOf(weights []float64) Curve {
	var c Curve
	sum := 0.0
	for h := range c.hours {
		c.hours[h] = weights[h%len(weights)]
		sum += c.hours[h]
	}
	for h := range c.hours {
		c.hours[h] *= HoursOfWeek / sum
	}
	return c
}

// Hour returns the rate in an hour of a day of the week; the mean is 1.
func (c Curve) Hour(d time.Weekday, hour int) float64 { return c.hours[(int(d)+6)%7*24+hour] }

// Share returns the visits of a day of the week of 24 hours; the mean is 1.
func (c Curve) Share(d time.Weekday) float64 {
	sum := 0.0
	for h := range 24 {
		sum += c.Hour(d, h)
	}
	return sum / 24
}

// Piece is a period with a linear rate, in visits per 24 hours.
type Piece struct {
	From, To           time.Time
	StartRate, EndRate float64
}

// Visits returns the integral of the piece.
func (p Piece) Visits() float64 { return (p.StartRate + p.EndRate) / 2 * p.days() }

// Scale multiplies the rate.
func (p Piece) Scale(by float64) Piece {
	p.StartRate, p.EndRate = by*p.StartRate, by*p.EndRate
	return p
}

// Rate returns the rate at a time of the piece.
func (p Piece) Rate(at time.Time) float64 { return p.after(at).StartRate }

// VisitsBefore returns the visits of the piece before at.
func (p Piece) VisitsBefore(at time.Time) float64 { return p.Visits() - p.after(at).Visits() }

// TimeOf returns when x visits of the piece have arrived, from 0 to Visits; its end if there are none.
func (p Piece) TimeOf(x float64) time.Time {
	// The root of StartRate·t + (EndRate-StartRate)/(2·days)·t² = x, in the form without cancellation if the rate
	// hardly changes.
	root := math.Sqrt(max(0, p.StartRate*p.StartRate+2*(p.EndRate-p.StartRate)*x/p.days()))
	if p.StartRate+root == 0 {
		if x > 0 || p.EndRate == 0 {
			return p.To
		}
		return p.From
	}
	after := time.Duration(2 * x / (p.StartRate + root) * float64(day))
	return p.From.Add(min(after, p.To.Sub(p.From)))
}

func (p Piece) after(at time.Time) Piece {
	if at.Before(p.From) {
		return p
	}
	if length := p.To.Sub(p.From); length > 0 {
		p.StartRate += (p.EndRate - p.StartRate) * float64(at.Sub(p.From)) / float64(length)
	}
	p.From = at
	return p
}

func (p Piece) until(at time.Time) Piece {
	if at.Before(p.To) {
		p.EndRate = p.after(at).StartRate
		p.To = at
	}
	return p
}

func (p Piece) days() float64 { return float64(p.To.Sub(p.From)) / float64(day) }

// Pieces returns the pieces between two times, cut to fit.
func (p Profile) Pieces(start, from, to time.Time) iter.Seq[Piece] {
	return func(yield func(Piece) bool) {
		for at := from; at.Before(to); {
			piece, ok := p.Piece(start, at)
			if !ok {
				return
			}
			if piece = piece.until(to); !yield(piece) {
				return
			}
			at = piece.To
		}
	}
}

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
