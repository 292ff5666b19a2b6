// Package history reads recorded runs, to print, compare and export them. It changes nothing, except that a Purger
// removes deleted runs, and does not know HTTP.
package history

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/run/compare"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// Store stores runs, see store.Store.
type Store interface {
	Run(ctx context.Context, id string) (record.Run, error)
	Runs(ctx context.Context, q record.Query) ([]record.Run, error)
	CountRuns(ctx context.Context, q record.Query) (int, error)
	Labels(ctx context.Context) ([]string, error)
	DescribeRun(ctx context.Context, id string, note *string, labels []string) error
	DeleteRun(ctx context.Context, id string, alive bool) error
	RestoreRun(ctx context.Context, id string) error
	RunFiles(ctx context.Context, id string) ([]record.File, error)
	Intervals(ctx context.Context, id string) ([]record.Interval, error)
	Figures(ctx context.Context, id string, kind record.Document) (json.RawMessage, error)
}

// Record is a run with its files.
type Record struct {
	record.Run
	Files []record.File `json:"files" doc:"The files kept for a rerun; empty if the controller did not start the run."`
}

// Reader reads runs.
type Reader struct {
	Store Store
	// Ledger reads the ledger of a run in progress, see summaries.Reader.
	Ledger func(runID string) (*runsummary.Summary, error)
	Now    func() time.Time
}

// Record returns a run, or fault.NotFound.
func (b Reader) Record(ctx context.Context, id string) (Record, error) {
	r, err := b.Store.Run(ctx, id)
	if err != nil {
		return Record{}, err
	}
	if r.Open() {
		if r.Summary, err = b.Ledger(id); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return Record{}, err
		}
	}
	files, err := b.Store.RunFiles(ctx, id)
	return Record{r, files}, err
}

// Compared is a comparison with its runs.
type Compared struct {
	A record.Head `json:"a"`
	B record.Head `json:"b"`
	compare.Result
}

// Compare compares the run other with the run one, or returns fault.NotFound.
func (b Reader) Compare(ctx context.Context, one, other string) (Compared, error) {
	first, err := b.comparable(ctx, one)
	if err != nil {
		return Compared{}, err
	}
	second, err := b.comparable(ctx, other)
	if err != nil {
		return Compared{}, err
	}
	return Compared{first.Head, second.Head, compare.Runs(first, second)}, nil
}

func (b Reader) comparable(ctx context.Context, id string) (compare.Run, error) {
	r, err := b.Record(ctx, id)
	from, to := r.Span(b.Now())
	out := compare.Run{Run: r.Run, Files: map[string]string{}, Length: to.Sub(from)}
	if r.Summary != nil && r.Summary.Duration() > 0 {
		out.Length = r.Summary.Duration()
	}
	for _, f := range r.Files {
		out.Files[f.Name] = f.Hash
	}
	return out, err
}
