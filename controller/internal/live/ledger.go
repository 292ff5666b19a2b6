package live

import (
	"maps"
	"slices"

	"github.com/puttrix/trafficinator/shared/record"
)

// ofLedger is what the ledger of a run tells of what Read would. It has no latencies: those of a run that goes on are
// in its metrics alone.
func ofLedger(r *record.Summary) *Scrape {
	s := &Scrape{
		RunID: r.RunID, PlanHash: r.PlanHash, Phase: "running", life: float64(r.Started.UnixMicro()) / 1e6,
		targets: slices.Sorted(maps.Keys(r.Targets)), health: map[string]string{}, inFlight: map[string]uint64{},
		OpenVisits: r.OpenVisits, FinishBy: r.FinishBy, counters: newCounters(),
	}
	c := &s.counters
	for name, t := range r.Targets {
		s.health[name] = t.Health
		for kind, h := range t.ByKind {
			c.planned[hitKey{name, kind, ""}] = float64(h.Planned)
			for outcome, n := range map[string]uint64{
				"accepted": h.Accepted, "rejected": h.Rejected, "failed": h.Failed, "unknown": h.Unknown,
				"shed": h.Shed, "abandoned": h.Abandoned,
			} {
				c.hits[hitKey{name, kind, outcome}] = float64(n)
			}
		}
	}
	v := r.Visits
	for fate, n := range map[string]uint64{
		plannedVisits: v.Planned, "complete": v.Complete, "partial": v.Partial, "uncertain": v.Uncertain,
		"lost": v.Lost, "unsent": v.Unsent,
		"split": v.Split, "repeated": v.Repeated,
	} {
		c.visits[fate] = float64(n)
	}
	c.due, c.revenue = float64(r.Due), r.Revenue
	return s
}
