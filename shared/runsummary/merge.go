package runsummary

import (
	"maps"
	"slices"
	"strings"
)

// Merge adds up the lives of one run, the earliest first, of which there is at least one: a loadgen that is started
// again under its RUN_ID keeps a ledger of its own for what it sends from then on. What cannot be added is that of the
// last. A backfill's ledger is whole in each life, because it is made from its journal.
func Merge(lives []Summary) Summary {
	out := lives[len(lives)-1]
	if len(lives) == 1 || out.Kind == BackfillJob {
		return out
	}
	out.Started, out.FirstVisit = lives[0].Started, lives[0].FirstVisit
	out.ByKind, out.ByTarget, out.Targets = maps.Clone(out.ByKind), maps.Clone(out.ByTarget), maps.Clone(out.Targets)
	messages, standstills, duration := []string{}, []Standstill{}, out.Duration()
	for _, s := range lives {
		if s.Message != "" && !slices.Contains(messages, s.Message) {
			messages = append(messages, s.Message)
		}
	}
	out.Message = strings.Join(messages, "; ")
	for _, s := range lives[:len(lives)-1] {
		out.Hits = out.Hits.Plus(s.Hits)
		out.ByKind, out.ByTarget = addHits(out.ByKind, s.ByKind), addHits(out.ByTarget, s.ByTarget)
		out.Totals = out.plus(s.Totals)
		out.Due += s.Due
		duration += s.Duration()
		standstills = append(standstills, s.Standstills...)
		out.Killed += s.Killed
		out.CutVisits += s.CutVisits
		out.Bulk = out.Bulk.plus(s.Bulk)
		out.Reasons, out.Warnings = addReasons(s.Reasons, out.Reasons), addReasons(s.Warnings, out.Warnings)
		if out.Targets == nil {
			out.Targets = map[string]Target{}
		}
		for name, t := range s.Targets {
			out.Targets[name] = t.Merge(out.Targets[name])
		}
	}
	out.DurationSeconds = duration.Seconds()
	out.Standstills = append(standstills, out.Standstills...)
	out.Latency = Latency{}
	if all := out.Latencies(); all != nil &&
		!slices.ContainsFunc(slices.Collect(maps.Values(out.Targets)), func(t Target) bool {
			return t.Histogram == ""
		}) {
		out.Latency = Percentiles(all)
	}
	return out
}

// Plus adds two counts.
func (v Visits) Plus(o Visits) Visits {
	return Visits{
		v.Planned + o.Planned, v.Complete + o.Complete, v.Partial + o.Partial, v.Uncertain + o.Uncertain,
		v.Lost + o.Lost, v.Unsent + o.Unsent, v.Split + o.Split, v.Repeated + o.Repeated,
	}
}

// Minus subtracts an earlier count.
func (v Visits) Minus(o Visits) Visits {
	return Visits{
		v.Planned - o.Planned, v.Complete - o.Complete, v.Partial - o.Partial, v.Uncertain - o.Uncertain,
		v.Lost - o.Lost, v.Unsent - o.Unsent, v.Split - o.Split, v.Repeated - o.Repeated,
	}
}

func (a Totals) plus(o Totals) Totals {
	return Totals{
		Visits: a.Visits.Plus(o.Visits), Revenue: a.Revenue + o.Revenue, Tax: a.Tax + o.Tax,
		Shipping: a.Shipping + o.Shipping, Items: a.Items + o.Items,
		Opened: Opened{
			add(a.Opened.Days, o.Opened.Days), add(a.Opened.Countries, o.Opened.Countries),
			add(a.Opened.Sources, o.Opened.Sources), add(a.Opened.Devices, o.Opened.Devices),
		},
	}
}

func (b *Bulk) plus(o *Bulk) *Bulk {
	switch {
	case b == nil:
		return o
	case o == nil:
		return b
	}
	return &Bulk{b.Requests + o.Requests, b.Hits + o.Hits, b.Tracked + o.Tracked, b.Invalid + o.Invalid}
}

// Merge adds the part of a later life, or of another target that leads to the same site; a target without one keeps what
// it last was.
func (t Target) Merge(later Target) Target {
	out := later
	if later.URL == "" {
		out = t
		out.ByKind, out.Totals = nil, Totals{}
	}
	out.ByKind = addHits(later.ByKind, t.ByKind)
	out.Totals = later.plus(t.Totals)
	out.Histogram = together(later.Histogram, t.Histogram)
	if h := decoded(out.Histogram); h != nil {
		out.Latency = Percentiles(h)
	}
	return out
}

func addHits(a, b map[string]Hits) map[string]Hits {
	out := maps.Clone(a)
	if out == nil {
		out = map[string]Hits{}
	}
	for name, h := range b {
		out[name] = out[name].Plus(h)
	}
	return out
}

func add(a, b map[string]uint64) map[string]uint64 {
	out := maps.Clone(a)
	if out == nil {
		out = map[string]uint64{}
	}
	for name, n := range b {
		out[name] += n
	}
	return out
}
