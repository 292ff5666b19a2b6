package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// All is a whole set-up. The ids of presets, funnels and targets do not count.
type All struct {
	Config  Config
	Presets []Preset
	Funnels []Funnel
	// URLs and Events are nil for the built-in ones.
	URLs, Events []byte
	Targets      []Target
	Routing      Routing
}

// ReplaceAll puts all in place of the saved set-up, wholly or not at all. The errors are those of SaveConfig, and
// ErrNameTaken where two have the same name.
func (s *Store) ReplaceAll(ctx context.Context, all All) error {
	err := s.within(ctx, func(tx *sqlx.Tx) error {
		for _, table := range []string{"presets", "funnels", "content", "targets"} {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+table); err != nil {
				return err
			}
		}
		if _, err := s.saveConfig(ctx, tx, all.Config); err != nil {
			return err
		}
		if err := s.insertNamed(ctx, tx, all); err != nil {
			return err
		}
		for name, body := range map[Content][]byte{URLs: all.URLs, Events: all.Events} {
			if body == nil {
				continue
			}
			if _, err := tx.ExecContext(ctx, upsertContent, name, body, s.stamp()); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, updateRouting, all.Routing.Multi, all.Routing.Strategy)
		return err
	})
	if err != nil {
		return fmt.Errorf("replace set-up: %w", err)
	}
	return nil
}

func (s *Store) insertNamed(ctx context.Context, tx *sqlx.Tx, all All) error {
	now := s.stamp()
	for _, p := range all.Presets {
		knobs, err := json.Marshal(p.Knobs)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, insertPreset, p.Name, p.Description, string(knobs), p.Targets, now,
			now); err != nil {
			return err
		}
	}
	for _, f := range all.Funnels {
		body, err := funnelBody(f.Funnel)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, insertFunnel, f.Name, body, now, now); err != nil {
			return err
		}
	}
	for _, t := range all.Targets {
		t.ID = 0
		if _, err := s.saveTarget(ctx, tx, t); err != nil {
			return err
		}
	}
	return nil
}
