package cli

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/testbed"
)

// Three days of some 400 visits, or with -full ninety of 2,000 up to yesterday, killed three times on the way.
func TestKilledBackfillSendsNoVisitTwice(t *testing.T) {
	t.Parallel()
	a := newArchive(t, "CET", time.Now)
	dir := t.TempDir()
	var hold atomic.Bool
	var held, gone atomic.Int32
	a.lose = func(_ int, _ http.ResponseWriter, r *http.Request) bool {
		if !hold.Load() {
			return false
		}
		held.Add(1)
		<-r.Context().Done()
		return gone.Add(1)%2 == 1 // of the requests that a kill breaks off every other one is lost
	}
	env := pastSettings(a, map[string]string{
		"STATE_DIR": filepath.Join(dir, "state"), "SUMMARY_FILE": filepath.Join(dir, "summary.json"),
		"TARGET_VISITS_PER_DAY": "400",
		"BULK_SIZE":             "30", "BACKFILL_SHARDS": "3",
	})
	// So few that no shard can have ended at the last kill, even if it alone had sent them all.
	batches := 25
	if *full {
		env["BACKFILL_DAYS_BACK"], env["BACKFILL_DURATION_DAYS"], env["TARGET_VISITS_PER_DAY"] = "90", "90", "2000"
		env["BACKFILL_MAX_VISITS_PER_DAY"], env["BULK_SIZE"], batches = "0", "500", 300
	}
	for range 3 {
		before, _ := a.seen()
		child := exec.Command(testbed.Loadgen(t))
		for key, v := range env {
			child.Env = append(child.Env, key+"="+v)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		for n, began := before, time.Now(); n < before+batches; n, _ = a.seen() {
			if time.Since(began) > bigJob {
				t.Fatalf("%d batches of %d came", n-before, batches)
			}
			time.Sleep(time.Millisecond)
		}
		held.Store(0)
		hold.Store(true)
		eventually(t, "all shards wait for an answer", func() bool { return held.Load() == 3 })
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := child.Wait(); err == nil {
			t.Fatal("the job ended before it was killed")
		}
		hold.Store(false)
	}
	l := start(t, afero.NewOsFs(), env)
	if code := l.wait(t, bigJob); code != exitcode.OK {
		t.Fatalf("exit code %d:\n%s", code, l.stderr.String())
	}
	s := l.summary(t)
	addsUp(t, s)
	b := s.Backfill
	if len(b.Unknown) != 3*3 || b.BatchesDone != b.Batches || b.Visits != s.Visits.Planned {
		t.Errorf("%d batches are unknown after three kills of three shards, %d of %d are done, %d visits of %d",
			len(b.Unknown), b.BatchesDone, b.Batches, s.Visits.Planned, b.Visits)
	}
	_, visitors := a.seen()
	for id, n := range visitors {
		if n > 1 {
			t.Errorf("visitor %s came in %d requests", id, n)
		}
	}
	listed := 0
	for _, u := range b.Unknown {
		if u.Why != "the job was killed while the batch was in flight" {
			t.Errorf("%+v", u)
		}
		listed += u.Visits
	}
	missing := 0
	for n, id := range visitorIDs(t, env, b.Visits) {
		if visitors[id] > 0 {
			continue
		}
		missing++
		if !a.lost[id] {
			t.Errorf("visit %d was never sent", n)
		}
	}
	if missing != len(a.lost) || uint64(listed) != s.Visits.Uncertain ||
		s.Visits.Complete+s.Visits.Uncertain != b.Visits {
		t.Errorf("%d visits are missing, %d listed; %+v", missing, listed, s.Visits)
	}
	if c := a.Counts().Total; c.Visits != int64(len(visitors)) || c.Visits != c.UniqueVisitors {
		t.Errorf("%d visits of %d visitors, %d sent", c.Visits, c.UniqueVisitors, len(visitors))
	}
	for _, v := range a.Violations() {
		t.Errorf("the sink objects: %s", v)
	}
}

// visitorIDs are the visitors of a job by visit number.
func visitorIDs(t *testing.T, env map[string]string, n uint64) []string {
	t.Helper()
	p, problems := plan.Load(afero.NewOsFs(), env, func(*plan.Plan) (uint64, string) { return 0, "" })
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	out := make([]string, n)
	for i := range out {
		var v visit.Visit
		p.Visits.Outline(uint64(i), &v)
		out[i] = v.ID.String()
	}
	return out
}
