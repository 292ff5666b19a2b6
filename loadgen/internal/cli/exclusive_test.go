package cli

import (
	"errors"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/sink"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/statedir"
)

// Two that send the same visits would make each of them twice, and one that closes the ledger of the other would lose
// hits.
func TestOneLoadgenAtATimeSendsARun(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]map[string]string{
		"live": {"STOP_AFTER_VISITS": "100000"},
		"capacity": {"CAPACITY_SEARCH": "true", "STOP_AFTER_VISITS": "0", "CAPACITY_STEP": "600",
			"THRESHOLDS": "p95<9999s"},
		"bulk": {"SEND_MODE": "bulk", "STOP_AFTER_VISITS": "100000"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fsys, m, other := afero.NewOsFs(), newMatomo(t, sink.Config{}, nil), newMatomo(t, sink.Config{}, nil)
			env := settings(m, kind)
			env["RUN_ID"], env["STATE_DIR"], env["SUMMARY_FILE"] = "dup", filepath.Join(t.TempDir(), "state"),
				filepath.Join(t.TempDir(), "s.json")
			first := start(t, fsys, env)
			eventually(t, "the first sends", func() bool { hits, _ := m.seen(); return hits > 0 })
			again := settings(other,
				map[string]string{"RUN_ID": "dup", "STATE_DIR": env["STATE_DIR"], "SUMMARY_FILE": env["SUMMARY_FILE"]})
			refused(
				t,
				start(t, fsys, again),
				`RUN_ID="dup": another loadgen is sending this run with the same STATE_DIR; wait until it has ended, or choose another RUN_ID`,
			)

			again["RUN_ID"], again["STOP_AFTER_VISITS"] = "other", "5"
			another := start(t, fsys, again)
			another.wait(t, patience)
			if s := storedSummary(
				t,
				fsys,
				env["STATE_DIR"],
				"dup",
			); !s.Ended.IsZero() ||
				another.stderr.has("was killed") {
				t.Errorf("a run that is alive was closed as %q:\n%s", s.Reason, another.stderr.String())
			}
			first.signals <- syscall.SIGTERM
			first.ends(t, exitcode.Interrupted)
			s := first.summary(t)
			addsUp(t, s)
			recorded(t, s, m)
		})
	}
}

func TestOneLoadgenAtATimeSendsABackfill(t *testing.T) {
	t.Parallel()
	a := newArchive(t, "CET", time.Now)
	env := pastSettings(a, map[string]string{
		"STATE_DIR": filepath.Join(t.TempDir(), "state"), "SUMMARY_FILE": filepath.Join(t.TempDir(), "s.json"),
		"BULK_SIZE": "10", "BACKFILL_RPS_LIMIT": "1",
	})
	first := start(t, afero.NewOsFs(), env)
	eventually(t, "the first sends", func() bool { batches, _ := a.seen(); return batches > 0 })
	refused(
		t,
		start(t, afero.NewOsFs(), env),
		`RUN_ID="past": another loadgen is sending this run with the same STATE_DIR; wait until it has ended, or choose another RUN_ID`,
	)
	first.signals <- syscall.SIGTERM
	first.ends(t, exitcode.Interrupted)
}

// A start that comes again, as after `docker compose down` and `up`, sends nothing again.
func TestStartIsExecutedOnce(t *testing.T) {
	t.Parallel()
	m, fsys := newMatomo(t, sink.Config{}, nil), afero.NewMemMapFs()
	env := settings(m, map[string]string{"STATE_DIR": "/state", "RUN_ID": "once", "START_ID": "s1",
		"STOP_AFTER_VISITS": "5", "TELEMETRY_ADDR": "127.0.0.1:0"})
	start(t, fsys, env).wait(t, patience)
	before, _ := m.seen()
	env["STOP_AFTER_VISITS"] = "10"
	again := start(t, fsys, env)
	addr := address(t, again)
	if health := get(t, "http://"+addr+"/healthz"); !strings.Contains(health, `"phase":"idle"`) {
		t.Errorf("it is not idle: %s", health)
	}
	if !again.stderr.has("idle: this start was already executed") {
		t.Errorf("the log printed\n%s", again.stderr.String())
	}
	again.signals <- syscall.SIGTERM
	again.ends(t, exitcode.OK)
	if hits, _ := m.seen(); hits != before {
		t.Errorf("%d hits came that were not requested", hits-before)
	}
	env["START_ID"] = "s2"
	third := start(t, fsys, env)
	third.wait(t, patience)
	if s := third.summary(t); s.FirstVisit != 5 || s.Visits.Planned != 5 {
		t.Errorf("a second start sent %d visits from %d on", s.Visits.Planned, s.FirstVisit)
	}
}

