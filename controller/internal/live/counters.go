package live

import (
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/status"
)

// counters are the numbers that only grow within one life of a loadgen.
type counters struct {
	hits    map[hitKey]runsummary.Hits
	visits  runsummary.Visits
	due     uint64
	revenue float64
	// answered counts answers by latency for each target, see status.Target.
	answered map[string][]uint64
}

type hitKey struct{ target, kind string }

// countersOf returns the counters of a snapshot.
func countersOf(s *status.Snapshot) counters {
	c := counters{
		hits: map[hitKey]runsummary.Hits{}, visits: s.Run.Visits, due: s.Run.Due, revenue: s.Run.Revenue,
		answered: map[string][]uint64{},
	}
	for name, t := range s.Run.Targets {
		for kind, h := range t.ByKind {
			c.hits[hitKey{name, kind}] = h
		}
		c.answered[name] = s.Targets[name].Answered
	}
	return c
}

// plus adds the counters of another life.
func (c counters) plus(o counters) counters {
	return counters{
		hits: combine(c.hits, o.hits, runsummary.Hits.Plus), visits: c.visits.Plus(o.visits), due: c.due + o.due,
		revenue: c.revenue + o.revenue, answered: combine(c.answered, o.answered, addBuckets),
	}
}

// minus returns the increase since o.
func (c counters) minus(o counters) counters {
	return counters{
		hits: combine(c.hits, o.hits, runsummary.Hits.Minus), visits: c.visits.Minus(o.visits), due: c.due - o.due,
		revenue: c.revenue - o.revenue, answered: combine(c.answered, o.answered, subtractBuckets),
	}
}

// combine combines the values of two maps by key.
func combine[K comparable, V any](a, b map[K]V, combine func(a, b V) V) map[K]V {
	out := make(map[K]V, len(a))
	for _, part := range []map[K]V{a, b} {
		for k := range part {
			out[k] = combine(a[k], b[k])
		}
	}
	return out
}

// addBuckets and subtractBuckets calculate with counts by latency; nil is none.
func addBuckets(a, b []uint64) []uint64 {
	out := make([]uint64, len(status.LatencyBuckets)+1)
	copy(out, a)
	for i := range min(len(out), len(b)) {
		out[i] += b[i]
	}
	return out
}

func subtractBuckets(a, b []uint64) []uint64 {
	out := addBuckets(a, nil)
	for i := range min(len(out), len(b)) {
		out[i] -= b[i]
	}
	return out
}

// wereReset reports whether the counters started at 0 again.
func (c counters) wereReset(before counters) bool {
	for k, h := range before.hits {
		if c.hits[k].Planned < h.Planned {
			return true
		}
	}
	return c.visits.Planned < before.visits.Planned
}

// of sums the hits of a target, or of all if it is empty.
func (c counters) of(target string) (sum runsummary.Hits) {
	for k, h := range c.hits {
		if target == "" || k.target == target {
			sum = sum.Plus(h)
		}
	}
	return sum
}

func (c counters) byKind() map[string]runsummary.Hits {
	out := map[string]runsummary.Hits{}
	for k, h := range c.hits {
		out[k.kind] = out[k.kind].Plus(h)
	}
	return out
}

// percentiles returns the latency of a target, or of all if it is empty.
func (c counters) percentiles(target string) runsummary.Latency {
	var answered []uint64
	for name, n := range c.answered {
		if target == "" || name == target {
			answered = addBuckets(answered, n)
		}
	}
	return runsummary.Latency{P50: quantile(answered, .5), P95: quantile(answered, .95), P99: quantile(answered, .99)}
}

// quantile interpolates within the bucket of q; for the last one, which has no end, it returns its start.
func quantile(answered []uint64, q float64) float64 {
	if len(answered) == 0 {
		return 0
	}
	rank := q * float64(answered[len(answered)-1])
	var lower float64
	var before uint64
	for i, n := range answered[:len(status.LatencyBuckets)] {
		if n > before && float64(n) >= rank {
			return lower + (status.LatencyBuckets[i]-lower)*(rank-float64(before))/float64(n-before)
		}
		lower, before = status.LatencyBuckets[i], n
	}
	if answered[len(answered)-1] == 0 {
		return 0
	}
	return lower
}
