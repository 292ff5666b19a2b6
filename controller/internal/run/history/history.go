// Package history owns the look back: it puts together what is kept of a run, for a person to read, to compare and to
// take away. It changes nothing and knows no HTTP.
package history

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/ledgers"
	"github.com/puttrix/trafficinator/controller/internal/run"
	"github.com/puttrix/trafficinator/controller/internal/run/compare"
	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/record"
)

// Head tells which run it was and how it went.
type Head struct {
	ID       string     `json:"id"`
	Kind     string     `json:"kind" enum:"live,capacity,backfill"`
	Seed     uint64     `json:"seed"`
	PlanHash string     `json:"plan_hash"`
	Started  time.Time  `json:"started"`
	Ended    *time.Time `json:"ended" doc:"null while it goes on."`
	// Duration is that of the loadgen's own clock, where its ledger has one.
	Duration *float64 `json:"duration_seconds" doc:"How long it lasted, by a clock that nobody sets. null while nothing is known of it."`
	Reason   string   `json:"reason"`
	ExitCode *int     `json:"exit_code" doc:"The loadgen's; 4 where a threshold was missed or the error brake pulled. null until there is one."`
	Note     string   `json:"note"`
	Labels   []string `json:"labels"`
	Steered  bool     `json:"steered" doc:"It was paused or its rate changed while it went on."`
}

// NewHead is that of a recorded run.
func NewHead(r store.Run) Head {
	h := Head{
		ID: r.ID, Kind: r.Kind, Seed: r.Seed, PlanHash: r.PlanHash, Started: r.Started, Reason: r.Reason,
		ExitCode: r.ExitCode,
		Note:     r.Note, Labels: append([]string{}, r.Labels...), Steered: r.Steered,
	}
	var lasted time.Duration
	if !r.Ended.IsZero() {
		h.Ended, lasted = &r.Ended, max(0, r.Ended.Sub(r.Started))
	}
	if s := Ledger(r.Summary); s != nil && s.Duration() > 0 {
		lasted = s.Duration()
	}
	if lasted > 0 {
		seconds := lasted.Seconds()
		h.Duration = &seconds
	}
	return h
}

// Record is a run with all that is kept of it.
type Record struct {
	Head
	Config   map[string]string `json:"config" doc:"The exact configuration, secrets masked; what is not there has its default."`
	Files    []store.RunFile   `json:"files" doc:"What is kept of it for a rerun; empty where it was not started here."`
	Problems []run.Problem     `json:"problems" doc:"Warnings and errors of its log."`
	Summary  *record.Summary   `json:"summary" doc:"The ledger of record, as it stands where the run goes on; null where there is none."`
}

// Ledger is a ledger of record, nil where there is none that can be read.
func Ledger(data []byte) *record.Summary {
	s, err := ledgers.Decode(data)
	if err != nil {
		return nil
	}
	return s
}

// Book is where runs are read.
type Book struct {
	Store *store.Store
	// Ledger reads the ledger of a run that goes on, see ledgers.Reader.
	Ledger func(runID string) (*record.Summary, error)
	// Now is what a run that goes on is measured to.
	Now func() time.Time
}

// Record reads one run. The error is store.ErrNotFound where there is none.
func (b Book) Record(ctx context.Context, id string) (Record, error) {
	r, err := b.Store.Run(ctx, id)
	if err != nil {
		return Record{}, err
	}
	out := Record{Head: NewHead(r), Config: map[string]string{}, Problems: []run.Problem{}, Summary: Ledger(r.Summary)}
	if out.Ended == nil {
		if out.Summary, err = b.Ledger(id); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return out, err
		}
	}
	if out.Files, err = b.Store.RunFiles(ctx, id); err != nil {
		return out, err
	}
	if err := json.Unmarshal(r.Config, &out.Config); err != nil {
		return out, fmt.Errorf("read configuration of run %s: %w", id, err)
	}
	if err := json.Unmarshal(r.Problems, &out.Problems); err != nil {
		return out, fmt.Errorf("read problems of run %s: %w", id, err)
	}
	return out, nil
}

// Compared is a comparison with the runs that it is of.
type Compared struct {
	A Head `json:"a"`
	B Head `json:"b"`
	compare.Result
}

// Compare compares the run b with the run a. The error is store.ErrNotFound where one of them is not there.
func (b Book) Compare(ctx context.Context, one, other string) (Compared, error) {
	first, err := b.Record(ctx, one)
	if err != nil {
		return Compared{}, err
	}
	second, err := b.Record(ctx, other)
	if err != nil {
		return Compared{}, err
	}
	return Compared{first.Head, second.Head, compare.Runs(first.compared(b.Now()), second.compared(b.Now()))}, nil
}

func (r Record) compared(now time.Time) compare.Run {
	from, to := r.span(now)
	length := to.Sub(from)
	if r.Summary != nil && r.Summary.Duration() > 0 {
		length = r.Summary.Duration()
	}
	out := compare.Run{
		ID: r.ID, Seed: r.Seed, Config: r.Config, Files: map[string]string{}, Open: r.Ended == nil, Length: length,
		Reason:  r.Reason,
		Steered: r.Steered, Summary: r.Summary,
	}
	for _, f := range r.Files {
		out.Files[f.Name] = f.Hash
	}
	return out
}

// span is when the run began and ended, by its own word where it left one: the controller's moments are those of its
// container.
func (r Record) span(now time.Time) (from, to time.Time) {
	from, to = r.Started, now
	if r.Ended != nil {
		to = *r.Ended
	}
	if r.Summary != nil && !r.Summary.Started.IsZero() {
		from = r.Summary.Started
	}
	if to.Before(from) {
		to = from
	}
	return from, to
}
