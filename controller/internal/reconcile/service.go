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
	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/target"
)

// Store is where runs and what was found of them are kept.
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
	// Ledger reads the ledger of a run, see summaries.Reader.
	Ledger func(runID string) (*runsummary.Summary, error)
	// Readers are the saved targets, with the tokens to read with.
	Readers func(ctx context.Context) ([]target.Target, error)
	Log     *slog.Logger
}

// Service runs reconciliations, one at a time for each run, and keeps what they find. It is safe for concurrent use.
type Service struct {
	// Tasks are the reconciliations that go on.
	Tasks *lifecycle.Tasks
	cfg   Config

	mu    sync.Mutex // guards what follows
	going map[string]*going
}

type going struct {
	cancel context.CancelFunc
	latest comparison.Reconciliation
}

// The ways in which a reconciliation cannot begin.
var (
	// ErrNoLedger: the run has none, so that there is nothing to compare with.
	ErrNoLedger = fault.Conflict.New("the run has no ledger to compare with")
	// ErrNoTarget: no saved target has the address that the run sent to.
	ErrNoTarget = fault.Conflict.New("no saved target has an address that the run sent to; save it again with " +
		"a token that may view the site")
)

// New makes a Service.
func New(c Config) *Service {
	return &Service{Tasks: lifecycle.NewTasks("reconciliations"), cfg: c, going: map[string]*going{}}
}

// Start begins a reconciliation of a run, unless one goes on, and returns it as it stands.
func (svc *Service) Start(ctx context.Context, runID string, o Options) (comparison.Reconciliation, error) {
	if _, err := svc.Load(ctx, runID); err != nil {
		return comparison.Reconciliation{}, err
	}
	svc.mu.Lock()
	defer svc.mu.Unlock()
	if g := svc.going[runID]; g != nil {
		return g.latest, nil
	}
	g := &going{
		latest: comparison.Reconciliation{RunID: runID, Began: time.Now().UTC(), State: comparison.ReconcileWaiting,
			Waiting: "the first answer", Targets: []comparison.ReconciledTarget{}}}
	var err error
	g.cancel, err = svc.Tasks.Go(ctx, func(ctx context.Context) { svc.reconcile(ctx, runID, o, g) })
	if err == nil {
		svc.going[runID] = g
	}
	return g.latest, err
}

func (svc *Service) reconcile(ctx context.Context, runID string, o Options, g *going) {
	tell := func(r comparison.Reconciliation) {
		svc.mu.Lock()
		defer svc.mu.Unlock()
		g.latest = r
	}
	out, err := Reconcile(ctx, svc.cfg.Matomo, func(ctx context.Context) (Run, error) {
		return svc.Load(ctx, runID)
	}, o, tell)
	if err != nil {
		svc.cfg.Log.Error("a reconciliation ended", "run_id", runID, "err", err)
	}
	if err == nil && out.State == comparison.ReconcileDone {
		if err := svc.Save(context.WithoutCancel(ctx), out); err != nil {
			svc.cfg.Log.Error("a reconciliation cannot be kept", "run_id", runID, "err", err)
		}
	}
	svc.mu.Lock()
	defer svc.mu.Unlock()
	delete(svc.going, runID)
}

// Save keeps what was found.
func (svc *Service) Save(ctx context.Context, r comparison.Reconciliation) error {
	body, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode reconciliation: %w", err)
	}
	return svc.cfg.Store.SaveFigures(ctx, r.RunID, record.Reconciliation, body)
}

// Status is the reconciliation that goes on, else the one that was kept; its state is none where there is neither. The
// error is fault.NotFound for a run that never began.
func (svc *Service) Status(ctx context.Context, runID string) (comparison.Reconciliation, error) {
	svc.mu.Lock()
	if g := svc.going[runID]; g != nil {
		defer svc.mu.Unlock()
		return g.latest, nil
	}
	svc.mu.Unlock()
	var out comparison.Reconciliation
	body, err := svc.cfg.Store.Figures(ctx, runID, record.Reconciliation)
	if errors.Is(err, fault.NotFound) {
		if _, err := svc.cfg.Store.Run(ctx, runID); err != nil {
			return out, err
		}
		return comparison.Reconciliation{
				RunID:   runID,
				State:   comparison.ReconcileNone,
				Targets: []comparison.ReconciledTarget{},
			},
			nil
	}
	if err != nil {
		return out, err
	}
	if out, err = comparison.DecodeReconciliation(body); err != nil {
		return out, fmt.Errorf("read what is kept of run %s: %w", runID, err)
	}
	return out, nil
}

// Cancel ends a reconciliation that goes on; what it has seen is not kept. One that does not go on is left alone.
func (svc *Service) Cancel(runID string) {
	svc.mu.Lock()
	defer svc.mu.Unlock()
	if g := svc.going[runID]; g != nil {
		g.cancel()
	}
}

// Load gathers what is needed to reconcile a run: its ledger as it stands, and its targets as they are saved. The error
// is fault.NotFound, ErrNoLedger or ErrNoTarget.
func (svc *Service) Load(ctx context.Context, runID string) (Run, error) {
	saved, err := svc.cfg.Store.Run(ctx, runID)
	if err != nil {
		return Run{}, err
	}
	var r Run
	if r.Summary, err = svc.summary(saved); err != nil {
		return r, err
	}
	knobs, _ := saved.Settings() // what is known of them
	r.Dimension, r.Zone = knobs.RunDimension, knobs.Timezone.Location()
	readers, err := svc.cfg.Readers(ctx)
	if err != nil {
		return r, err
	}
	r.Sites = sitesOf(r.Summary.Targets, readers)
	if !slices.ContainsFunc(r.Sites, func(s Site) bool { return s.Error == "" }) {
		return r, ErrNoTarget
	}
	if r.Largest, err = svc.largest(ctx, runID, knobs); err != nil {
		return r, err
	}
	return r, svc.addBefore(ctx, &r)
}

// zoneOf is the site's zone, or the other where that is not known.
func zoneOf(site *matomo.Site, other *time.Location) *time.Location {
	if zone, err := site.Zone(); err == nil {
		return zone.Location()
	}
	return other
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
	case !saved.Open(): // a loadgen that was killed could not tell
		found = summaries.CloseKilled(found, *saved.Ended)
	}
	return *found, nil
}

// largest bounds the orders of a run by its settings and its own funnels; nil where the files of the run were not kept.
func (svc *Service) largest(ctx context.Context, runID string, knobs spec.Spec) (*Order, error) {
	files, err := svc.cfg.Store.KeptFiles(ctx, runID)
	if err != nil || len(files) == 0 {
		return nil, err
	}
	var funnels []funnel.Funnel
	if body, ok := files[exchange.FunnelsFile]; ok {
		var problems problem.List
		if funnels, problems = funnel.Decode(exchange.FunnelsFile, body); problems.Err() != nil {
			return nil, nil // of a version that knew other funnels
		}
	}
	return largestOrder(knobs, funnels), nil
}

// addBefore adds what was there before the run, where somebody looked.
func (svc *Service) addBefore(ctx context.Context, r *Run) error {
	body, err := svc.cfg.Store.Figures(ctx, r.Summary.RunID, record.Baseline)
	if errors.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, &r.Before); err != nil {
		return fmt.Errorf("read what was there before run %s: %w", r.Summary.RunID, err)
	}
	return nil
}
