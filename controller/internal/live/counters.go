package live

import (
	"maps"
	"math"
	"slices"
)

func newCounters() counters {
	return counters{
		planned: map[hitKey]float64{}, hits: map[hitKey]float64{}, visits: map[string]float64{},
		latency: map[bucketKey]float64{},
	}
}

// combine is a + sign×b, series by series.
func combine(a, b counters, sign float64) counters {
	return counters{
		planned: add(a.planned, b.planned, sign), hits: add(a.hits, b.hits, sign),
		visits: add(a.visits, b.visits, sign),
		due:    a.due + sign*b.due, revenue: a.revenue + sign*b.revenue, latency: add(a.latency, b.latency, sign),
	}
}

func add[K comparable](a, b map[K]float64, sign float64) map[K]float64 {
	sum := maps.Clone(a)
	for k, v := range b {
		sum[k] += sign * v
	}
	return sum
}

// less tells whether some series is lower than before: the counters began anew.
func (c counters) less(before counters) bool {
	for k, v := range before.planned {
		if c.planned[k] < v {
			return true
		}
	}
	return c.visits[plannedVisits] < before.visits[plannedVisits]
}

// tally sums the hits of a target and kind; empty is all.
func (c counters) tally(target, kind string) Hits {
	matches := func(k hitKey) bool { return (target == "" || k.target == target) && (kind == "" || k.kind == kind) }
	var h Hits
	for k, v := range c.planned {
		if matches(k) {
			h.Planned += uint64(v)
		}
	}
	of := map[string]*uint64{
		"accepted": &h.Accepted, "rejected": &h.Rejected, "failed": &h.Failed, "unknown": &h.Unknown, "shed": &h.Shed,
		"abandoned": &h.Abandoned,
	}
	for k, v := range c.hits {
		if n := of[k.outcome]; n != nil && matches(k) {
			*n += uint64(v)
		}
	}
	return h
}

func (c counters) byKind() map[string]Hits {
	out := map[string]Hits{}
	for k := range c.planned {
		if _, done := out[k.kind]; !done {
			out[k.kind] = c.tally("", k.kind)
		}
	}
	return out
}

func (c counters) visitsByFate() map[string]uint64 {
	out := map[string]uint64{}
	for fate, n := range c.visits {
		out[fate] = uint64(n)
	}
	return out
}

// percentiles reads the histogram of a target; empty is all.
func (c counters) percentiles(target string) Latency {
	below := map[float64]float64{}
	for k, n := range c.latency {
		if target == "" || k.target == target {
			below[k.le] += n
		}
	}
	bounds := slices.Sorted(maps.Keys(below))
	return Latency{quantile(bounds, below, .5), quantile(bounds, below, .95), quantile(bounds, below, .99)}
}

// quantile interpolates within the bucket that q falls into; the last, unbounded one gives its lower bound.
func quantile(bounds []float64, below map[float64]float64, q float64) float64 {
	if len(bounds) == 0 || below[bounds[len(bounds)-1]] <= 0 {
		return 0
	}
	rank := q * below[bounds[len(bounds)-1]]
	var lower, before float64
	for _, le := range bounds {
		n := below[le]
		if n >= rank && n > before {
			if math.IsInf(le, 1) {
				return lower
			}
			return lower + (le-lower)*(rank-before)/(n-before)
		}
		lower, before = le, n
	}
	return lower
}
