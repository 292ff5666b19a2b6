package run_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/run"
	"github.com/puttrix/trafficinator/controller/internal/setup"
	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/controller/internal/summaries"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/phase"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/status"
)

// world is a loadgen, an exchange folder and a book, all in memory.
type world struct {
	mu sync.Mutex
	// status is that of the loadgen, plan its /status, log its log.
	status launcher.Status
	plan   status.Snapshot
	log    []launcher.Line
	// saved is what a person saved; files what is published, env among them.
	saved, files map[string]string
	// save is what saving a draft comes to.
	save         func() error
	ledgers      map[string]string
	book         map[string]record.Run
	order        []string
	starts       int
	startErr     error
	stopErr      error
	steerErr     error         // control.json cannot be written
	idleErr      error         // loadgen.env cannot be written by a stop
	hold         chan struct{} // a stop waits for it, nil: none does
	startHold    chan struct{} // a start and a heal wait for it, nil: none does
	stuck        chan struct{} // a start waits for it whoever interrupts it, nil: none does
	publishedErr error         // what was published for a start cannot be read
	// the next look gets no answer from the loadgen, and only when it is closed; nil: each gets one
	dying    chan struct{}
	busy     bool          // a stop takes all the time it has
	fixed    string        // the id that the settings fix
	deaf     bool          // the loadgen does not look at control.json
	open     uint64        // visits that are open
	take     time.Duration // how long those take to end
	life     int           // of the loadgen, and of how long it has to finish
	statuses []run.Status
	kept     map[string]map[string][]byte
	control  exchange.Control
	bookErr  error  // nothing can be recorded
	started  string // START_ID of the start that was made last
	drawn    int    // START_IDs
}

func newWorld() *world {
	return &world{
		status: launcher.Status{State: launcher.Exited}, saved: map[string]string{}, files: map[string]string{},
		ledgers: map[string]string{}, book: map[string]record.Run{}, kept: map[string]map[string][]byte{},
	}
}

// The port.

func (w *world) Name() string { return "process" }

func (w *world) Status(context.Context) launcher.Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.status
}

func (w *world) Start(ctx context.Context) error {
	if w.stuck != nil {
		<-w.stuck
	}
	if err := held(ctx, w.startHold); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.life++
	if w.startErr != nil {
		return w.startErr
	}
	w.starts++
	w.log = nil
	w.status = launcher.Status{State: launcher.Running, Telemetry: "here", Started: time.Now()}
	id := w.files["RUN_ID"]
	again := w.files["START_ID"] == w.started
	w.started = w.files["START_ID"]
	switch {
	case w.files["AUTO_START"] != "true":
		w.plan = snapshot("idle", "drawn", "idle")
	case again:
		w.plan = snapshot("idle", id, "idle")
	case w.files["WHAT"] == "bad":
		w.status, w.plan = launcher.Status{State: launcher.Exited, ExitCode: 2, Ended: time.Now()}, status.Snapshot{}
		w.log = []launcher.Line{errorLine(`CONCURRENCY="0": is below 1; use 1 or more`), {Text: "the table"}}
	case w.files["WHAT"] == "missed":
		w.status = launcher.Status{State: launcher.Exited, ExitCode: 4, Started: time.Now(),
			Ended: time.Now().Add(time.Millisecond)}
		w.ledgers[id] = ledger("missed", "stop_after_visits", w.status.Ended)
		w.log = []launcher.Line{{Text: "the table"}, errorLine(`msg="threshold failed: p95<1ms"`)}
	case w.files["WHAT"] == "short":
		w.status = launcher.Status{State: launcher.Exited, Started: time.Now(), Ended: time.Now().Add(time.Millisecond)}
		w.ledgers[id] = ledger("short", "stop_after_visits", w.status.Ended)
	case w.files["WHAT"] == "without memory":
		w.status = launcher.Status{State: launcher.Exited, ExitCode: 137, Ended: time.Now(),
			Reason: "it was killed because memory ran out"}
		w.log = []launcher.Line{{Level: launcher.Info, Text: "msg=settings", Message: "msg=settings"}}
	case w.files["WHAT"] == "restarting": // somebody gave the container a restart policy
		w.status.State, w.status.ExitCode = launcher.Restarting, 2
		w.log = []launcher.Line{errorLine(`PAGEVIEWS_MIN="-5": is below 1; use 1 or more`)}
	case w.files["WHAT"] == "unreachable":
		w.status.Telemetry, w.plan = "", status.Snapshot{}
		w.ledgers[id] = fmt.Sprintf(`{"run_id":%q,"plan_hash":"hash by ledger","started":%q}`, id,
			time.Now().Format(time.RFC3339Nano))
	case w.files["WHAT"] == "silent":
		w.plan = status.Snapshot{}
	case w.files["WHAT"] == "slow":
		w.plan = snapshot("hash of slow", id, "starting")
		time.AfterFunc(time.Minute, func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.plan.Phase = "running"
		})
	default:
		w.plan = snapshot("hash of "+w.files["WHAT"], id, "running")
	}
	return nil
}

