package export

import (
	"cmp"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/outcome"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/threshold"
)

// view is a run as the page shows it.
type view struct {
	*Run
	KindOfRun string
	Took      time.Duration
	Reason    string
	Badge     badge
	Tiles     []tile
	Charts    []chart
	Kinds     []row
	Targets   []targetRow
	Total     row
	Fates     []fate
	Facts     []fact
	Capacity  *capacityView
	Backfill  *backfillView
	// Sections hide those of the run, which make them.
	Sections []template.HTML
}

type (
	badge struct{ Tone, Text string }
	// tile is one figure shown large: Value is exact, Text for people.
	tile struct{ ID, Name, Value, Text, More, Tone string }
	row  struct {
		Key, Name string
		Hits      runsummary.Hits
		Bar       []Part
	}
	targetRow struct {
		Row    row
		Target runsummary.Target
	}
	fate struct {
		Name, Means string
		Count       uint64
		Bar         []Part
	}
	fact         struct{ Name, Text string }
	capacityView struct {
		*runsummary.Capacity
		Found, Limit string
		Charts       []chart
	}
	backfillView struct {
		*runsummary.Backfill
		Rows []day
	}
	// Part is a part of a bar of length 100, of a class of the page's style.
	Part     struct{ Class, X, Width string }
	outcomeN struct {
		Name  string
		Count uint64
	}
)

// Outcomes are the counts of a row by outcome.
func (r row) Outcomes() []outcomeN {
	var out []outcomeN
	for _, o := range outcome.All() {
		out = append(out, outcomeN{o.String(), r.Hits.Of(o)})
	}
	return out
}

func newView(r *Run, zone *time.Location) *view {
	s := &r.Summary
	v := &view{
		Run: r, KindOfRun: runsummary.TitleOf(s.Kind), Took: s.Duration(),
		Reason: endreason.Reason(s.Reason).Description(), Badge: badgeOf(r), Tiles: tilesOf(s),
		Charts: charts(r, zone), Total: rowOf("", "All", s.Hits),
	}
	for key, h := range s.ByKind {
		if h.Planned > 0 {
			v.Kinds = append(v.Kinds, rowOf(key, hit.Title(key), h))
		}
	}
	slices.SortFunc(v.Kinds, func(a, b row) int {
		return cmp.Or(cmp.Compare(b.Hits.Planned, a.Hits.Planned), cmp.Compare(a.Key, b.Key))
	})
	for _, name := range slices.Sorted(maps.Keys(s.ByTarget)) {
		v.Targets = append(v.Targets, targetRow{rowOf(name, name, s.ByTarget[name]), s.Targets[name]})
	}
	n := s.Visits
	for _, f := range []fate{
		{Name: "complete", Means: "every hit accepted", Count: n.Complete},
		{Name: "partial", Means: "some accepted", Count: n.Partial},
		{Name: "uncertain", Means: "some unknown", Count: n.Uncertain},
		{Name: "lost", Means: "none accepted", Count: n.Lost}, {Name: "unsent", Means: "nothing sent", Count: n.Unsent},
	} {
		f.Bar = Bar(f.Name, float64(f.Count)/float64(max(n.Planned, 1)))
		v.Fates = append(v.Fates, f)
	}
	v.Facts = factsOf(r)
	if c := s.Capacity; c != nil {
		v.Capacity = &capacityView{Capacity: c, Charts: curves(c)}
		v.Capacity.Found, v.Capacity.Limit = answer(c)
	}
	if b := s.Backfill; b != nil {
		v.Backfill = &backfillView{b, daysOf(b)}
	}
	return v
}

// charts are the hits over time, then latencies, then visits.
func charts(r *Run, zone *time.Location) []chart {
	all := timelines(r.Series, zone)
	d, known := distribution(&r.Summary)
	if !known {
		return all
	}
	return slices.Insert(all, min(2, len(all)), d)
}

