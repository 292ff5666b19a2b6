package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/fault"
	"github.com/puttrix/trafficinator/controller/internal/reconcile/comparison"
	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/summaries"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/lifecycle"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/target"
)

// Store stores runs and their figures.
type Store interface {
	Run(ctx context.Context, id string) (record.Run, error)
	SaveFigures(ctx context.Context, runID string, kind record.Document, body json.RawMessage) error
	Figures(ctx context.Context, runID string, kind record.Document) (json.RawMessage, error)
	KeptFiles(ctx context.Context, runID string) (map[string][]byte, error)
}

// Config of a Service.
type Config struct {
	Matomo Matomo
	Store  Store
	// Ledger reads the summary of a run, see summaries.Reader.
	Ledger func(runID string) (*runsummary.Summary, error)
	// Readers returns the saved targets, with their tokens for reading.
	Readers func(ctx context.Context) ([]target.Target, error)
	Log     *slog.Logger
}

// Service runs reconciliations, one at a time for each run, and stores their results. It is safe for concurrent use.
type Service struct {
	// Tasks runs the reconciliations.
	Tasks *lifecycle.Tasks
	cfg   Config

	mu      sync.Mutex // guards the following
	running map[string]*task
}

type task struct {
	cancel context.CancelFunc
	latest comparison.Reconciliation
}

// The errors of Start.
var (
	// ErrNoLedger: the run has no summary.
	ErrNoLedger = fault.Conflict.New("the run has no summary to compare with")
	// ErrNoTarget: no saved target has an address that the run sent to.
	ErrNoTarget = fault.Conflict.New("no saved target has an address that the run sent to; save one with a token " +
		"that can view the site")
)

// New returns a Service.
func New(c Config) *Service {
	return &Service{Tasks: lifecycle.NewTasks("reconciliations"), cfg: c, running: map[string]*task{}}
}

// Start starts a reconciliation of a run, unless one is in progress, and returns its state.
func (svc *Service) Start(ctx context.Context, runID string, o Options) (comparison.Reconciliation, error) {
	if _, err := svc.Load(ctx, runID); err != nil {
		return comparison.Reconciliation{}, err
	}
	svc.mu.Lock()
	defer svc.mu.Unlock()
	if t := svc.running[runID]; t != nil {
		return t.latest, nil
	}
	t := &task{latest: comparison.Reconciliation{RunID: runID, Began: time.Now().UTC(),
		State: comparison.ReconcileWaiting, Waiting: "the first response", Targets: []comparison.ReconciledTarget{}}}
	var err error
	t.cancel, err = svc.Tasks.Go(ctx, func(ctx context.Context) { svc.reconcile(ctx, runID, o, t) })
	if err == nil {
		svc.running[runID] = t
	}
	return t.latest, err
}

func (svc *Service) reconcile(ctx context.Context, runID string, o Options, t *task) {
	load := func(ctx context.Context) (Run, error) { return svc.Load(ctx, runID) }
	out, err := Reconcile(ctx, svc.cfg.Matomo, load, o, func(r comparison.Reconciliation) {
		svc.mu.Lock()
		defer svc.mu.Unlock()
		t.latest = r
	})
	if err == nil && out.State == comparison.ReconcileDone {
		err = svc.Save(context.WithoutCancel(ctx), out)
	}
	if err != nil {
		svc.cfg.Log.Error("a reconciliation failed", "run_id", runID, "err", err)
	}
	svc.mu.Lock()
	defer svc.mu.Unlock()
	delete(svc.running, runID)
}

// Save stores a reconciliation.
func (svc *Service) Save(ctx context.Context, r comparison.Reconciliation) error {
	body, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode reconciliation: %w", err)
	}
	return svc.cfg.Store.SaveFigures(ctx, r.RunID, record.Reconciliation, body)
}

// Status returns the reconciliation in progress or else the last result; its state is none if there is neither. The
// error is fault.NotFound for an unknown run.
func (svc *Service) Status(ctx context.Context, runID string) (out comparison.Reconciliation, err error) {
	svc.mu.Lock()
	if t := svc.running[runID]; t != nil {
		defer svc.mu.Unlock()
		return t.latest, nil
	}
	svc.mu.Unlock()
	body, err := svc.cfg.Store.Figures(ctx, runID, record.Reconciliation)
	if errors.Is(err, fault.NotFound) {
		if _, err := svc.cfg.Store.Run(ctx, runID); err != nil {
			return out, err
		}
		return comparison.Reconciliation{RunID: runID, State: comparison.ReconcileNone,
			Targets: []comparison.ReconciledTarget{}}, nil
	}
	if err == nil {
		out, err = comparison.DecodeReconciliation(body)
	}
	if err != nil {
		return out, fmt.Errorf("read reconciliation of run %s: %w", runID, err)
	}
	return out, nil
}

// Cancel ends a reconciliation in progress without a result.
func (svc *Service) Cancel(runID string) {
	svc.mu.Lock()
	defer svc.mu.Unlock()
	if t := svc.running[runID]; t != nil {
		t.cancel()
	}
}

// Load loads a run with its summary and its sites as they are saved. The error is fault.NotFound, ErrNoLedger or
// ErrNoTarget.
func (svc *Service) Load(ctx context.Context, runID string) (Run, error) {
	saved, err := svc.cfg.Store.Run(ctx, runID)
	if err != nil {
		return Run{}, err
	}
	var r Run
	if r.Summary, err = svc.summary(saved); err != nil {
		return r, err
	}
	settings, _ := saved.Settings() // as far as they are known
	r.Dimension, r.Zone = settings.RunDimension, settings.Timezone.Location()
	readers, err := svc.cfg.Readers(ctx)
	if err != nil {
		return r, err
	}
	r.Sites = sitesOf(r.Summary.Targets, readers)
	if !slices.ContainsFunc(r.Sites, func(s Site) bool { return s.Error == "" }) {
		return r, ErrNoTarget
	}
	if r.Largest, err = svc.largest(ctx, runID, settings); err != nil {
		return r, err
	}
	body, err := svc.cfg.Store.Figures(ctx, runID, record.Baseline)
	switch {
	case errors.Is(err, fault.NotFound):
		return r, nil
	case err == nil:
		err = json.Unmarshal(body, &r.Before)
	}
	if err != nil {
		return r, fmt.Errorf("read baseline of run %s: %w", runID, err)
	}
	return r, nil
}

func (svc *Service) summary(saved record.Run) (s runsummary.Summary, err error) {
	found := saved.Summary
	if found == nil {
		found, err = svc.cfg.Ledger(saved.ID)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s, ErrNoLedger
	case err != nil:
		return s, err
	case !saved.Open(): // a loadgen that was killed did not write the end
		found = summaries.CloseKilled(found, *saved.Ended)
	}
	return *found, nil
}

// largest returns an upper bound for the orders of a run, or nil if its files were not kept.
func (svc *Service) largest(ctx context.Context, runID string, settings spec.Spec) (*Order, error) {
	files, err := svc.cfg.Store.KeptFiles(ctx, runID)
	if err != nil || len(files) == 0 {
		return nil, err
	}
	var funnels []funnel.Funnel
	if body, ok := files[exchange.FunnelsFile]; ok {
		var problems problem.List
		if funnels, problems = funnel.Decode(exchange.FunnelsFile, body); problems.Err() != nil {
			return nil, nil // of a version with other funnels
		}
	}
	return largestOrder(settings, funnels), nil
}
