package endtoend

import (
	"testing"

	"github.com/puttrix/trafficinator/controller/internal/launcher/docker"
	"github.com/puttrix/trafficinator/shared/testbed"
)

// Whatever the controller has made, `down` leaves nothing that sends, and `up` sends nothing that nobody asked for.
func TestComposeKnowsWhatTheControllerMakesAndUpSendsNothingUnasked(t *testing.T) {
	t.Parallel()
	w := stack(t)
	w.Save(t)
	w.StartRun(t)

	// The loadgen that the controller makes is compose's as much as its own.
	testbed.Docker(t, "rm", "--force", w.loadgen)
	testbed.WaitFor(t, "the run has ended", func() bool { return w.Status(t).Run.Ended != nil })
	w.StartRun(t)
	if listed := w.compose("ps", "--quiet", "--no-trunc", "loadgen"); listed != testbed.Docker(t, "inspect", "--format",
		"{{.Id}}", w.loadgen) {
		t.Errorf("compose should list the loadgen, not %q", listed)
	}
	w.compose("up", "--no-build", "--detach")
	w.API = w.address()
	w.Answers(t)
	w.idlesAfterItsRun(t)

	// A backfill that would last for hours, beside a run.
	w.StartRun(t)
	id, _ := w.Call(t, "POST", "/api/backfill/run",
		map[string]any{"DAYS_BACK": 6, "DURATION_DAYS": 3, "RPS_LIMIT": 0.5}, 202)["run_id"].(string)
	testbed.WaitFor(t, "the backfill sends", func() bool {
		j := w.Job(t, id)
		return j.Progress != nil && j.Progress.BatchesDone > 0
	})
	w.compose("down")
	if left := testbed.Docker(t, "ps", "--quiet", "--filter", "label="+docker.StackLabel+"="+w.project); left != "" {
		t.Errorf("%s is left running", left)
	}

	before := w.Hits(t)
	w.compose("up", "--no-build", "--detach")
	w.API = w.address()
	w.Answers(t)
	w.idlesAfterItsRun(t)
	j := w.Job(t, id)
	if j.State != "exited" || !j.Resumable || j.Reason != "interrupted" {
		t.Errorf("the backfill should wait to be resumed: %+v", j)
	}
	if after := w.Hits(t); after != before {
		t.Errorf("%d hits were sent unasked", after-before)
	}
}

// idlesAfterItsRun waits until the controller has found a loadgen that idles because its start was made before.
func (w webui) idlesAfterItsRun(t *testing.T) {
	t.Helper()
	testbed.WaitFor(t, "the run is told as interrupted", func() bool {
		s := w.Status(t)
		return s.Phase == "idle" && s.Run.Ended != nil && s.Run.Reason == "interrupted"
	})
}
