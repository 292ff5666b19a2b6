package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/api"
	"github.com/puttrix/trafficinator/controller/internal/benchmark"
	"github.com/puttrix/trafficinator/controller/internal/disk"
	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/live"
	"github.com/puttrix/trafficinator/controller/internal/preview"
	"github.com/puttrix/trafficinator/controller/internal/reconcile"
	"github.com/puttrix/trafficinator/controller/internal/reconcile/evidence"
	"github.com/puttrix/trafficinator/controller/internal/run"
	"github.com/puttrix/trafficinator/controller/internal/run/history"
	"github.com/puttrix/trafficinator/controller/internal/run/job"
	"github.com/puttrix/trafficinator/controller/internal/security"
	"github.com/puttrix/trafficinator/controller/internal/setup"
	"github.com/puttrix/trafficinator/controller/internal/setup/folder"
	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/controller/internal/summaries"
	"github.com/puttrix/trafficinator/shared/doctor"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/target"
)

const apiKey, token = "the-key-of-this-test", "0123456789abcdef0123456789abcdef"

// fixture is a whole API on a real database; run, doctor and logs are what a test makes them.
type fixture struct {
	http.Handler
	runs *runs
	// jobs are queued and, because nobody watches them, never begin.
	jobs   *job.Queue
	doctor *examiner
	lines  []launcher.Line
	log    *logged
	guard  *security.Guard
	hub    *live.Hub
	// setup is published in exchange.
	setup *setup.Service
	store *store.Store
	// ledgers are those of runs that go on, by their ids.
	ledgers map[string]string
	// disk is the file system of the exchange folder, and watch knows its faults.
	disk  *faulty
	watch *disk.Monitor
	// outline is the loadgen that checks plans.
	outline outline
	version string
	// db and exchange are paths.
	db, exchange string
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	fsys := afero.NewOsFs()
	dir := t.TempDir()
	f := &fixture{
		runs:    &runs{status: run.Status{Runtime: "process", Loadgen: launcher.Status{State: launcher.Created}}},
		doctor:  &examiner{},
		log:     &logged{},
		version: "9.8.7-of-this-test",
		db:      filepath.Join(dir, "test.db"),
	}
	s, err := store.Open(t.Context(), fsys, f.db, store.NewKey(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	f.store = s
	if err := fsys.MkdirAll(filepath.Join(dir, "exchange"), 0o700); err != nil {
		t.Fatal(err)
	}
	f.exchange = filepath.Join(dir, "exchange")
	f.hub = live.NewHub(time.Now())
	f.disk = &faulty{Fs: fsys}
	f.setup = setup.New(s, folder.New(s, f.disk, f.exchange), fsys, "../../../presets", t.TempDir())
	f.runs.setup = f.setup
	f.watch = disk.NewMonitor(slog.New(slog.DiscardHandler), func([]disk.Fault) {}, s.Probe,
		disk.FolderProbe(f.disk, f.exchange))
	previews := preview.New(f.setup, &f.outline, func() uint64 { return 7 })
	f.jobs = job.New(job.Config{
		Runtime: noJobs{}, Setup: f.setup, Store: s, NewIdentity: run.NewIdentity, Now: time.Now,
		Estimate: previews.EstimateDraft,
		Supervisor: &run.Supervisor{Repository: s, Log: slog.New(slog.DiscardHandler),
			Ledger: func(string) (*runsummary.Summary, error) { return nil, fs.ErrNotExist }},
	})
	f.guard, err = security.New(t.Context(), security.Config{
		Key: apiKey, Hosts: []string{"example.com"}, PerMinute: 1_000_000, Store: s,
		Log: slog.New(slog.DiscardHandler), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	f.Handler = api.New(api.Deps{
		Guard:      f.guard,
		Backup:     s.Backup,
		Setup:      f.setup,
		Hub:        f.hub,
		Runs:       f.runs,
		Jobs:       f.jobs,
		Live:       still{},
		Logs:       f,
		Doctor:     f.doctor,
		Reconciler: f.reconciler(t),
		Benchmarks: f.benchmarks(t),
		Disk:       f.watch,
		History:    history.Reader{Store: s, Ledger: f.ledger, Now: time.Now},
		Preview:    previews,
		Log:        slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Version:    f.version,
		Now:        time.Now,
	}, http.NotFoundHandler())
	return f
}

// reconciler is a real service whose Matomo is unreachable.
func (f *fixture) reconciler(t *testing.T) *reconcile.Service {
	k := reconcile.New(reconcile.Config{
		Matomo: evidence.NewClient(time.Second, target.Environment{}), Store: f.store,
		Readers: f.setup.ReportingTargets, Log: slog.New(slog.DiscardHandler),
		Ledger: func(string) (*runsummary.Summary, error) { return nil, fs.ErrNotExist },
	})
	t.Cleanup(func() { _ = k.Tasks.Stop() })
	return k
}

// benchmarks is a real service whose Matomo is unreachable.
func (f *fixture) benchmarks(t *testing.T) *benchmark.Service {
	k := benchmark.New(benchmark.Config{
		Matomo: benchmark.NewClient(time.Second, target.Environment{}), Store: f.store, Single: f.setup.SingleTarget,
		Targets: f.setup.SavedTargets, Sending: func(context.Context) string { return "" },
		Log: slog.New(slog.DiscardHandler),
	})
	t.Cleanup(func() { _ = k.Tasks.Stop() })
	return k
}

func (f *fixture) ledger(id string) (*runsummary.Summary, error) {
	return summaries.Decode([]byte(f.ledgers[id]))
}

// Logs implements api.Logs.
func (f *fixture) Logs(_ context.Context, q launcher.LogQuery, each func(launcher.Line) error) error {
	lines := slices.DeleteFunc(slices.Clone(f.lines), func(l launcher.Line) bool { return !q.Matches(l) })
	if q.Tail > 0 {
		lines = lines[max(0, len(lines)-q.Tail):]
	}
	for _, l := range lines {
		if err := each(l); err != nil {
			return err
		}
	}
	return nil
}

type reply struct {
	*httptest.ResponseRecorder
}

// object is the answer as JSON.
func (r reply) object(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(r.Body.Bytes(), &v); err != nil {
		t.Fatalf("%d %s: %v", r.Code, r.Body, err)
	}
	return v
}

// ask sends body as JSON with the key; headers are name, value, name, value.
func (f *fixture) ask(method, path, body string, headers ...string) reply {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("X-API-Key", apiKey)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	f.ServeHTTP(rec, r)
	return reply{rec}
}

// outline is a loadgen that outlines one visit of one hit, reports problems and ends with code.
type outline struct {
	problems problem.List
	code     int
	err      error
}

// Plan implements preview.Planner.
func (o *outline) Plan(_ context.Context, files map[string][]byte, args ...string) (launcher.Output, error) {
	if o.err != nil || o.code != 0 || o.problems != nil {
		out := launcher.Output{ExitCode: o.code}
		for _, p := range o.problems {
			out.Stderr = append(out.Stderr, launcher.Line{Problem: &p})
		}
		return out, o.err
	}
	if slices.Contains(args, "--estimate") &&
		bytes.Contains(files[exchange.EnvFile], []byte("BACKFILL_RPS_LIMIT=0.5")) {
		return launcher.Output{Stdout: []byte(`{"end":{"seconds":4000,"by":"BACKFILL_RPS_LIMIT"}}`)}, nil
	}
	if slices.Contains(args, "--estimate") {
		return launcher.Output{Stdout: []byte(`{"sampled_visits":5000,"hits_per_visit":6.25}`)}, nil
	}
	return launcher.Output{
		Stdout: []byte(
			`{"visit":0,"visitor":"a","kind":"pageview","records":"pageview","sent_seconds":0,"recorded_seconds":0,"parameters":{"idsite":"1"}}`,
		),
	}, nil
}

// noJobs is a runtime without jobs.
type noJobs struct{}

func (noJobs) JobName(id string) string                { return "job-" + id }
func (noJobs) JobsDetached() bool                      { return false }
func (noJobs) Job(id string) launcher.Loadgen          { return noJob("job-" + id) }
func (noJobs) RemoveJob(context.Context, string) error { return nil }

type noJob string

func (j noJob) Status(context.Context) launcher.Status {
	return launcher.Status{State: launcher.Missing, Name: string(j)}
}
func (noJob) Start(context.Context) error               { return launcher.ErrMissing }
func (noJob) Stop(context.Context, time.Duration) error { return nil }
func (noJob) Logs(context.Context, launcher.LogQuery, func(launcher.Line) error) error {
	return nil
}

type still struct{}

func (still) Latest() (live.Sample, bool)    { return live.Sample{}, false }
func (still) History(time.Time) []live.Point { return nil }

// runs answers what a test wants and remembers what was asked.
type runs struct {
	status run.Status
	result run.Result
	err    error
	asked  []string
	start  run.Request
	setup  *setup.Service
	// launching is what happens while an apply starts a run: then a draft that cannot be saved is no error, as its run
	// is there.
	launching func()
}

func (r *runs) did(what string) (run.Result, error) {
	r.asked = append(r.asked, what)
	return r.result, r.err
}
func (r *runs) Status() run.Status { return r.status }
func (r *runs) Start(_ context.Context, q run.Request) (run.Result, error) {
	r.start = q
	return r.did("start")
}
func (r *runs) Stop(_ context.Context, how run.StopOptions) (run.Result, error) {
	what := "finish"
	if how.Now {
		what = "stop now"
	}
	return r.did(what + " " + how.Timeout.String())
}
func (r *runs) Restart(_ context.Context, d time.Duration) (run.Result, error) {
	return r.did("restart " + d.String())
}
func (r *runs) Apply(ctx context.Context, d time.Duration, draft *run.Draft) (run.Result, error) {
	var saved *setup.Config
	if r.err == nil && draft != nil {
		if r.launching != nil {
			r.launching()
		}
		c, err := r.setup.SaveConfig(ctx, draft.Config, draft.Revision)
		if err != nil && r.launching == nil {
			return run.Result{}, err
		} else if err == nil {
			saved = &c
		}
	}
	result, err := r.did("apply " + d.String())
	result.Saved = saved
	return result, err
}
func (r *runs) Heal(context.Context) (run.Result, error) { return r.did("heal") }
func (r *runs) Rerun(_ context.Context, id string, q run.Request) (run.Result, error) {
	r.start = q
	return r.did("rerun " + id)
}
func (r *runs) Steer(_ context.Context, paused *bool, scale *float64) (exchange.Control, error) {
	c := exchange.NoOverride("r1")
	if paused != nil {
		c.Paused = *paused
	}
	if scale != nil {
		c.Scale = *scale
	}
	_, err := r.did("steer")
	return c, err
}

type examiner struct {
	mu       sync.Mutex
	asked    []target.Target
	expected []doctor.Expectation
	probes   []target.Target
	unseen   error
}

// Examine implements api.Doctor.
func (d *examiner) Diagnose(_ context.Context, t target.Target, e doctor.Expectation) doctor.Diagnosis {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked, d.expected = append(d.asked, t), append(d.expected, e)
	return doctor.Diagnosis{Works: true, Reachable: true, Status: 204, Findings: []doctor.Finding{}}
}

// Probe implements api.Doctor.
func (d *examiner) Probe(_ context.Context, t target.Target, _ doctor.Expectation) (doctor.Probe, error) {
	d.probes = append(d.probes, t)
	return doctor.Probe{
		Visitor: "0123456789abcdef", Lag: 1500 * time.Millisecond,
		Stored: doctor.Visit{IP: "90.224.0.0", Country: "se"},
		Findings: []doctor.Finding{{Check: "probe", Verdict: doctor.Error, Message: "the order is recorded as a page",
			Cure: "activate the plugin Ecommerce"}},
	}, d.unseen
}

// logged is what the controller logs.
type logged struct {
	mu sync.Mutex
	bytes.Buffer
}

// Write implements io.Writer.
func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}
