package run

import (
	"context"

	"github.com/puttrix/trafficinator/controller/internal/setup/folder"
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
		ID: r.ID, Kind: r.Kind, Seed: r.Seed, Config: config, PlanHash: r.PlanHash, Started: r.Started, Note: r.Note,
		Labels: r.Labels,
	})
}

// Close implements Book.
func (s Stored) Close(ctx context.Context, r Run) error {
	return s.EndRun(ctx, store.Run{ID: r.ID, Kind: r.Kind, Ended: r.Ended, Reason: r.Reason, ExitCode: &r.ExitCode,
		Summary: r.Summary, Problems: r.Problems})
}

// Steered implements Book.
func (s Stored) Steered(ctx context.Context, id string) error { return s.MarkSteered(ctx, id) }

// Last implements Book.
func (s Stored) Last(ctx context.Context) (*Run, error) {
	runs, err := s.Runs(ctx, store.RunQuery{NoJobs: true, Limit: 1})
	if err != nil || len(runs) == 0 {
		return nil, err
	}
	last := recorded(runs[0])
	return &last, nil
}

// Unended implements Book.
func (s Stored) Unended(ctx context.Context) ([]Run, error) {
	runs, err := s.Runs(ctx, store.RunQuery{NoJobs: true, Open: true})
	out := make([]Run, len(runs))
	for i, r := range runs {
		out[i] = recorded(r)
	}
	return out, err
}

func recorded(r store.Run) Run {
	out := Run{
		ID: r.ID, Kind: r.Kind, Seed: r.Seed, PlanHash: r.PlanHash, Config: r.Config, Started: r.Started,
		Ended: r.Ended, Reason: r.Reason,
		Summary: r.Summary, Note: r.Note, Labels: r.Labels, Problems: r.Problems, Steered: r.Steered,
	}
	if r.ExitCode != nil {
		out.ExitCode = *r.ExitCode
	}
	return out
}

// Keep implements Book.
func (s Stored) Keep(ctx context.Context, id string, files map[string][]byte) error {
	kept, err := folder.Kept(files)
	if err != nil {
		return err
	}
	return s.KeepFiles(ctx, id, kept)
}

// Kept implements Book.
func (s Stored) Kept(ctx context.Context, id string) (Run, map[string][]byte, error) {
	r, err := s.Run(ctx, id)
	if err != nil {
		return Run{}, nil, err
	}
	files, err := s.KeptFiles(ctx, id)
	return recorded(r), files, err
}
