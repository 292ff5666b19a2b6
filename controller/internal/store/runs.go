package store

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/summaries"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/spec"
)

// RunHead says which run it is and how it went.
type RunHead struct {
	ID string `json:"id"`
	// Kind is one of package record.
	Kind     string    `json:"kind" enum:"live,capacity,backfill"`
	Seed     uint64    `json:"seed"`
	PlanHash string    `json:"plan_hash"`
	Started  time.Time `json:"started"`
	// Ended is nil while the run is running, Reason empty.
	Ended *time.Time `json:"ended" doc:"null while it goes on."`
	// Duration is filled in by the store: that of the loadgen's own clock, where its ledger has one.
	Duration *float64 `json:"duration_seconds" doc:"How long it lasted, by a clock that nobody sets. null while nothing is known of it."`
	// Reason is the loadgen's own word from its ledger (stop_after_visits, stopped, interrupted, killed …), or stopped,
	// failed, crashed, removed where it left none.
	Reason   string `json:"reason"`
	ExitCode *int   `json:"exit_code" doc:"The loadgen's; 4 where a threshold was missed or the error brake pulled. null until there is one."`
	// Note and Labels are a person's.
	Note    string   `json:"note"`
	Labels  []string `json:"labels"`
	Steered bool     `json:"steered" doc:"It was paused or its rate changed while it went on."`
}

// Open says that the run is running, as far as is recorded.
func (h RunHead) Open() bool { return h.Ended == nil }

// Run is a run with what is kept of it.
type Run struct {
	RunHead
	Config   map[string]string   `json:"config" doc:"The exact configuration, secrets masked; what is not there has its default."`
	Problems []Problem           `json:"problems" doc:"Warnings and errors of its log."`
	Summary  *runsummary.Summary `json:"summary" doc:"The ledger of record, as it stands where the run goes on; null where there is none."`
}

// Problem is a line of a run's log that a person should know of.
type Problem struct {
	Time  time.Time `json:"time"`
	Level string    `json:"level" enum:"WARNING,ERROR"`
	Text  string    `json:"text"`
}

// Settings are those of the run, without secrets; false where they are not known, as of a run that was started
// elsewhere, or not accepted by this version.
func (r Run) Settings() (spec.Spec, bool) {
	values := maps.Clone(r.Config)
	maps.DeleteFunc(values, func(_, v string) bool { return v == secret.Mask })
	s, problems := spec.Parse(values, nil)
	return s, len(values) > 0 && problems.Err() == nil
}

