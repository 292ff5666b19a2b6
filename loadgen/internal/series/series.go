// Package series owns what happened when in a run: second by second for the last two hours, minute by minute before
// that. It keeps all of it in memory and reads no clock.
package series

import (
	"slices"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/shared/export"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// minutesOfSeconds is for how long the seconds are kept.
const minutesOfSeconds = 120

// Keeper keeps the series of a run, or none.
type Keeper interface {
	// Add adds what became of the run until now, in order of time.
	Add(now time.Time, counts func() ledger.Counts)
	// Points are the series, oldest first.
	Points() []export.Point
}

// None keeps no series, and asks for no counts.
type None struct{}

// Add implements Keeper.
func (None) Add(time.Time, func() ledger.Counts) {}

// Points implements Keeper.
func (None) Points() []export.Point { return nil }

// Series is that of one run.
type Series struct {
	second, minute mark
	minutes        []export.Point
	seconds        [][]export.Point // of the last minutes, and of the one that goes on
}

// mark is the ledger as it stood when a point began.
type mark struct {
	at     time.Time
	counts ledger.Counts
}

// New begins a series at the start of a run, whose ledger stands at c.
func New(start time.Time, c ledger.Counts) *Series {
	return &Series{second: mark{start, c}, minute: mark{start, c}, seconds: [][]export.Point{nil}}
}

// Add implements Keeper.
func (s *Series) Add(now time.Time, counts func() ledger.Counts) {
	m := mark{now, counts()}
	last := len(s.seconds) - 1
	s.seconds[last] = append(s.seconds[last], m.since(s.second))
	s.second = m
	if now.Sub(s.minute.at) < time.Minute {
		return
	}
	s.minutes = append(s.minutes, m.since(s.minute))
	s.minute = m
	s.seconds = append(s.seconds, nil)
	if len(s.seconds) > minutesOfSeconds+1 {
		s.seconds = s.seconds[1:]
	}
}

// Points implements Keeper. They add up to the ledger.
func (s *Series) Points() []export.Point {
	points := slices.Clone(s.minutes[:len(s.minutes)+1-len(s.seconds)])
	for _, seconds := range s.seconds {
		points = append(points, seconds...)
	}
	return points
}

// since is what happened from before to m.
func (m mark) since(before mark) export.Point {
	d := m.counts.Since(before.counts)
	return export.Point{
		At: before.at, Length: m.at.Sub(before.at), Hits: d.Total(-1).Summary(), Visits: d.Planned,
		Latency: runsummary.Percentiles(d.TotalLatency()),
	}
}
