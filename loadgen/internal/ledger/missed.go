package ledger

import (
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/outcome"
)

// Missed counts what was not sent because this process stood still when it fell due: visits that did not happen at all,
// and hits, theirs among them.
type Missed struct{ Visits, Hits uint64 }

func (m *Missed) add(o Missed) {
	m.Visits += o.Visits
	m.Hits += o.Hits
}

// Miss books hits of a visit as shed by standstill number n, counted from 0; whole says that it did not happen at all.
func (l *Ledger) Miss(target, n int, hits Kinds, whole bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.missed) <= n {
		l.missed = append(l.missed, Missed{})
	}
	m := &l.missed[n]
	before := m.Hits
	for k, h := range hits {
		l.rows[target][k].Outcomes[outcome.Shed] += h
		m.Hits += h
	}
	l.addReason(target, answer.Standstill, &answer.Answer{}, m.Hits-before)
	if whole {
		m.Visits++
	}
}

// AllMissed sums what was missed by all standstills.
func (c Counts) AllMissed() Missed {
	var sum Missed
	for _, m := range c.Missed {
		sum.add(m)
	}
	return sum
}