func factsOf(r *Run) []fact {
	s := &r.Summary
	facts := []fact{
		{"Seed", strconv.FormatUint(s.Seed, 10)}, {"Plan", s.PlanHash},
		{"Visit numbers", fmt.Sprintf("from %d", s.FirstVisit)},
	}
	if least, most := s.Visits.ExpectedInMatomo(); least < most {
		facts = append(facts, fact{"Visits in Matomo",
			fmt.Sprintf("%s to %s, because some hits are unknown", Count(least), Count(most))})
	}
	if r.ExitCode != nil {
		facts = append(facts, fact{"Exit code", strconv.Itoa(*r.ExitCode)})
	}
	if s.Revenue > 0 {
		facts = append(facts, fact{"Revenue", money(s.Revenue)})
	}
	if b := s.Bulk; b != nil {
		facts = append(facts, fact{"Bulk receipts",
			fmt.Sprintf("%s requests with %s hits: %s tracked, %s invalid", Count(b.Requests), Count(b.Hits),
				Count(b.Tracked), Count(b.Invalid))})
	}
	if n := len(s.Standstills); n > 0 {
		facts = append(facts, fact{"Standstills", standstills(s)})
	}
	return facts
}

func badgeOf(r *Run) badge {
	s := &r.Summary
	missed, set := 0, 0
	for _, v := range s.Thresholds {
		if threshold.IsMissed(v) {
			missed++
		}
		if !v.BuiltIn {
			set++
		}
	}
	switch {
	case s.Ended.IsZero():
		return badge{"", "Running"}
	case missed > 0 && set == 0:
		return badge{"bad", "Most hits were not accepted"}
	case missed > 0:
		return badge{"bad", fmt.Sprintf("%d of %d thresholds failed", missed, len(s.Thresholds))}
	case s.Reason == string(endreason.Interrupted) || s.Reason == string(endreason.Stopped):
		return badge{"warn", "Stopped"}
	case wrong(r) != "":
		return badge{"bad", "Failed"}
	case set > 0:
		return badge{"good", "Passed"}
	}
	return badge{"good", "Finished"}
}

func tilesOf(s *runsummary.Summary) []tile {
	exact := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	h, ended, errors := s.Hits, s.Hits.Tried(), s.Hits.NotAccepted()
	tone := ""
	if errors > 0 && s.Capacity == nil { // a search makes errors on purpose
		tone = "bad"
	}
	due := ""
	if s.Due > 0 {
		due = "of " + Count(s.Due) + " due"
	}
	tiles := []tile{
		{"visits-begun", "Visits started", fmt.Sprint(s.Visits.Planned), Count(s.Visits.Planned), due, ""},
		{"hits-accepted", "Hits accepted", fmt.Sprint(h.Accepted), Count(h.Accepted),
			"of " + Count(h.Planned) + " planned", ""},
		{"errors", "Errors", fmt.Sprint(errors), percent(errors, ended),
			Count(errors) + " of " + Count(ended) + " hits", tone},
		{"latency-p95", "Latency p95", exact(s.Latency.P95), Latency(s.Latency.P95),
			"p50 " + Latency(s.Latency.P50) + " · p99 " + Latency(s.Latency.P99), ""},
	}
	if took := s.Duration().Seconds(); took > 0 {
		rate := float64(h.Accepted) / took
		tiles = append(tiles, tile{"hit-rate", "Hits per second", exact(rate), Number(rate),
			Number(float64(s.Visits.Planned)/took) + " visits per second", ""})
	}
	return append(tiles, tile{"revenue", "Revenue", exact(s.Revenue), money(s.Revenue),
		Count(s.ByKind[hit.Order.String()].Accepted) + " orders", ""})
}

func rowOf(key, name string, h runsummary.Hits) row {
	r := row{Key: key, Name: name, Hits: h}
	x := 0.
	for _, o := range outcome.All() {
		if n := h.Of(o); n > 0 && h.Planned > 0 {
			width := 100 * float64(n) / float64(h.Planned)
			r.Bar = append(r.Bar, Part{o.String(), place(x), place(width)})
			x += width
		}
	}
	return r
}

// Bar is one part, from the left, of a share of the whole length.
func Bar(class string, share float64) []Part { return []Part{{class, "0", place(100 * share)}} }

func length(n, whole uint64) string {
	if whole == 0 {
		return "0"
	}
	return place(100 * float64(n) / float64(whole))
}
