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

	minute      time.Time
	minuteTotal counters // total when the minute began
	unkept      bool     // the minute has something that was not in a row yet
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
)

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

// take books a scrape. The minutes are those that it ends.
func (m *meter) take(now time.Time, s *Scrape) (Sample, []Minute) {
	var done []Minute
	before := m.total
	switch {
	case s.RunID != m.run:
		done = m.flush()
		*m = meter{run: s.RunID, base: newCounters(), minute: now.Truncate(time.Minute), minuteTotal: newCounters()}
		before = newCounters()
		if s.life > 0 {
			// What it did since its start is divided by the time since then, not by a second.
			m.at = time.UnixMicro(int64(s.life * 1e6)).UTC()
			if m.minute.Sub(m.at) > time.Minute {
				m.minuteTotal = s.counters // a run found on its way: what it did before was in other minutes
			}
		}
		if began := m.at; now.Sub(began) < recently {
			m.marks = []mark{{began, newCounters()}}
		} else {
			m.marks = []mark{{now, s.counters}}
		}
	case s.life != m.life || s.counters.less(m.last):
		m.base = m.total
	}
	m.unkept = true
	m.life, m.last, m.total = s.life, s.counters, combine(m.base, s.counters, 1)
	if minute := now.Truncate(time.Minute); minute.After(m.minute) {
		done = append(done, m.row())
		m.minute, m.minuteTotal = minute, m.total
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
			Time: now, HitRate: rate(delta.Accepted, seconds), VisitRate: rate(uint64(gained.visits[plannedVisits]), seconds), Delta: delta,
			Latency: gained.percentiles(""), OpenVisits: s.open,
		},
		RunID: s.RunID, PlanHash: s.PlanHash, Phase: s.Phase,
		Recent: Recent{
			span, rate(recent.Accepted, span), rate(uint64(lately.visits[plannedVisits]), span), recent, lately.percentiles(""),
		},
		Hits: m.total.tally("", ""), ByKind: m.total.byKind(), Visits: m.total.visitsByFate(), Revenue: m.total.revenue,
		Due: uint64(m.total.due), Targets: []Target{}, Stops: []Stop{}, Thresholds: []record.Verdict{},
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

// row is the minute that goes on, as far as it is known.
func (m *meter) row() Minute {
	gained := combine(m.total, m.minuteTotal, -1)
	return Minute{
		RunID: m.run, At: m.minute, Delta: gained.tally("", ""), Visits: uint64(gained.visits[plannedVisits]),
		Revenue: gained.revenue, Latency: gained.percentiles(""),
	}
}

// flush ends the minute that goes on, so that the last part of a run is stored; nothing where nothing is new.
func (m *meter) flush() []Minute {
	if !m.unkept {
		return nil
	}
	m.unkept = false
	// The row stays open: should the run go on within the minute, a later one replaces it with more.
	return []Minute{m.row()}
}
