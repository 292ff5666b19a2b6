// Package series owns the time series of a run: per second for the last two hours, per minute before. It keeps them in
// memory and reads no clock.
package series

import (
	"slices"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/shared/export"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// keepSeconds is for how many minutes the points per second are kept.
const keepSeconds = 120

// Series is the time series of one run. A nil Series records nothing.
type Series struct {
	second, minute mark
	minutes        []export.Point
	seconds        [][]export.Point // of the last minutes, the current one last
}

type mark struct {
	at     time.Time
	counts ledger.Counts
}

// New starts a series at the start of a run.
func New(start time.Time, c ledger.Counts) *Series {
	return &Series{second: mark{start, c}, minute: mark{start, c}, seconds: [][]export.Point{nil}}
}

// Add adds a point that ends now. Calls must be in order of time.
func (s *Series) Add(now time.Time, counts func() ledger.Counts) {
	if s == nil {
		return
	}
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
	if len(s.seconds) > keepSeconds+1 {
		s.seconds = s.seconds[1:]
	}
}

// Points returns the series, oldest first. The points sum up to the ledger.
func (s *Series) Points() []export.Point {
	if s == nil {
		return nil
	}
	points := slices.Clone(s.minutes[:len(s.minutes)+1-len(s.seconds)])
	return append(points, slices.Concat(s.seconds...)...)
}

func (m mark) since(before mark) export.Point {
	d := m.counts.Since(before.counts)
	return export.Point{
		At: before.at, Length: m.at.Sub(before.at), Hits: d.Total(-1).Summary(), Visits: d.Planned,
		Latency: runsummary.Percentiles(d.TotalLatency()),
	}
}