func snapshot(hash, id string, p phase.Phase) status.Snapshot {
	return status.Snapshot{Phase: p, Run: runsummary.Summary{RunID: id, PlanHash: hash}}
}

func errorLine(message string) launcher.Line {
	return launcher.Line{Level: launcher.Error, Text: "level=ERROR " + message, Message: message}
}

func ledger(hash, reason string, ended time.Time) string {
	return fmt.Sprintf(`{"plan_hash":%q,"reason":%q,"ended":%q}`, hash, reason, ended.Format(time.RFC3339Nano))
}

// held waits for hold, unless it is nil.
func held(ctx context.Context, hold <-chan struct{}) error {
	if hold == nil {
		return nil
	}
	select {
	case <-hold:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// follow is what the loadgen makes of control.json; the caller holds the lock.
func (w *world) follow(c exchange.Control) {
	if w.control = c; w.deaf || w.status.State != launcher.Running || c.RunID != w.plan.Run.RunID ||
		c.FinishSeconds == 0 {
		return
	}
	within := time.Duration(c.FinishSeconds * float64(time.Second))
	w.life++
	life := w.life
	w.plan.Phase, w.plan.Run.OpenVisits, w.plan.Run.FinishBy = "draining", w.open, time.Now().Add(within)
	if w.take < 0 {
		return // it never ends
	}
	time.AfterFunc(min(w.take, within), func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.life != life {
			return
		}
		if w.take <= within {
			w.open = 0
		}
		w.end(0, "stopped")
	})
}

func (w *world) Stop(ctx context.Context, timeout time.Duration) error {
	if w.busy {
		select {
		case <-time.After(timeout):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := held(ctx, w.hold); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopErr != nil {
		return w.stopErr
	}
	if w.status.State == launcher.Running || w.status.State == launcher.Restarting {
		w.end(130, "interrupted")
	}
	return nil
}

// end ends the loadgen; without a reason it leaves no ledger.
func (w *world) end(code int, reason string) {
	w.status = launcher.Status{State: launcher.Exited, ExitCode: code, Started: w.status.Started, Ended: time.Now()}
	if id := w.plan.Run.RunID; reason != "" && w.plan.Phase != "idle" {
		w.ledgers[id] = strings.TrimSuffix(ledger(w.plan.Run.PlanHash, reason, time.Now()), "}") +
			fmt.Sprintf(`,"cut_visits":%d}`, w.open)
	}
	w.life++
	w.plan, w.open = status.Snapshot{}, 0
}

func (w *world) Heal(ctx context.Context) (string, error) {
	if !w.Status(ctx).Healable {
		return "", launcher.ErrNothingToHeal
	}
	return "recreated", w.Start(ctx)
}

func (w *world) Logs(_ context.Context, q launcher.LogQuery, each func(launcher.Line) error) error {
	for _, line := range w.log {
		line.Time = time.Now()
		if err := each(line); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) Plan(context.Context, map[string][]byte, ...string) (launcher.Output, error) {
	return launcher.Output{}, errors.New("a run needs no outline")
}

func (w *world) Close(context.Context, time.Duration) error { return nil }

// The publisher.

type publisher struct{ *world }

func (p publisher) Start(_ context.Context, overrides map[string]any, drawn run.Identity) (run.Identity, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.saved["WHAT"] == "unpublishable" || overrides["WHAT"] == "unpublishable" {
		return run.Identity{}, errors.New("CONCURRENCY is wrong")
	}
	p.files = maps.Clone(p.saved)
	for key, v := range overrides {
		if v != nil {
			p.files[key] = fmt.Sprint(v)
		}
	}
	if p.fixed != "" {
		drawn.ID = p.fixed
	}
	p.files["RUN_ID"], p.files["AUTO_START"] = drawn.ID, "true"
	p.startID()
	return drawn, nil
}

func (p publisher) Stop(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.idleErr != nil {
		return p.idleErr
	}
	p.files["AUTO_START"] = "false"
	return nil
}

func (p publisher) Publish(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	keep := p.files["AUTO_START"]
	p.files = maps.Clone(p.saved)
	p.files["AUTO_START"] = keep
	return nil
}

func (p publisher) SaveConfig(context.Context, map[string]any, int64) (setup.Config, error) {
	return setup.Config{}, p.save()
}

func (p publisher) Published(context.Context) (map[string][]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.publishedErr != nil && p.files["AUTO_START"] == "true" {
		return nil, p.publishedErr
	}
	out := map[string][]byte{}
	for m, v := range p.files {
		out[m] = []byte(v)
	}
	return out, nil
}

func (p publisher) Restore(_ context.Context, files map[string][]byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.files = map[string]string{}
	for m, v := range files {
		p.files[m] = string(v)
	}
	p.startID()
	return nil
}

// startID draws one; the caller holds mu.
func (p publisher) startID() {
	p.drawn++
	p.files["START_ID"] = fmt.Sprint(p.drawn)
}

func (p publisher) StartAgain(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.startID()
	return nil
}

func (p publisher) PublishRerun(_ context.Context, kept map[string][]byte, id run.Identity) error {
	if _, lost := kept["LOST"]; lost {
		return &plan.MissingSecrets{}
	}
	_ = p.Restore(context.Background(), kept) // memory
	p.mu.Lock()
	defer p.mu.Unlock()
	p.files["RUN_ID"], p.files["SEED"], p.files["AUTO_START"] = id.ID, fmt.Sprint(id.Seed), "true"
	return nil
}

func (p publisher) Steer(c exchange.Control) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.steerErr != nil {
		return p.steerErr
	}
	p.follow(c)
	return nil
}

func (p publisher) Steering(id string) exchange.Control {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.control.RunID == id {
		return p.control
	}
	return exchange.NoOverride(id)
}

// control makes a Manager of the world whose ids are r1, r2 and so on.
func control(t *testing.T, w *world) *run.Manager {
	t.Helper()
	n := 0
	m, err := run.New(t.Context(), run.Config{
		Runtime: w, Publisher: publisher{w},
		Supervisor: &run.Supervisor{
			Repository: w, Log: slog.New(slog.DiscardHandler),
			Ledger: func(id string) (*runsummary.Summary, error) { return summaries.Decode([]byte(w.ledgers[id])) },
		},
		Probe: func(context.Context, string) (*status.Snapshot, error) {
			w.mu.Lock()
			plan, dying := w.plan, w.dying
			w.dying = nil
			w.mu.Unlock()
			if dying != nil {
				<-dying
				return nil, errors.New("connection reset")
			}
			return &plan, nil
		},
		NewIdentity: func() run.Identity { n++; return run.Identity{ID: fmt.Sprintf("r%d", n), Seed: uint64(n)} },
		OnChange:    func(s run.Status) { w.statuses = append(w.statuses, s) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}
