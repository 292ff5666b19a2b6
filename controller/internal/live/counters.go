package live

import (
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/status"
)

// counters are all that only ever grows within one life of a loadgen.
type counters struct {
	hits    map[hitKey]runsummary.Hits
	visits  runsummary.Visits
	due     uint64
	revenue float64
	// answered are counts by latency of each target, see status.Target.
	answered map[string][]uint64
}

type hitKey struct{ target, kind string }

// countersOf are those of a snapshot.
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

// plus adds what another life has counted.
func (c counters) plus(o counters) counters {
	return counters{
		hits: combine(c.hits, o.hits, runsummary.Hits.Plus), visits: c.visits.Plus(o.visits), due: c.due + o.due,
		revenue: c.revenue + o.revenue, answered: combine(c.answered, o.answered, func(a, b []uint64) []uint64 {
			return combineBuckets(a, b, func(a, b uint64) uint64 { return a + b })
		}),
	}
}

// minus is the gain since an earlier moment.
func (c counters) minus(o counters) counters {
	return counters{
		hits: combine(c.hits, o.hits, runsummary.Hits.Minus), visits: c.visits.Minus(o.visits), due: c.due - o.due,
		revenue: c.revenue - o.revenue, answered: combine(c.answered, o.answered, func(a, b []uint64) []uint64 {
			return combineBuckets(a, b, func(a, b uint64) uint64 { return a - b })
		}),
	}
}

// each combines what two maps have under the same key.
func combine[K comparable, V any](a, b map[K]V, combine func(a, b V) V) map[K]V {
	out := make(map[K]V, len(a))
	for _, part := range []map[K]V{a, b} {
		for k := range part {
			out[k] = combine(a[k], b[k])
		}
	}
	return out
}

// ranges combines counts by latency; nil is none.
func combineBuckets(a, b []uint64, combine func(a, b uint64) uint64) []uint64 {
	out := make([]uint64, len(status.LatencyBuckets)+1)
	at := func(n []uint64, i int) uint64 {
		if i < len(n) {
			return n[i]
		}
		return 0
	}
	for i := range out {
		out[i] = combine(at(a, i), at(b, i))
	}
	return out
}

// less tells whether something is lower than before: the counters began at 0 again.
func (c counters) wereReset(before counters) bool {
	for k, h := range before.hits {
		if c.hits[k].Planned < h.Planned {
			return true
		}
	}
	return c.visits.Planned < before.visits.Planned
}

// of sums the hits of a target; empty is all.
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

// percentiles are those of the answers of a target; empty is all.
func (c counters) percentiles(target string) runsummary.Latency {
	var answered []uint64
	for name, n := range c.answered {
		if target == "" || name == target {
			answered = combineBuckets(answered, n, func(a, b uint64) uint64 { return a + b })
		}
	}
	return runsummary.Latency{P50: quantile(answered, .5), P95: quantile(answered, .95), P99: quantile(answered, .99)}
}

// quantile interpolates within the range that q falls into; the last one, which has no end, gives its begin.
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
