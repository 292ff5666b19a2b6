package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Minute is what a run did in one minute.
type Minute struct {
	// At is the minute's begin.
	At time.Time
	// Body is the numbers as JSON; who writes them owns their form.
	Body json.RawMessage
}

// SaveMinute writes a minute of a run that began, over the one that may be there.
func (s *Store) SaveMinute(ctx context.Context, runID string, m Minute) error {
	err := s.one(ctx, "INSERT INTO minutes (run_id, at, body) VALUES (?, ?, ?) ON CONFLICT (run_id, at) DO UPDATE SET body = excluded.body",
		runID, stamp{m.At}, string(m.Body))
	if err != nil {
		return fmt.Errorf("save minute of run %s: %w", runID, err)
	}
	return nil
}

// Minutes are those of a run in order.
func (s *Store) Minutes(ctx context.Context, runID string) ([]Minute, error) {
	var rows []struct {
		At   stamp  `db:"at"`
		Body string `db:"body"`
	}
	if err := s.read.SelectContext(ctx, &rows, "SELECT at, body FROM minutes WHERE run_id = ? ORDER BY at", runID); err != nil {
		return nil, fmt.Errorf("list minutes of run %s: %w", runID, err)
	}
	out := make([]Minute, len(rows))
	for i, r := range rows {
		out[i] = Minute{r.At.Time, json.RawMessage(r.Body)}
	}
	return out, nil
}
