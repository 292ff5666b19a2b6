package run

import "github.com/puttrix/trafficinator/controller/internal/launcher"

// byLedger is what the ledger of the current run tells of a loadgen whose telemetry cannot be reached from here. One
// that idles has none.
func (k *Control) byLedger(l launcher.Status) Plan {
	st := k.Status()
	if !st.Active() {
		return Plan{}
	}
	r, err := k.c.Ledger(st.Run.ID)
	if err != nil || r.Started.Before(l.Started) || !r.Ended.IsZero() {
		return Plan{} // of an earlier life, or of one that ends
	}
	return Plan{Hash: r.PlanHash, RunID: r.RunID, Phase: "running", OpenVisits: r.OpenVisits, FinishBy: r.FinishBy}
}
