package live

import (
	"time"

	"github.com/puttrix/trafficinator/shared/record"
)

// meter turns scrapes into samples. It adds up the lives of a loadgen within one run, whose counters each begin at 0.
type meter struct {
	run   string
	life  float64
	base  counters // of the lives before this one
	last  counters // as scraped last
	total counters // base and last
	at    time.Time
	marks []mark // beginnings of a Recent, oldest first

	began  time.Time // the start of the run, as far as it is known
	from   time.Time // where the current interval begins,
	before counters  // and the total at that moment
	unkept bool      // the interval has something that was not stored yet
}

// mark is the total at a moment.
type mark struct {
	at    time.Time
	total counters
}

const (
	// recently is how far back a Recent reaches, and markEvery how often its beginning moves on.
	recently  = time.Minute
	markEvery = 6 * time.Second

	// The intervals of a run's first hour show its shape; longer ones keep the history of long runs small.
	fineInterval   = 5 * time.Second
	coarseInterval = time.Minute
	fineFor        = time.Hour
)

// scrapeEvery is the time between two scrapes.
const scrapeEvery = time.Second

// recent are the seconds and the gain since the mark that a Recent begins with.
func (m *meter) recent(now time.Time) (seconds float64, gained counters) {
	for len(m.marks) > 1 && now.Sub(m.marks[1].at) >= recently {
		m.marks = m.marks[1:]
	}
	begin := m.marks[0]
	if now.Sub(m.marks[len(m.marks)-1].at) >= markEvery {
		m.marks = append(m.marks, mark{now, m.total})
	}
	return now.Sub(begin.at).Seconds(), combine(m.total, begin.total, -1)
}

// take adds a scrape. The intervals are those that it ends.
func (m *meter) take(now time.Time, s *Scrape) (Sample, []Interval) {
	var done []Interval
	before := m.total
	switch {
	case s.RunID != m.run || len(m.marks) == 0: // the first scrape may be of no run
		done = m.flush()
		*m = meter{run: s.RunID, base: newCounters(), began: now, from: now, before: newCounters()}
		before = newCounters()
		if s.life > 0 {
			// What it did since its start is divided by the time since then, not by a second.
			m.at = time.UnixMicro(int64(s.life * 1e6)).UTC()
			m.began = m.at
			if now.Sub(m.at) < coarseInterval {
				m.from = m.at
			} else {
				m.before = s.counters // the run was found under way: what it did before is in earlier intervals
			}
		}
		if began := m.at; now.Sub(began) < recently {
			m.marks = []mark{{began, newCounters()}}
		} else {
			m.marks = []mark{{now, s.counters}}
		}
	case s.life != m.life || s.counters.less(m.last):
		done = m.flush()
		m.base, m.from, m.before = m.total, m.at, m.total
		if s.life > 0 {
			m.from = time.UnixMicro(int64(s.life * 1e6)).UTC()
		}
	}
	m.unkept = true
	m.life, m.last, m.total = s.life, s.counters, combine(m.base, s.counters, 1)
	if now.Sub(m.from) > m.length()-scrapeEvery/2 { // the scrape that is nearest to its end
		done = append(done, m.interval(now))
		m.from, m.before, m.unkept = now, m.total, false
	}
	sample := m.sample(now, s, combine(m.total, before, -1))
	m.at = now
	return sample, done
}

func (m *meter) sample(now time.Time, s *Scrape, gained counters) Sample {
	seconds := now.Sub(m.at).Seconds()
	if m.at.IsZero() {
		seconds = 0
	}
	delta := gained.tally("", "")
	span, lately := m.recent(now)
	recent := lately.tally("", "")
	out := Sample{
		Point: Point{
			Time: now, HitRate: rate(delta.Accepted, seconds),
			VisitRate: rate(uint64(gained.visits[plannedVisits]), seconds), Delta: delta,
			Latency: gained.percentiles(""), OpenVisits: s.OpenVisits,
		},
		RunID: s.RunID, PlanHash: s.PlanHash, Phase: s.Phase,
		Recent: Recent{
			span, rate(recent.Accepted, span), rate(uint64(lately.visits[plannedVisits]), span), recent,
			lately.percentiles(""),
		},
		Hits: m.total.tally("", ""), ByKind: m.total.byKind(), Visits: m.total.visitsByFate(), Revenue: m.total.revenue,
		Due: uint64(m.total.due), Targets: []Target{}, Stops: []Stop{}, Thresholds: []record.Verdict{},
		Reasons: []record.Reason{}, Warnings: []record.Reason{},
	}
	for _, name := range s.targets {
		out.InFlight += s.inFlight[name]
		out.Targets = append(out.Targets, Target{
			Name: name, Health: s.health[name], Hits: m.total.tally(name, ""), InFlight: s.inFlight[name],
			HitRate: rate(lately.tally(name, "").Accepted, span), Latency: lately.percentiles(name),
		})
	}
	return out
}

// rate is n per second; 0 where no time is known.
func rate(n uint64, seconds float64) float64 {
	if seconds <= 0 {
		return 0
	}
	return float64(n) / seconds
}

// length is that of the current interval.
func (m *meter) length() time.Duration {
	if m.from.Sub(m.began) < fineFor {
		return fineInterval
	}
	return coarseInterval
}

// interval is the current one, up to until.
func (m *meter) interval(until time.Time) Interval {
	gained := combine(m.total, m.before, -1)
	return Interval{
		RunID: m.run, At: m.from, Seconds: until.Sub(m.from).Seconds(), Delta: gained.tally("", ""),
		Visits: uint64(gained.visits[plannedVisits]), Revenue: gained.revenue, Latency: gained.percentiles(""),
	}
}

// flush returns the current interval as far as it is known, so that the last part of a run is stored; nothing where
// nothing is new.
func (m *meter) flush() []Interval {
	if !m.unkept {
		return nil
	}
	m.unkept = false
	// The interval stays open: should the run continue within it, a later row of the same start replaces this one.
	return []Interval{m.interval(m.at)}
}
