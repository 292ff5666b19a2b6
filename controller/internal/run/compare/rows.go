package compare

import (
	"math"
	"strings"

	"github.com/puttrix/trafficinator/shared/outcome"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// comparison collects the rows.
type comparison struct {
	a, b Run
	// samePlan reports that visitors do the same in both; incomplete are the reasons why a run did not send exactly its
	// plan.
	samePlan   bool
	incomplete []string
	result     []Row
}

// rule judges a difference.
type rule func(was, is float64) (beyond bool, why string)

func (c *comparison) add(group, name string, unit Unit, a, b float64, judge rule) {
	d := b - a
	row := Row{Group: group, Name: name, Unit: unit, A: &a, B: &b, Difference: &d}
	if a != 0 {
		row.Share = new(d / a)
	}
	if d != 0 {
		row.BeyondNoise, row.Why = judge(a, b)
	}
	c.result = append(c.result, row)
}

func (c *comparison) count(group, name string, a, b uint64, judge rule) {
	c.add(group, name, Count, float64(a), float64(b), judge)
}

func (c *comparison) seconds() (a, b float64) { return c.a.Length.Seconds(), c.b.Length.Seconds() }

// exact reports whether both runs sent all of the same plan.
func (c *comparison) exact() bool { return c.samePlan && len(c.incomplete) == 0 }

// planned judges a number that the plan decides.
func (c *comparison) planned(was, is float64) (bool, string) {
	if c.exact() {
		return true, "the plan is the same and both runs sent all of it, so any difference is real"
	}
	ta, tb := c.seconds()
	beyond, why := judgeDeviation(rateDeviation(was, ta, is, tb), "the rates")
	if len(c.incomplete) > 0 {
		why = strings.Join(c.incomplete, "; ") + ", so only rates can be compared: " + why
	}
	return beyond, why
}

// shareOf judges a number by its share of others.
func shareOf(allA, allB uint64) rule {
	return func(was, is float64) (bool, string) {
		return judgeDeviation(shareDeviation(was, float64(allA), is, float64(allB)), "the shares")
	}
}

func (c *comparison) rows() []Row {
	a, b := c.a.Summary, c.b.Summary
	c.visits(a.Visits, b.Visits)
	c.count("visits", "due", a.Due, b.Due, c.planned)
	c.hits("hits", a.Hits, b.Hits, true)
	for _, kind := range sortedKeys(a.ByKind, b.ByKind) {
		if was, is := a.ByKind[kind], b.ByKind[kind]; was.Planned+is.Planned > 0 {
			c.hits("kind:"+kind, was, is, false)
		}
	}
	if targets := sortedKeys(a.ByTarget, b.ByTarget); len(targets) > 1 {
		for _, name := range targets {
			c.hits("target:"+name, a.ByTarget[name], b.ByTarget[name], false)
		}
	}
	c.latency(a, b)
	c.rates(a, b)
	c.shop(a, b)
	if a.Capacity != nil && b.Capacity != nil {
		c.add("capacity", "visit_rate", PerSecond, a.Capacity.VisitRate, b.Capacity.VisitRate, compareCapacities)
		c.add("capacity", "hit_rate", PerSecond, a.Capacity.HitRate, b.Capacity.HitRate, compareCapacities)
	}
	ta, tb := c.seconds()
	c.add("run", "length", Seconds, ta, tb, func(float64, float64) (bool, string) {
		return false, "not tested; compare the rates instead"
	})
	return c.result
}

func compareCapacities(was, is float64) (bool, string) {
	if math.Abs(is-was) <= searchPrecision*was {
		return false, "within 6 %, because a search narrows each to within 3 %"
	}
	return true, "more than 6 %, while a search narrows each to within 3 %"
}

func (c *comparison) visits(a, b runsummary.Visits) {
	c.count("visits", "planned", a.Planned, b.Planned, c.planned)
	for _, n := range []struct {
		name string
		a, b uint64
	}{
		{"complete", a.Complete, b.Complete}, {"partial", a.Partial, b.Partial},
		{"uncertain", a.Uncertain, b.Uncertain}, {"lost", a.Lost, b.Lost}, {"unsent", a.Unsent, b.Unsent},
		{"split", a.Split, b.Split}, {"repeated", a.Repeated, b.Repeated},
	} {
		c.count("visits", n.name, n.a, n.b, shareOf(a.Planned, b.Planned))
	}
}

// hits adds all outcomes, or those of any hit.
func (c *comparison) hits(group string, a, b runsummary.Hits, all bool) {
	c.count(group, "planned", a.Planned, b.Planned, c.planned)
	for _, o := range outcome.All() {
		if was, is := a.Of(o), b.Of(o); all || was+is > 0 {
			c.count(group, o.String(), was, is, shareOf(a.Planned, b.Planned))
		}
	}
}

func (c *comparison) latency(a, b *runsummary.Summary) {
	allA, allB := a.Latencies(), b.Latencies()
	percentile := func(name string, q, was, is float64) {
		c.add("latency", name, Seconds, was, is, func(was, is float64) (bool, string) {
			return comparePercentiles(allA, allB, q, was, is)
		})
	}
	percentile("p50", .5, a.Latency.P50, b.Latency.P50)
	percentile("p95", .95, a.Latency.P95, b.Latency.P95)
	percentile("p99", .99, a.Latency.P99, b.Latency.P99)
}

func (c *comparison) rates(a, b *runsummary.Summary) {
	ta, tb := c.seconds()
	perSecond := func(name string, nA, nB uint64) {
		was, is := float64(nA), float64(nB)
		c.add("rates", name, PerSecond, divide(was, ta), divide(is, tb), func(float64, float64) (bool, string) {
			return judgeDeviation(rateDeviation(was, ta, is, tb), "the rates")
		})
	}
	perSecond("visit_rate", a.Visits.Planned, b.Visits.Planned)
	perSecond("hit_rate", a.Hits.Accepted, b.Hits.Accepted)
	share := func(name string, nA, allA, nB, allB uint64) {
		was, is := float64(nA), float64(nB)
		c.add("shares", name, Share, divide(was, float64(allA)), divide(is, float64(allB)),
			func(float64, float64) (bool, string) { return shareOf(allA, allB)(was, is) })
	}
	share("error_share", a.Hits.NotAccepted(), a.Hits.Tried(), b.Hits.NotAccepted(), b.Hits.Tried())
	share("unknown_share", a.Hits.Unknown, a.Hits.Tried(), b.Hits.Unknown, b.Hits.Tried())
	share("achieved_rate", started(a), a.Due, started(b), b.Due)
}

// shop compares the totals of orders.
func (c *comparison) shop(a, b *runsummary.Summary) {
	if a.Revenue+b.Revenue <= 0 {
		return
	}
	follows := func(was, is float64) (bool, string) {
		if c.exact() && a.Hits.Accepted == a.Hits.Planned && b.Hits.Accepted == b.Hits.Planned {
			return c.planned(was, is)
		}
		return false, "it follows from which orders were sent and accepted"
	}
	c.add("shop", "revenue", Money, a.Revenue, b.Revenue, follows)
	c.count("shop", "items", a.Items, b.Items, follows)
}

func started(s *runsummary.Summary) uint64 {
	return s.Visits.Planned - min(s.Visits.Unsent, s.Visits.Planned)
}

// divide returns n / by, or 0 if by is not positive.
func divide(n, by float64) float64 {
	if by <= 0 {
		return 0
	}
	return n / by
}
