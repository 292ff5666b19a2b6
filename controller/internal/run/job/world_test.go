package job_test

import (
	"context"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/run"
	"github.com/puttrix/trafficinator/controller/internal/run/job"
	"github.com/puttrix/trafficinator/controller/internal/setup"
	"github.com/puttrix/trafficinator/controller/internal/setup/folder"
	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

const token = "0123456789abcdef0123456789abcdef"

// patience bounds every wait.
const patience = 3 * time.Minute

// world is a controller's database and folders, with a runtime whose jobs a test controls.
type world struct {
	*store.Store
	setup    *setup.Service
	exchange string
	fs       afero.Fs

	mu      sync.Mutex
	jobs    map[string]launcher.Status
	starts  map[string]int
	ledgers map[string]runsummary.Summary
	away    bool
	refused error
	// outlive: jobs continue without their controller.
	outlive bool
	// full lets no end be recorded, and refusals counts them.
	full     bool
	refusals int
	// unsaved, where it is set, is why no job can be saved.
	unsaved error
	// hang is what a start waits for, nil for nothing.
	hang chan struct{}
	// late, where it is set, is called after a start has taken effect, and its error is that of the start.
	late func(context.Context) error
}

// SaveJob implements job.Store.
func (w *world) SaveJob(ctx context.Context, j record.Job) error {
	w.mu.Lock()
	unsaved := w.unsaved
	w.mu.Unlock()
	if unsaved != nil {
		return unsaved
	}
	return w.Store.SaveJob(ctx, j)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	fsys, dir := afero.NewOsFs(), t.TempDir()
	s, err := store.Open(t.Context(), fsys, filepath.Join(dir, "test.db"), store.NewKey(), time.Now)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	w := &world{
		Store: s, exchange: filepath.Join(dir, "exchange"), fs: fsys,
		jobs: map[string]launcher.Status{}, starts: map[string]int{}, ledgers: map[string]runsummary.Summary{},
	}
	w.setup = setup.New(s, folder.New(s, fsys, w.exchange), fsys, "", "")
	_, err = w.setup.SaveConfig(t.Context(), map[string]any{
		"MATOMO_URL": "https://m.example.test/matomo.php", "MATOMO_TOKEN_AUTH": token, "TARGET_VISITS_PER_DAY": 100,
	}, 0)
	must(t, err)
	return w
}

// controller is a queue that is watched until it is ended.
func (w *world) controller(t *testing.T) (q *job.Queue, end func()) {
	t.Helper()
	q = job.New(job.Config{
		Runtime: port{w}, Setup: w.setup, Store: w,
		Supervisor:  &run.Supervisor{Repository: w, Ledger: w.ledger, Log: slog.New(slog.DiscardHandler)},
		NewIdentity: run.NewIdentity, Now: time.Now,
	})
	ctx, cancel := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	watching.Go(func() { q.Watch(ctx) })
	end = func() { cancel(); watching.Wait() }
	t.Cleanup(end)
	return q, end
}

func (w *world) ledger(id string) (*runsummary.Summary, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s, there := w.ledgers[id]; there {
		return &s, nil
	}
	return nil, fs.ErrNotExist
}

// setLedger sets the ledger of a job.
func (w *world) setLedger(id, reason string, b runsummary.Backfill) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := runsummary.Summary{RunID: id, PlanHash: "hash", Started: time.Now(), Reason: reason, Backfill: &b}
	if reason != "" {
		s.Ended = time.Now()
	}
	w.ledgers[id] = s
}

// ends ends the life of a job.
func (w *world) ends(id string, code int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.jobs[id]
	s.State, s.ExitCode, s.Ended = launcher.Exited, code, time.Now()
	w.jobs[id] = s
}

// forget loses all processes, as a restart of their controller does.
func (w *world) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.jobs)
}

func (w *world) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

func (w *world) started(id string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.starts[id]
}

// submit queues a backfill of two days.
func submit(t *testing.T, q *job.Queue) string {
	t.Helper()
	j, _, err := q.Run(t.Context(), "two days",
		map[string]any{"DAYS_BACK": 3.0, "BACKFILL_DURATION_DAYS": "2", "SEED": 7.0})
	must(t, err)
	return j.RunID
}

// until waits until a job is as wanted.
func until(t *testing.T, q *job.Queue, id, what string, yes func(job.Job) bool) job.Job {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		j, err := q.Job(t.Context(), id)
		must(t, err)
		if yes(j) {
			return j
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain until %s; last saw %+v", what, j)
		}
	}
}

func is(state string) func(job.Job) bool { return func(j job.Job) bool { return j.State == state } }

func runs(j job.Job) bool { return j.State == job.Running && j.Container.State == launcher.Running }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// port is the world as a runtime.
type port struct{ *world }

func (p port) JobName(id string) string { return "job-" + id }

func (p port) JobsDetached() bool { return p.outlive }

func (p port) Job(id string) launcher.Loadgen { return loadgen{p.world, id} }

func (p port) RemoveJob(_ context.Context, id string) error {
	p.set(func() { delete(p.jobs, id) })
	return nil
}

// loadgen is that of a job in the world.
type loadgen struct {
	*world
	id string
}

func (l loadgen) Status(context.Context) launcher.Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, there := l.jobs[l.id]
	switch {
	case l.away:
		s.State = launcher.Unavailable
	case !there:
		s.State = launcher.Missing
	}
	s.Name = port{l.world}.JobName(l.id)
	return s
}

func (l loadgen) Start(ctx context.Context) error {
	l.mu.Lock()
	hang, late := l.hang, l.late
	l.mu.Unlock()
	if late != nil {
		l.set(func() { l.begin() })
		return late(ctx)
	}
	if hang != nil {
		select {
		case <-hang:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.away:
		return launcher.ErrUnavailable
	case l.refused != nil:
		return l.refused
	}
	l.begin()
	return nil
}

// begin begins a life of a job; the caller holds mu.
func (l loadgen) begin() {
	if l.jobs[l.id].State != launcher.Running {
		l.starts[l.id]++
		l.jobs[l.id] = launcher.Status{State: launcher.Running, ID: "c-" + l.id, Started: time.Now()}
	}
}

func (l loadgen) Stop(_ context.Context, _ time.Duration) error {
	if l.Status(context.Background()).State == launcher.Running {
		l.ends(l.id, 130)
	}
	return nil
}

func (l loadgen) Logs(_ context.Context, q launcher.LogQuery, each func(launcher.Line) error) error {
	line := launcher.Line{Time: time.Now(), Level: launcher.Error, Message: "the target never took anything"}
	if !q.Matches(line) {
		return nil
	}
	return each(line)
}

// EndRun implements run.Repository.
func (w *world) EndRun(ctx context.Context, r record.Run) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.full {
		w.refusals++
		return syscall.ENOSPC
	}
	return w.Store.EndRun(ctx, r)
}
