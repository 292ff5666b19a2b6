package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/puttrix/trafficinator/controller/internal/record"
)

// SaveFigures writes what was found of a run that began, over what may be there.
func (s *Store) SaveFigures(ctx context.Context, runID string, kind record.Document, body json.RawMessage) error {
	err := s.one(ctx, "INSERT INTO proofs (run_id, kind, body) VALUES (?, ?, ?) ON CONFLICT (run_id, kind) DO UPDATE "+
		"SET body = excluded.body",
		runID, kind, string(body))
	if err != nil {
		return fmt.Errorf("save %s of run %s: %w", kind, runID, err)
	}
	return nil
}

// Figures reads what was found of a run, or says ErrNotFound.
func (s *Store) Figures(ctx context.Context, runID string, kind record.Document) (json.RawMessage, error) {
	var body string
	if err := s.read.GetContext(ctx, &body, "SELECT body FROM proofs WHERE run_id = ? AND kind = ?", runID,
		kind); err != nil {
		return nil, fmt.Errorf("read %s of run %s: %w", kind, runID, told(err))
	}
	return json.RawMessage(body), nil
}
