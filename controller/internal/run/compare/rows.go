package compare

import (
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/puttrix/trafficinator/shared/outcome"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// comparison makes the rows.
type comparison struct {
	a, b Run
	// exact says that visitors do the very same in both, and cut why a run did not send its plan, all of it and no
	// other.
	samePlan   bool
	incomplete []string
	result     []Row
}

// rule judges a difference that there is.
type rule func(was, is float64) (beyond bool, why string)

func (c *comparison) add(group, name string, unit Unit, a, b float64, judge rule) {
	d := b - a
	row := Row{Group: group, Name: name, Unit: unit, A: &a, B: &b, Difference: &d}
	if a != 0 {
		share := d / a
		row.Share = &share
	}
	if d != 0 {
		row.BeyondNoise, row.Why = judge(a, b)
	}
	c.result = append(c.result, row)
}

func (c *comparison) seconds() (a, b float64) { return c.a.Length.Seconds(), c.b.Length.Seconds() }

// planned judges what a plan decides: by the very number where both sent all of the same plan, else by the rates.
func (c *comparison) planned(was, is float64) (bool, string) {
	if c.samePlan && len(c.incomplete) == 0 {
		return true, "the plan is the same and both runs sent all of it, so any difference is real"
	}
	ta, tb := c.seconds()
	beyond, why := judgeDeviation(rateDeviation(was, ta, is, tb), "the rates")
	if len(c.incomplete) > 0 {
		why = strings.Join(c.incomplete, "; ") + ", so only rates can be compared: " + why
	}
	return beyond, why
}

// part judges a number by its share of others.
func shareOf(wholeA, wholeB uint64) rule {
	return func(was, is float64) (bool, string) {
		return judgeDeviation(shareDeviation(was, float64(wholeA), is, float64(wholeB)), "the shares")
	}
}

func (c *comparison) rows() []Row {
	a, b := c.a.Summary, c.b.Summary
	c.visits("visits", a.Visits, b.Visits)
	c.add("visits", "due", Count, float64(a.Due), float64(b.Due), c.planned)
	c.hits("hits", a.Hits, b.Hits, true)
	for _, kind := range kindsOrTargets(a.ByKind, b.ByKind) {
		if was, is := a.ByKind[kind], b.ByKind[kind]; was.Planned+is.Planned > 0 {
			c.hits("kind:"+kind, was, is, false)
		}
	}
	if targets := kindsOrTargets(a.ByTarget, b.ByTarget); len(targets) > 1 {
		for _, name := range targets {
			c.hits("target:"+name, a.ByTarget[name], b.ByTarget[name], false)
		}
	}
	c.latency()
	c.rates()
	c.shop()
	if a.Capacity != nil && b.Capacity != nil {
		c.add("capacity", "visit_rate", PerSecond, a.Capacity.VisitRate, b.Capacity.VisitRate, compareCapacities)
		c.add("capacity", "hit_rate", PerSecond, a.Capacity.HitRate, b.Capacity.HitRate, compareCapacities)
	}
	ta, tb := c.seconds()
	c.add("run", "length", Seconds, ta, tb, func(float64, float64) (bool, string) {
		return false, "how long a run takes is judged by its rates"
	})
	return c.result
}

func compareCapacities(was, is float64) (bool, string) {
	if math.Abs(is-was) <= searchPrecision*was {
		return false, "within 6 %, because a search narrows each to within 3 %"
	}
	return true, "more than 6 %, where a search narrows each to within 3 %"
}

// number is one of a set.
type count struct {
	name string
	a, b uint64
}

func (c *comparison) visits(group string, a, b runsummary.Visits) {
	c.add(group, "planned", Count, float64(a.Planned), float64(b.Planned), c.planned)
	for _, n := range []count{
		{"complete", a.Complete, b.Complete}, {"partial", a.Partial, b.Partial},
		{"uncertain", a.Uncertain, b.Uncertain},
		{"lost", a.Lost, b.Lost}, {"unsent", a.Unsent, b.Unsent}, {"split", a.Split, b.Split},
		{"repeated", a.Repeated, b.Repeated},
	} {
		c.add(group, n.name, Count, float64(n.a), float64(n.b), shareOf(a.Planned, b.Planned))
	}
}

// hits has all outcomes, or those that some hit had.
func (c *comparison) hits(group string, a, b runsummary.Hits, all bool) {
	c.add(group, "planned", Count, float64(a.Planned), float64(b.Planned), c.planned)
	for _, o := range outcome.All() {
		if was, is := a.Of(o), b.Of(o); all || was+is > 0 {
			c.add(group, o.String(), Count, float64(was), float64(is), shareOf(a.Planned, b.Planned))
		}
	}
}

func (c *comparison) latency() {
	a, b := c.a.Summary, c.b.Summary
	all, other := a.Latencies(), b.Latencies()
	for _, p := range []struct {
		name     string
		q        float64
		was, now float64
	}{{"p50", .5, a.Latency.P50, b.Latency.P50}, {"p95", .95, a.Latency.P95, b.Latency.P95},
		{"p99", .99, a.Latency.P99, b.Latency.P99}} {
		c.add("latency", p.name, Seconds, p.was, p.now, func(was, is float64) (bool, string) {
			return comparePercentiles(all, other, p.q, was, is)
		})
	}
}

func (c *comparison) rates() {
	a, b := c.a.Summary, c.b.Summary
	ta, tb := c.seconds()
	for _, n := range []count{{"visit_rate", a.Visits.Planned, b.Visits.Planned},
		{"hit_rate", a.Hits.Accepted, b.Hits.Accepted}} {
		c.add("rates", n.name, PerSecond, divide(float64(n.a), ta), divide(float64(n.b), tb),
			func(float64, float64) (bool, string) {
				return judgeDeviation(rateDeviation(float64(n.a), ta, float64(n.b), tb), "the rates")
			})
	}
	for _, n := range []struct {
		count
		ofA, ofB uint64
	}{
		{count{"error_share", a.Hits.NotAccepted(), b.Hits.NotAccepted()}, a.Hits.Tried(), b.Hits.Tried()},
		{count{"unknown_share", a.Hits.Unknown, b.Hits.Unknown}, a.Hits.Tried(), b.Hits.Tried()},
		{count{"achieved_rate", started(a), started(b)}, a.Due, b.Due},
	} {
		c.add("shares", n.name, Share, divide(float64(n.a), float64(n.ofA)), divide(float64(n.b), float64(n.ofB)),
			func(float64, float64) (bool, string) {
				return shareOf(n.ofA, n.ofB)(float64(n.a), float64(n.b))
			})
	}
}

// shop compares what orders came to.
func (c *comparison) shop() {
	a, b := c.a.Summary, c.b.Summary
	follows := func(was, is float64) (bool, string) {
		if c.samePlan && len(c.incomplete) == 0 && a.Hits.Accepted == a.Hits.Planned &&
			b.Hits.Accepted == b.Hits.Planned {
			return c.planned(was, is)
		}
		return false, "it follows from which orders were sent and accepted"
	}
	if a.Revenue+b.Revenue > 0 {
		c.add("shop", "revenue", Money, a.Revenue, b.Revenue, follows)
		c.add("shop", "items", Count, float64(a.Items), float64(b.Items), follows)
	}
}

func started(s *runsummary.Summary) uint64 {
	return s.Visits.Planned - min(s.Visits.Unsent, s.Visits.Planned)
}

// over is a share or a rate, 0 where there is nothing to divide by.
func divide(n, by float64) float64 {
	if by <= 0 {
		return 0
	}
	return n / by
}

func kindsOrTargets(a, b map[string]runsummary.Hits) []string {
	names := maps.Clone(a)
	if names == nil {
		names = map[string]runsummary.Hits{}
	}
	maps.Copy(names, b)
	return slices.Sorted(maps.Keys(names))
}
