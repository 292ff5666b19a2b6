// Package series owns what happened when in a run: second by second for the last two hours, minute by minute before
// that. It keeps all of it in memory and reads no clock.
package series

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/shared/record"
	"github.com/puttrix/trafficinator/shared/report"
)

// minutesOfSeconds is for how long the seconds are kept.
const minutesOfSeconds = 120

// Series is that of one run.
type Series struct {
	second, minute mark
	minutes        []report.Point
	seconds        [][]report.Point // of the last minutes, and of the one that goes on
}

// mark is the ledger as it stood when a point began.
type mark struct {
	at      time.Time
	hits    record.Hits
	visits  uint64
	latency *hdrhistogram.Snapshot
}

// New begins a series at the start of a run.
func New(start time.Time) *Series {
	begin := mark{at: start}
	return &Series{second: begin, minute: begin, seconds: [][]report.Point{nil}}
}

// Add books what became of the run until now, in order of time.
func (s *Series) Add(now time.Time, c ledger.Counts) {
	m := markOf(now, c)
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

// Points are the series, oldest first. They add up to the ledger.
func (s *Series) Points() []report.Point {
	points := append([]report.Point(nil), s.minutes[:len(s.minutes)+1-len(s.seconds)]...)
	for _, seconds := range s.seconds {
		points = append(points, seconds...)
	}
	return points
}

func markOf(now time.Time, c ledger.Counts) mark {
	m := mark{at: now, hits: c.Total(-1).Hits(), visits: c.Planned}
	for _, h := range c.Latency {
		// The snapshot is ours: Counts are a copy.
		if one := h.Export(); m.latency == nil {
			m.latency = one
		} else {
			for i, n := range one.Counts {
				m.latency.Counts[i] += n
			}
		}
	}
	return m
}

// since is what happened from before to m.
func (m mark) since(before mark) report.Point {
	a, b := m.hits, before.hits
	between := *m.latency
	between.Counts = append([]int64(nil), m.latency.Counts...)
	if before.latency != nil {
		for i, n := range before.latency.Counts {
			between.Counts[i] -= n
		}
	}
	return report.Point{
		At: before.at, Length: m.at.Sub(before.at), Visits: m.visits - before.visits,
		Hits: record.Hits{
			Planned: a.Planned - b.Planned, Accepted: a.Accepted - b.Accepted, Rejected: a.Rejected - b.Rejected,
			Failed: a.Failed - b.Failed, Unknown: a.Unknown - b.Unknown, Shed: a.Shed - b.Shed, Abandoned: a.Abandoned - b.Abandoned,
		},
		Latency: ledger.Percentiles(hdrhistogram.Import(&between)),
	}
}
