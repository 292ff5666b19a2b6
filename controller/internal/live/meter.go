package live

import (
	"maps"
	"slices"
	"time"

	"github.com/puttrix/trafficinator/shared/status"
)

// meter turns snapshots into samples. It adds up the lives of a loadgen within one run, whose counters each start at 0.
type meter struct {
	run         string
	life        time.Time
	base        counters // of the lives before this one
	last        counters // of the last snapshot
	total       counters // base and last
	at          time.Time
	checkpoints []checkpoint // possible starts of a Recent, oldest first

	runStarted    time.Time // the start of the run, as far as it is known
	intervalStart time.Time // the start of the current interval
	intervalBase  counters  // the total at that time
	unsaved       bool      // the interval has numbers that were not stored yet
}

// checkpoint is the total at a time.
type checkpoint struct {
	at    time.Time
	total counters
}

const (
	// recentWindow is the time that a Recent covers; its start moves every checkpointInterval.
	recentWindow       = time.Minute
	checkpointInterval = 6 * time.Second

	// The intervals of a run's first hour show its shape; longer ones keep the history of long runs small.
	fineInterval   = 5 * time.Second
	coarseInterval = time.Minute
	fineUntil      = time.Hour
)

// snapshotInterval is the time between two snapshots.
const snapshotInterval = time.Second

// recent returns the seconds and the increase since the start of a Recent.
func (m *meter) recent(now time.Time) (seconds float64, gained counters) {
	for len(m.checkpoints) > 1 && now.Sub(m.checkpoints[1].at) >= recentWindow {
		m.checkpoints = m.checkpoints[1:]
	}
	begin := m.checkpoints[0]
	if now.Sub(m.checkpoints[len(m.checkpoints)-1].at) >= checkpointInterval {
		m.checkpoints = append(m.checkpoints, checkpoint{now, m.total})
	}
	return now.Sub(begin.at).Seconds(), m.total.minus(begin.total)
}

// take adds a snapshot. The returned intervals end with it.
func (m *meter) take(now time.Time, s *status.Snapshot) (Sample, []Interval) {
	var done []Interval
	before, counts := m.total, countersOf(s)
	switch {
	case s.Run.RunID != m.run || len(m.checkpoints) == 0: // the first snapshot may be of no run
		done = m.flush()
		*m = meter{run: s.Run.RunID, runStarted: now, intervalStart: now}
		before = counters{}
		if !s.Life.IsZero() {
			m.at, m.runStarted = s.Life, s.Life // rates are per second since then
			if now.Sub(m.at) < coarseInterval {
				m.intervalStart = m.at
			} else {
				m.intervalBase = counts // earlier intervals have the rest of a run that was already in progress
			}
		}
		m.checkpoints = []checkpoint{{now, counts}}
		if now.Sub(m.at) < recentWindow {
			m.checkpoints = []checkpoint{{at: m.at}}
		}
	case !s.Life.Equal(m.life) || counts.wereReset(m.last):
		done = m.flush()
		m.base, m.intervalStart, m.intervalBase = m.total, m.at, m.total
		if !s.Life.IsZero() {
			m.intervalStart = s.Life
		}
	}
	m.unsaved = true
	m.life, m.last, m.total = s.Life, counts, m.base.plus(counts)
	if now.Sub(m.intervalStart) > m.length()-snapshotInterval/2 { // the snapshot that is nearest to its end
		done = append(done, m.interval(now))
		m.intervalStart, m.intervalBase, m.unsaved = now, m.total, false
	}
	sample := m.sample(now, s, m.total.minus(before))
	m.at = now
	return sample, done
}

func (m *meter) sample(now time.Time, s *status.Snapshot, gained counters) Sample {
	seconds := now.Sub(m.at).Seconds()
	if m.at.IsZero() {
		seconds = 0
	}
	delta := gained.of("")
	span, lately := m.recent(now)
	recent := lately.of("")
	out := Sample{
		Point: Point{
			Time: now, HitRate: rate(delta.Accepted, seconds), VisitRate: rate(gained.visits.Planned, seconds),
			Delta: delta, Latency: gained.percentiles(""), OpenVisits: s.Run.OpenVisits,
		},
		RunID: s.Run.RunID, PlanHash: s.Run.PlanHash, Phase: s.Phase,
		Recent: Recent{
			span, rate(recent.Accepted, span), rate(lately.visits.Planned, span), recent, lately.percentiles(""),
		},
		Hits: m.total.of(""), ByKind: m.total.byKind(), Visits: m.total.visits, Revenue: m.total.revenue,
		Due: m.total.due, Targets: []Target{}, Stops: []Stop{},
	}
	for _, name := range slices.Sorted(maps.Keys(s.Run.Targets)) {
		flying := s.Targets[name].InFlight
		out.InFlight += flying
		out.Targets = append(out.Targets, Target{
			Name: name, Health: s.Run.Targets[name].Health, Hits: m.total.of(name), InFlight: flying,
			HitRate: rate(lately.of(name).Accepted, span), Latency: lately.percentiles(name),
		})
	}
	return out
}

// rate returns n per second; 0 if no time has passed.
func rate(n uint64, seconds float64) float64 {
	if seconds <= 0 {
		return 0
	}
	return float64(n) / seconds
}

// length returns that of the current interval.
func (m *meter) length() time.Duration {
	if m.intervalStart.Sub(m.runStarted) < fineUntil {
		return fineInterval
	}
	return coarseInterval
}

// interval returns the current interval up to until.
func (m *meter) interval(until time.Time) Interval {
	gained := m.total.minus(m.intervalBase)
	return Interval{
		RunID: m.run, At: m.intervalStart, Seconds: until.Sub(m.intervalStart).Seconds(), Delta: gained.of(""),
		Visits: gained.visits.Planned, Revenue: gained.revenue, Latency: gained.percentiles(""),
	}
}

// flush returns the unfinished interval, so that the last part of a run is stored, unless it has nothing new.
func (m *meter) flush() []Interval {
	if !m.unsaved {
		return nil
	}
	m.unsaved = false
	// The interval stays open: should the run continue within it, a later row of the same start replaces this one.
	return []Interval{m.interval(m.at)}
}
