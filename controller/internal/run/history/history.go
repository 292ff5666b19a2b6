// Package history owns the look back: it puts together what is kept of a run, for a person to read, to compare and to
// take away. It changes nothing and knows no HTTP.
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

// Store keeps runs, see store.Store.
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

// Record is a run with all that is kept of it.
type Record struct {
	record.Run
	Files []record.File `json:"files" doc:"What is kept of it for a rerun; empty where it was not started here."`
}

// Book is where runs are read.
type Reader struct {
	Store Store
	// Ledger reads the ledger of a run that goes on, see ledgers.Reader.
	Ledger func(runID string) (*runsummary.Summary, error)
	// Now is what a run that goes on is measured to.
	Now func() time.Time
}

// Record reads one run. The error is fault.NotFound where there is none.
func (b Reader) Record(ctx context.Context, id string) (Record, error) {
	r, err := b.Store.Run(ctx, id)
	if err != nil {
		return Record{}, err
	}
	out := Record{Run: r}
	if out.Open() {
		if out.Summary, err = b.Ledger(id); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return out, err
		}
	}
	out.Files, err = b.Store.RunFiles(ctx, id)
	return out, err
}

// Compared is a comparison with the runs that it is of.
type Compared struct {
	A record.Head `json:"a"`
	B record.Head `json:"b"`
	compare.Result
}

// Compare compares the run b with the run a. The error is fault.NotFound where one of them is not there.
func (b Reader) Compare(ctx context.Context, one, other string) (Compared, error) {
	first, err := b.Record(ctx, one)
	if err != nil {
		return Compared{}, err
	}
	second, err := b.Record(ctx, other)
	if err != nil {
		return Compared{}, err
	}
	return Compared{first.Head, second.Head,
		compare.Runs(first.comparable(b.Now()), second.comparable(b.Now()))}, nil
}

func (r Record) comparable(now time.Time) compare.Run {
	from, to := r.Span(now)
	out := compare.Run{Run: r.Run, Files: map[string]string{}, Length: to.Sub(from)}
	if r.Summary != nil && r.Summary.Duration() > 0 {
		out.Length = r.Summary.Duration()
	}
	for _, f := range r.Files {
		out.Files[f.Name] = f.Hash
	}
	return out
}
