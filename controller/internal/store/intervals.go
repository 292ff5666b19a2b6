package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Interval is what a run did in an interval of its time.
type Interval struct {
	// At is when it begins.
	At time.Time
	// Body is the numbers as JSON; who writes them owns their form.
	Body json.RawMessage
}

// SaveInterval writes an interval of a run, over the one that may be there from the same moment. The table is called
// minutes, because its rows once were.
func (s *Store) SaveInterval(ctx context.Context, runID string, i Interval) error {
	err := s.one(ctx, "INSERT INTO minutes (run_id, at, body) VALUES (?, ?, ?) ON CONFLICT (run_id, at) DO UPDATE "+
		"SET body = excluded.body",
		runID, stamp{i.At}, string(i.Body))
	if err != nil {
		return fmt.Errorf("save interval of run %s: %w", runID, err)
	}
	return nil
}

// Intervals are those of a run in order.
func (s *Store) Intervals(ctx context.Context, runID string) ([]Interval, error) {
	var rows []struct {
		At   stamp  `db:"at"`
		Body string `db:"body"`
	}
	if err := s.read.SelectContext(ctx, &rows, "SELECT at, body FROM minutes WHERE run_id = ? ORDER BY at",
		runID); err != nil {
		return nil, fmt.Errorf("list intervals of run %s: %w", runID, err)
	}
	out := make([]Interval, len(rows))
	for i, r := range rows {
		out[i] = Interval{r.At.Time, json.RawMessage(r.Body)}
	}
	return out, nil
}
