package run

import (
	"context"

	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// Rerun starts a recorded run again: with its very files, its seed and a new id. The request's overrides do not count;
// labels that it leaves out are those of the recorded run. Errors: fault.NotFound, ErrNoFiles, ErrJob,
// *plan.MissingSecrets, *folder.Conflict and those of Start.
func (m *Manager) Rerun(ctx context.Context, id string, q Request) (Result, error) {
	ctx, end, err := m.begin(ctx, "rerun", q.finishTimeout())
	if err != nil {
		return Result{}, err
	}
	defer end()
	before, err := m.c.Repository.Run(ctx, id)
	if err != nil {
		return Result{}, err
	}
	files, err := m.c.Repository.KeptFiles(ctx, id)
	switch {
	case err != nil:
		return Result{}, err
	case before.Kind == runsummary.BackfillJob:
		return Result{}, ErrJob
	case len(files) == 0:
		return Result{}, ErrNoFiles
	}
	if r, runs, err := m.inProgress(ctx); (runs || err != nil) && !q.RestartIfRunning {
		return r, err
	}
	if q.Note == "" {
		q.Note = "rerun of " + id
	}
	if q.Labels == nil {
		q.Labels = before.Labels
	}
	warnings, err := m.launch(ctx, q, func(ctx context.Context) (Identity, error) {
		again := Identity{ID: m.c.NewIdentity().ID, Seed: before.Seed}
		return again, m.c.Publisher.PublishRerun(ctx, files, again)
	})
	return m.started(ctx, warnings, err)
}

// Steer pauses the run that goes on, lets it go on, or scales its rate; nil leaves a thing as it is. The loadgen
// follows within about a second. The error is ErrNothingRuns where none goes on.
func (m *Manager) Steer(ctx context.Context, paused *bool, scale *float64) (exchange.Control, error) {
	st := m.Status()
	if !st.Active() {
		return exchange.Control{}, ErrNothingRuns
	}
	c, err := m.steer(st.Run.ID, func(c *exchange.Control) {
		if paused != nil {
			c.Paused = *paused
		}
		if scale != nil {
			c.Scale = *scale
		}
	})
	if err != nil {
		return exchange.Control{}, err
	}
	m.c.Log.InfoContext(ctx, "run steered", "run_id", c.RunID, "paused", c.Paused, "scale", c.Scale)
	return c, nil
}
