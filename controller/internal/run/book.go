package run

import (
	"context"

	"github.com/puttrix/trafficinator/controller/internal/store"
)

// Stored is the Book that the database keeps.
type Stored struct{ *store.Store }

var _ Book = Stored{}

// Open implements Book.
func (s Stored) Open(ctx context.Context, r Run) error {
	config := r.Config
	if config == nil {
		config = []byte("{}")
	}
	return s.BeginRun(ctx, store.Run{
		ID: r.ID, Kind: r.Kind, Seed: r.Seed, Config: config, PlanHash: r.PlanHash, Started: r.Started, Note: r.Note, Labels: r.Labels,
	})
}

// Close implements Book.
func (s Stored) Close(ctx context.Context, r Run) error {
	return s.EndRun(ctx, store.Run{ID: r.ID, Kind: r.Kind, Ended: r.Ended, Reason: r.Reason, ExitCode: &r.ExitCode, Summary: r.Summary, Problems: r.Problems})
}

// Last implements Book.
func (s Stored) Last(ctx context.Context) (*Run, error) {
	runs, err := s.Runs(ctx, store.RunQuery{NoJobs: true, Limit: 1})
	if err != nil || len(runs) == 0 {
		return nil, err
	}
	r := runs[0]
	last := &Run{
		ID: r.ID, Kind: r.Kind, Seed: r.Seed, PlanHash: r.PlanHash, Config: r.Config, Started: r.Started, Ended: r.Ended, Reason: r.Reason,
		Summary: r.Summary, Note: r.Note, Labels: r.Labels, Problems: r.Problems,
	}
	if r.ExitCode != nil {
		last.ExitCode = *r.ExitCode
	}
	return last, nil
}
