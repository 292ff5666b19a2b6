package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/puttrix/trafficinator/controller/internal/record"
)

// SaveInterval writes an interval of a run, over the one that may be there from the same moment. The table is called
// minutes, because its rows once were.
func (s *Store) SaveInterval(ctx context.Context, runID string, i record.Interval) error {
	err := s.one(ctx, "INSERT INTO minutes (run_id, at, body) VALUES (?, ?, ?) ON CONFLICT (run_id, at) DO UPDATE "+
		"SET body = excluded.body",
		runID, stamp{i.At}, string(i.Body))
	if err != nil {
		return fmt.Errorf("save interval of run %s: %w", runID, err)
	}
	return nil
}

// Intervals are those of a run in order.
func (s *Store) Intervals(ctx context.Context, runID string) ([]record.Interval, error) {
	var rows []struct {
		At   stamp  `db:"at"`
		Body string `db:"body"`
	}
	if err := s.read.SelectContext(ctx, &rows, "SELECT at, body FROM minutes WHERE run_id = ? ORDER BY at",
		runID); err != nil {
		return nil, fmt.Errorf("list intervals of run %s: %w", runID, err)
	}
	out := make([]record.Interval, len(rows))
	for i, r := range rows {
		out[i] = record.Interval{At: r.At.Time, Body: json.RawMessage(r.Body)}
	}
	return out, nil
}
