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
	return s.BeginRun(ctx, store.Run{ID: r.ID, Kind: "live", Seed: r.Seed, Config: config, PlanHash: r.PlanHash, Started: r.Started})
}

// Close implements Book.
func (s Stored) Close(ctx context.Context, r Run) error {
	return s.EndRun(ctx, r.ID, r.Ended, r.Reason, r.Summary)
}

// Last implements Book.
func (s Stored) Last(ctx context.Context) (*Run, error) {
	runs, err := s.Runs(ctx, 0, 1)
	if err != nil || len(runs) == 0 {
		return nil, err
	}
	r := runs[0]
	return &Run{
		ID: r.ID, Seed: r.Seed, PlanHash: r.PlanHash, Config: r.Config, Started: r.Started, Ended: r.Ended, Reason: r.Reason, Summary: r.Summary,
	}, nil
}