// Span is when the run began and ended, or now where it is running, by its own word where it left one: the moments of
// the controller are those of its container.
func (r Run) Span(now time.Time) (from, to time.Time) {
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

type runRow struct {
	ID        string `db:"id"`
	Kind      string `db:"kind"`
	Seed      int64  `db:"seed"` // SQLite has no unsigned numbers; the bits are kept
	Config    string `db:"config"`
	PlanHash  string `db:"plan_hash"`
	StartedAt stamp  `db:"started_at"`
	EndedAt   stamp  `db:"ended_at"`
	Reason    string `db:"reason"`
	ExitCode  *int   `db:"exit_code"`
	Summary   string `db:"summary"`
	Note      string `db:"note"`
	Labels    string `db:"labels"`
	Problems  string `db:"problems"`
	Steered   bool   `db:"steered"`
}

func (r runRow) run() Run {
	out := Run{RunHead: RunHead{
		ID: r.ID, Kind: r.Kind, Seed: uint64(r.Seed), PlanHash: r.PlanHash, Started: r.StartedAt.Time,
		Ended: r.EndedAt.moment(), Reason: r.Reason, ExitCode: r.ExitCode, Note: r.Note, Steered: r.Steered,
	}}
	out.Summary, _ = summaries.Decode([]byte(r.Summary)) // one that cannot be read tells nothing
	var lasted time.Duration
	if out.Ended != nil {
		lasted = max(0, out.Ended.Sub(out.Started))
	}
	if out.Summary != nil && out.Summary.Duration() > 0 {
		lasted = out.Summary.Duration()
	}
	if lasted > 0 {
		out.Duration = new(lasted.Seconds())
	}
	// A damaged column leaves its value empty, or without what does not fit: the run and those beside it stay readable.
	out.Labels, out.Config, out.Problems = []string{}, map[string]string{}, []Problem{}
	_ = json.Unmarshal([]byte(r.Labels), &out.Labels)
	_ = json.Unmarshal([]byte(r.Config), &out.Config)
	_ = json.Unmarshal([]byte(r.Problems), &out.Problems)
	return out
}

const selectRuns = "SELECT id, kind, seed, config, plan_hash, started_at, ended_at, reason, exit_code, summary, " +
	"note, labels, problems, steered FROM runs "

// BeginRun records a run that began. A run that goes on under its id keeps its first start, its note and its labels,
// and is open again.
func (s *Store) BeginRun(ctx context.Context, r Run) error {
	err := s.one(
		ctx,
		`INSERT INTO runs (id, kind, seed, config, plan_hash, started_at, ended_at, reason, summary, note, labels)
		VALUES (?, ?, ?, ?, ?, ?, NULL, '', '', ?, ?)
		ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, seed = excluded.seed, config = excluded.config,
			plan_hash = excluded.plan_hash, ended_at = NULL, reason = '', exit_code = NULL, summary = '',
			problems = '[]', deleted_at = NULL`,
		r.ID,
		r.Kind,
		int64(r.Seed),
		encoded(r.Config, "{}"),
		r.PlanHash,
		stamp{r.Started},
		r.Note,
		encoded(r.Labels, "[]"),
	)
	if err != nil {
		return fmt.Errorf("record start of run %s: %w", r.ID, err)
	}
	return nil
}

// encoded is a value as a column keeps it, none where there is none.
func encoded[T []string | []Problem | map[string]string](v T, none string) string {
	if len(v) == 0 {
		return none
	}
	data, _ := json.Marshal(v) // plain values always have a form
	return string(data)
}

// EndRun records what r tells of its end: Kind, Ended, Reason, ExitCode, Summary (nil where no ledger was found) and
// Problems. The error is ErrNotFound for a run that never began.
func (s *Store) EndRun(ctx context.Context, r Run) error {
	var summary []byte
	var err error
	if r.Summary != nil {
		summary, err = r.Summary.Encode()
	}
	if err == nil {
		err = s.one(ctx, "UPDATE runs SET kind = ?, ended_at = ?, reason = ?, exit_code = ?, summary = ?, problems = "+
			"? WHERE id = ?",
			r.Kind, stampOf(r.Ended), r.Reason, r.ExitCode, string(summary), encoded(r.Problems, "[]"), r.ID)
	}
	if err != nil {
		return fmt.Errorf("record end of run %s: %w", r.ID, err)
	}
	return nil
}

// DescribeRun writes a person's note and labels; nil leaves them as they are. The error is ErrNotFound.
func (s *Store) DescribeRun(ctx context.Context, id string, note *string, labels []string) error {
	var given *string
	if labels != nil {
		given = new(encoded(labels, "[]"))
	}
	err := s.one(ctx, "UPDATE runs SET note = coalesce(?, note), labels = coalesce(?, labels) WHERE id = ? AND "+
		"deleted_at IS NULL", note, given, id)
	if err != nil {
		return fmt.Errorf("describe run %s: %w", id, err)
	}
	return nil
}

// MarkSteered records that a run was paused or its rate changed. The error is ErrNotFound.
func (s *Store) MarkSteered(ctx context.Context, id string) error {
	if err := s.one(ctx, "UPDATE runs SET steered = 1 WHERE id = ?", id); err != nil {
		return fmt.Errorf("record that run %s was steered: %w", id, err)
	}
	return nil
}

// Run reads one that is not deleted, or says ErrNotFound.
func (s *Store) Run(ctx context.Context, id string) (Run, error) {
	var r runRow
	if err := s.read.GetContext(ctx, &r, selectRuns+"WHERE id = ? AND deleted_at IS NULL", id); err != nil {
		return Run{}, fmt.Errorf("read run %s: %w", id, told(err))
	}
	return r.run(), nil
}