func TestLedgerOfADeletedRunIsRemoved(t *testing.T) {
	t.Parallel()
	m, fsys := newMatomo(t, sink.Config{}, nil), withExchange(t)
	env := settings(m, map[string]string{"STATE_DIR": "/state", "EXCHANGE_DIR": "/x", "STOP_AFTER_VISITS": "3"})
	for _, id := range []string{"gone", "stays"} {
		env["RUN_ID"] = id
		start(t, fsys, env).wait(t, patience)
	}
	list, err := exchange.DeletedRuns{Runs: map[string]time.Time{"gone": time.Now()}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	write(t, fsys, "/x/deleted.json", string(list))
	env["RUN_ID"] = "next"
	start(t, fsys, env).wait(t, patience)
	if _, err := statedir.Find(fsys, "/state", "gone"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the ledger of the deleted run is there: %v", err)
	}
	storedSummary(t, fsys, "/state", "stays")
	write(t, fsys, "/x/deleted.json", "[")
	l := start(t, fsys, env)
	l.wait(t, patience)
	if !l.stderr.has("cannot remove the ledgers of deleted runs") {
		t.Errorf("an unreadable list is not logged:\n%s", l.stderr.String())
	}
}

// slow is a disk on which a run takes its place only once it may.
type slow struct {
	afero.Fs
	may chan struct{}
}

func (s slow) OpenFile(name string, flag int, mode fs.FileMode) (afero.File, error) {
	if strings.HasSuffix(name, ".lock") {
		<-s.may
	}
	return s.Fs.OpenFile(name, flag, mode)
}

// The controller gives up on a silent loadgen.
func TestPhaseIsStartingBeforeTheStateFolderIsRead(t *testing.T) {
	t.Parallel()
	m, disk := newMatomo(t, sink.Config{}, nil), slow{afero.NewMemMapFs(), make(chan struct{})}
	l := start(t, disk, settings(m, map[string]string{"STATE_DIR": "/state", "RUN_ID": "slow", "STOP_AFTER_VISITS": "3",
		"TELEMETRY_ADDR": "127.0.0.1:0"}))
	addr := address(t, l)
	health, metrics := get(t, "http://"+addr+"/healthz"), get(t, "http://"+addr+"/metrics")
	close(disk.may)
	if !strings.Contains(health, `"phase":"starting","run_id":"slow"`) ||
		!strings.Contains(metrics, `trafficinator_phase{phase="starting"} 1`) {
		t.Errorf("it printed %s\n%s", health, metrics)
	}
	l.wait(t, patience)
	recorded(t, l.summary(t), m)
}

// Two containers with one start: the second looks before the first has made it, and has the run's place once that has
// ended.
func TestConcurrentStartIsExecutedOnce(t *testing.T) {
	t.Parallel()
	m, fsys := newMatomo(t, sink.Config{}, nil), afero.NewMemMapFs()
	disk := slow{fsys, make(chan struct{})}
	env := settings(m, map[string]string{"STATE_DIR": "/state", "RUN_ID": "once", "START_ID": "s1",
		"STOP_AFTER_VISITS": "5"})
	first := maps.Clone(env)
	env["TELEMETRY_ADDR"] = "127.0.0.1:0"
	second := start(t, disk, env)
	addr := address(t, second)
	start(t, fsys, first).wait(t, patience)
	before, _ := m.seen()
	close(disk.may)
	eventually(t, "the second is idle", func() bool {
		return strings.Contains(get(t, "http://"+addr+"/healthz"), `"phase":"idle"`)
	})
	if _, err := fsys.Stat("/state/once.lock"); !errors.Is(err, fs.ErrNotExist) ||
		!second.stderr.has("idle: this start was already executed") {
		t.Errorf("its lock is %v, and the log is\n%s", err, second.stderr.String())
	}
	second.signals <- syscall.SIGTERM
	second.ends(t, exitcode.OK)
	if hits, _ := m.seen(); hits != before || hits == 0 {
		t.Errorf("%d hits came, and then %d that were not requested", before, hits-before)
	}
}

// startWithoutClock is a loadgen at addr whose target is being asked for its clock and keeps it back until answer.
func startWithoutClock(t *testing.T, more map[string]string) (l *loadgen, addr string, answer func()) {
	m, asked, may := newMatomo(t, sink.Config{}, nil), make(chan struct{}, 1), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodOptions {
			asked <- struct{}{}
			<-may
		}
		m.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	env := settings(m, map[string]string{
		"MATOMO_URL": server.URL + "/matomo.php", "TELEMETRY_ADDR": "127.0.0.1:0", "REQUEST_TIMEOUT": "30",
	})
	maps.Copy(env, more)
	l = start(t, afero.NewMemMapFs(), env)
	addr = address(t, l)
	<-asked
	return l, addr, func() { close(may) }
}

// To the controller, an idle loadgen was started without a start of the run.
func TestPhaseIsStartingWhileReadingClocks(t *testing.T) {
	t.Parallel()
	l, addr, answer := startWithoutClock(t, map[string]string{"STOP_AFTER_VISITS": "3"})
	health := get(t, "http://"+addr+"/healthz")
	answer()
	if strings.Contains(health, `"phase":"idle"`) {
		t.Errorf("it printed %s", health)
	}
	l.wait(t, patience)
}

func TestCapacitySearchStartsAfterReadingClocks(t *testing.T) {
	t.Parallel()
	l, addr, answer := startWithoutClock(t, map[string]string{
		"STOP_AFTER_VISITS": "0", "CAPACITY_SEARCH": "true", "CAPACITY_STEP": "600", "THRESHOLDS": "p95<9999s",
	})
	status := get(t, "http://"+addr+"/status")
	l.signals <- syscall.SIGTERM
	answer()
	if strings.Contains(status, `"under_way"`) || !strings.Contains(status, `"kind":"capacity"`) {
		t.Errorf("it printed %s", status)
	}
	l.wait(t, patience)
}
