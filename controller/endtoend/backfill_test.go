package endtoend

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/shared/testbed"
)

// Backfill is what of a job is looked at.
type Backfill struct {
	RunID         string `json:"run_id"`
	ContainerName string `json:"container_name"`
	ContainerID   string `json:"container_id"`
	State, Reason string
	ExitCode      *int `json:"exit_code"`
	Restarts      int
	Resumable     bool
	Progress      *struct {
		BatchesDone uint64 `json:"batches_done"`
		Days        []struct {
			Date                             string
			Planned, Sent, Unknown, Rejected uint64
		}
		Unknown []any `json:"unknown_batches"`
	}
}

// Backfills sends three past days beside live traffic: the job is killed, resumes, is cancelled, resumed, and cleaned
// up, and the sink, whose site is in CET, has every visit of every day once.
func (p Product) Backfills(t *testing.T) {
	t.Helper()
	p.Call(t, http.MethodPut, "/api/config",
		p.config(map[string]any{"TARGET_VISITS_PER_DAY": 60, "BULK_SIZE": 20, "TIMEZONE": "CET"}), http.StatusOK)
	p.Call(t, http.MethodPost, "/api/start", nil, http.StatusOK)
	live := p.Status(t).Run.ID
	asked := map[string]any{"DAYS_BACK": 6, "BACKFILL_DURATION_DAYS": "3", "RPS_LIMIT": 2, "SHARDS": 1,
		"name": "three days", "RUN_ONCE": true}
	plan := p.Call(t, http.MethodPost, "/api/backfill/plan", asked, http.StatusOK)
	id, _ := p.Call(t, http.MethodPost, "/api/backfill/run", asked, http.StatusAccepted)["run_id"].(string)
	j := p.until(t, id, "it has sent something", func(j Backfill) bool {
		return j.Progress != nil && j.Progress.BatchesDone >= 5
	})
	p.KillJob(t, j)
	done := j.Progress.BatchesDone
	p.until(t, id, "it has resumed after a crash", func(j Backfill) bool {
		return j.Restarts == 1 && j.Progress.BatchesDone > done+2
	})
	p.Call(t, http.MethodPost, "/api/backfill/cancel", map[string]any{"container_name": j.ContainerName}, http.StatusOK)
	if j = p.Job(t, id); j.State != "exited" || *j.ExitCode != 130 || j.Reason != "interrupted" || !j.Resumable {
		t.Errorf("a cancelled job should have drained: %+v", j)
	}
	p.Call(t, http.MethodPost, "/api/backfill/"+id+"/resume", nil, http.StatusAccepted)
	j = p.until(t, id, "it has ended", func(j Backfill) bool { return j.State == "exited" })
	if *j.ExitCode != 0 || j.Reason != "backfill_finished" || j.Resumable || len(j.Progress.Unknown) > 1 {
		t.Errorf("want a good end, and one unknown batch at most: %+v", j)
	}
	p.holds(t, j, plan["calendar"].([]any))
	if s := p.Status(t); s.Phase != "running" || s.Run.ID != live {
		t.Errorf("live traffic should still run beside it: %+v", s)
	}
	if r := p.Call(t, http.MethodGet, "/api/runs/"+id, nil, http.StatusOK); r["kind"] != "backfill" ||
		r["reason"] != "backfill_finished" || r["note"] != "three days" {
		t.Errorf("want it among the runs: %v", r)
	}
	if log := p.text(t, "/api/logs?lines=1000&job="+id); !strings.Contains(log, "backfill") {
		t.Errorf("want the log of the job: %s", log)
	}
	if got := p.Call(t, http.MethodPost, "/api/backfill/cleanup", nil,
		http.StatusOK)["removed"].([]any); len(got) != 1 || got[0] != j.ContainerName {
		t.Errorf("want it removed, got %v", got)
	}
	if left, err := os.ReadDir(filepath.Join(p.Dir, "data", "exchange", "jobs")); err != nil || len(left) > 0 {
		t.Errorf("its files hold a token and should be gone: %v, %v", left, err)
	}
	p.Call(t, http.MethodPost, "/api/stop", nil, http.StatusOK)
}

// holds compares what was planned, what the job says of it, and what the sink has of each day.
func (p Product) holds(t *testing.T, j Backfill, calendar []any) {
	t.Helper()
	sink := p.recorded(t)
	if len(calendar) != 3 || len(j.Progress.Days) != 3 {
		t.Fatalf("want three days, planned %v, sent %+v", calendar, j.Progress)
	}
	for i, d := range j.Progress.Days {
		planned := calendar[i].(map[string]any)
		if d.Date != planned["date"] || float64(d.Planned) != planned["visits"] || d.Planned == 0 ||
			d.Sent+d.Unknown != d.Planned {
			t.Errorf("%v was planned, the job has sent %+v", planned, d)
		}
		if n := sink.Total.Days[d.Date].Visits; n < d.Sent || n > d.Sent+d.Unknown {
			t.Errorf("the sink has %d visits of %+v", n, d)
		}
	}
}

// Job is one by its run id.
func (p Product) Job(t *testing.T, id string) Backfill {
	t.Helper()
	var all struct{ Runs []Backfill }
	p.read(t, "/api/backfill/status", &all)
	for _, j := range all.Runs {
		if j.RunID == id {
			return j
		}
	}
	t.Fatalf("no job %s in %+v", id, all)
	return Backfill{}
}

// until waits until a job is as wanted.
func (p Product) until(t *testing.T, id, what string, yes func(Backfill) bool) Backfill {
	t.Helper()
	var j Backfill
	testbed.WaitFor(t, what, func() bool { j = p.Job(t, id); return yes(j) })
	return j
}
