package endtoend

import (
	"net/http"
	"testing"

	"github.com/puttrix/trafficinator/shared/testbed"
)

// reconciled is what of a reconciliation the tests look at.
type reconciled struct {
	State   string
	Targets []struct {
		Slice, Error string
		Rows         []struct {
			Group, Name, Verdict string
			Off                  float64
		}
	}
}

// off are the rows that are not equal, by name.
func (r reconciled) off() map[string]float64 {
	out := map[string]float64{}
	for _, t := range r.Targets {
		for _, row := range t.Rows {
			if row.Verdict != "equal" {
				out[row.Name] = row.Off
			}
		}
	}
	return out
}

// proves runs some 13,000 hits into a sink that is told to do wrong, and reconciles the run. Of the first thousand the
// sink of seed 1 already loses one, so that a busy machine, on which fewer are sent, changes nothing.
func proves(t *testing.T, sinkFlags ...string) reconciled {
	t.Helper()
	t.Parallel()
	p, _ := product(t, testbed.Loadgen(t), append([]string{"--seed", "1"}, sinkFlags...)...)
	p.Call(t, http.MethodPut, "/api/config", p.config(map[string]any{
		"TARGET_VISITS_PER_DAY": 1.3e7, "STOP_AFTER_VISITS": 2000, "RUN_DIMENSION": 4, "PAUSE_BETWEEN_PVS_MAX": 0.5,
	}), http.StatusOK)
	p.Call(t, http.MethodPost, "/api/start", nil, http.StatusOK)
	var s Status
	testbed.WaitFor(t, "the run has ended", func() bool { s = p.Status(t); return s.Run.Ended != nil })
	path := "/api/runs/" + s.Run.ID + "/reconcile"
	p.Call(t, http.MethodPost, path, map[string]any{"every_seconds": 1, "limit_seconds": 60}, http.StatusAccepted)
	var r reconciled
	testbed.WaitFor(t, "the reconciliation is done", func() bool { p.read(t, path, &r); return r.State == "done" })
	if len(r.Targets) != 1 || r.Targets[0].Slice != "dimension" || r.Targets[0].Error != "" {
		t.Fatalf("%+v", r)
	}
	return r
}

func TestACleanRunReconciles(t *testing.T) {
	if off := proves(t).off(); len(off) > 0 {
		t.Errorf("not equal: %v", off)
	}
}

func TestALossOfOneHitInTenThousandIsFound(t *testing.T) {
	off := proves(t, "--lose-share", "0.0001").off()
	missing := 0.0
	for _, n := range off {
		missing += min(0, n)
	}
	if missing >= 0 {
		t.Errorf("nothing is missing: %v", off)
	}
}

func TestADuplicationIsFound(t *testing.T) {
	off := proves(t, "--duplicate-share", "0.001").off()
	if off["pageviews"]+off["events"] <= 0 {
		t.Errorf("nothing is a duplicate key: %v", off)
	}
}

func TestLateArchivingIsWaitedFor(t *testing.T) {
	if off := proves(t, "--archive-delay", "10s").off(); len(off) > 0 {
		t.Errorf("not equal: %v", off)
	}
}
