package runsummary

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/outcome"
)

// Merge sums the lives of one run, the earliest first; there must be at least one. A loadgen that is started again with
// its RUN_ID has a summary for each life. What cannot be summed is taken from the last life. A backfill's summary
// always covers all lives, because it is made from its journal.
func Merge(lives []Summary) Summary {
	out := lives[len(lives)-1]
	if len(lives) == 1 || out.Kind == BackfillJob {
		return out
	}
	out.Started, out.FirstVisit = lives[0].Started, lives[0].FirstVisit
	out.ByKind, out.ByTarget, out.Targets = maps.Clone(out.ByKind), maps.Clone(out.ByTarget), maps.Clone(out.Targets)
	if out.Targets == nil {
		out.Targets = map[string]Target{}
	}
	var messages []string
	for _, s := range lives {
		if s.Message != "" && !slices.Contains(messages, s.Message) {
			messages = append(messages, s.Message)
		}
	}
	out.Message = strings.Join(messages, "; ")
	var standstills []Standstill
	duration := out.Duration()
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
		for name, t := range s.Targets {
			out.Targets[name] = t.Merge(out.Targets[name])
		}
	}
	out.DurationSeconds = duration.Seconds()
	out.Standstills = append(standstills, out.Standstills...)
	out.Latency = Latency{}
	complete := true
	for _, t := range out.Targets {
		complete = complete && t.Histogram != ""
	}
	if all := out.Latencies(); all != nil && complete {
		out.Latency = Percentiles(all)
	}
	return out
}

// Plus adds two counts.
func (v Visits) Plus(o Visits) Visits { return v.with(o, add) }

// Minus subtracts an earlier count.
func (v Visits) Minus(o Visits) Visits { return v.with(o, subtract) }

func (v Visits) with(o Visits, op func(a, b uint64) uint64) Visits {
	return Visits{
		op(v.Planned, o.Planned), op(v.Complete, o.Complete), op(v.Partial, o.Partial), op(v.Uncertain, o.Uncertain),
		op(v.Lost, o.Lost), op(v.Unsent, o.Unsent), op(v.Split, o.Split), op(v.Repeated, o.Repeated),
	}
}

// Plus adds two counts.
func (h Hits) Plus(o Hits) Hits { return h.with(o, add) }

// Minus subtracts an earlier count.
func (h Hits) Minus(o Hits) Hits { return h.with(o, subtract) }

func (h Hits) with(o Hits, op func(a, b uint64) uint64) Hits {
	return Hits{
		op(h.Planned, o.Planned), op(h.Accepted, o.Accepted), op(h.Rejected, o.Rejected), op(h.Failed, o.Failed),
		op(h.Unknown, o.Unknown), op(h.Shed, o.Shed), op(h.Abandoned, o.Abandoned),
	}
}

func add(a, b uint64) uint64 { return a + b }

func subtract(a, b uint64) uint64 { return a - b }

func (a Totals) plus(o Totals) Totals {
	return Totals{
		Visits: a.Visits.Plus(o.Visits), Revenue: a.Revenue + o.Revenue, Tax: a.Tax + o.Tax,
		Shipping: a.Shipping + o.Shipping, Items: a.Items + o.Items,
		Opened: Opened{
			addCounts(a.Opened.Days, o.Opened.Days), addCounts(a.Opened.Countries, o.Opened.Countries),
			addCounts(a.Opened.Sources, o.Opened.Sources), addCounts(a.Opened.Devices, o.Opened.Devices),
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

// Merge adds a later life, or another target of the same site. Without a later part, the target keeps its state.
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

func addHits(a, b map[string]Hits) map[string]Hits { return merged(a, b, Hits.Plus) }

func addCounts(a, b map[string]uint64) map[string]uint64 { return merged(a, b, add) }

func merged[V any](a, b map[string]V, plus func(V, V) V) map[string]V {
	out := map[string]V{}
	maps.Copy(out, a)
	for name, v := range b {
		out[name] = plus(out[name], v)
	}
	return out
}

// EncodeHistogram encodes a histogram of latencies in µs for Target.Histogram. It takes about a millisecond.
func EncodeHistogram(h *hdrhistogram.Histogram) string {
	text, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		return "" // writing to memory does not fail
	}
	return string(text)
}

// Percentiles are the percentiles of a histogram of µs.
func Percentiles(h *hdrhistogram.Histogram) Latency {
	at := func(p float64) float64 { return float64(h.ValueAtQuantile(p)) / 1e6 }
	return Latency{at(50), at(95), at(99)}
}

// Latencies merges the latencies of all targets, nil if there are none, as in older summaries.
func (s *Summary) Latencies() (all *hdrhistogram.Histogram) {
	for _, t := range s.Targets {
		if h := decoded(t.Histogram); all == nil {
			all = h
		} else if h != nil {
			all.Merge(h)
		}
	}
	if all == nil || all.TotalCount() == 0 {
		return nil
	}
	return all
}

// decoded returns nil unless text is a histogram.
func decoded(text string) *hdrhistogram.Histogram {
	h, err := hdrhistogram.Decode([]byte(text))
	if text == "" || err != nil {
		return nil
	}
	return h
}

// together merges two histograms, because percentiles cannot be averaged; "" if one is missing.
func together(a, b string) string {
	one, other := decoded(a), decoded(b)
	if one == nil || other == nil {
		return ""
	}
	one.Merge(other)
	return EncodeHistogram(one)
}

// Reason is why hits of a target were not accepted, or what was unusual about answers that accepted them.
type Reason struct {
	Target  string `json:"target"`
	Class   string `json:"class"`            // a name of answer.Class.
	Status  int    `json:"status,omitempty"` // the HTTP status, 0 without an answer
	Hits    uint64 `json:"hits"`
	Server  string `json:"server,omitempty"`      // the name of the server that answered in place of Matomo
	Excerpt string `json:"first_words,omitempty"` // the first words of the first such answer or error
}

// String describes the answer.
func (r Reason) String() string {
	a := answer.Answer{Status: r.Status, Server: r.Server, Excerpt: r.Excerpt}
	if a.Class.UnmarshalText([]byte(r.Class)) != nil {
		return r.Class // of a later version
	}
	a.Malformed = a.Class.Outcome() == outcome.Accepted
	return a.String()
}

// SortReasons sorts by hits, most first.
func SortReasons(all []Reason) {
	slices.SortFunc(all, func(a, b Reason) int {
		return cmp.Or(cmp.Compare(b.Hits, a.Hits), cmp.Compare(a.Target, b.Target), cmp.Compare(a.Class, b.Class),
			cmp.Compare(a.Status, b.Status))
	})
}

func addReasons(earlier, later []Reason) []Reason {
	all := slices.Clone(earlier)
	for _, r := range later {
		same := slices.IndexFunc(all, func(o Reason) bool {
			return o.Target == r.Target && o.Class == r.Class && o.Status == r.Status
		})
		if same < 0 {
			all = append(all, r)
			continue
		}
		o := &all[same]
		o.Hits += r.Hits
		o.Excerpt, o.Server = cmp.Or(o.Excerpt, r.Excerpt), cmp.Or(o.Server, r.Server)
	}
	SortReasons(all)
	return all
}
