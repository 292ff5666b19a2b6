package store

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/puttrix/trafficinator/controller/internal/stored"
)

// ReplaceAll replaces the saved set-up, or changes nothing. The errors are those of SaveConfig, and ErrNameTaken if two
// have the same name.
func (s *Store) ReplaceAll(ctx context.Context, all stored.Setup) error {
	return s.tx(ctx, "replace set-up", func(tx *sqlx.Tx) error {
		insert := func(query string, columns []any, err error) error {
			if err == nil {
				_, err = tx.ExecContext(ctx, query, columns...)
			}
			return err
		}
		for _, table := range []string{"presets", "funnels", "content", "targets"} {
			if err := insert("DELETE FROM "+table, nil, nil); err != nil {
				return err
			}
		}
		if _, err := s.saveConfig(ctx, tx, all.Config); err != nil {
			return err
		}
		for _, p := range all.Presets {
			columns, err := s.presetColumns(p)
			if err := insert(insertPreset, columns, err); err != nil {
				return err
			}
		}
		for _, f := range all.Funnels {
			columns, err := s.funnelColumns(f.Funnel)
			if err := insert(insertFunnel, columns, err); err != nil {
				return err
			}
		}
		for _, t := range all.Targets {
			t.ID = 0
			if _, err := s.saveTarget(ctx, tx, t); err != nil {
				return err
			}
		}
		for name, body := range map[stored.List][]byte{stored.URLs: all.URLs, stored.Events: all.Events} {
			if body != nil {
				if err := insert(upsertList, []any{name, body, s.timestamp()}, nil); err != nil {
					return err
				}
			}
		}
		return insert(updateRouting, []any{all.Routing.Mode == stored.Multi, all.Routing.Strategy}, nil)
	})
}
