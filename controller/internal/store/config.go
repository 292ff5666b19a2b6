package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/puttrix/trafficinator/controller/internal/stored"
	"github.com/puttrix/trafficinator/shared/secret"
)

// Config returns the saved configuration.
func (s *Store) Config(ctx context.Context) (stored.Config, error) {
	type row struct {
		Revision  int64     `db:"revision"`
		Values    string    `db:"knobs"`
		Secrets   string    `db:"secrets"`
		UpdatedAt timestamp `db:"updated_at"`
	}
	return get(ctx, s, "read configuration", func(r row) (stored.Config, error) {
		c := stored.Config{Revision: r.Revision, Secrets: map[string]secret.String{}, Updated: r.UpdatedAt.Time}
		encrypted := map[string]string{}
		if err := errors.Join(json.Unmarshal([]byte(r.Values), &c.Values),
			json.Unmarshal([]byte(r.Secrets), &encrypted)); err != nil {
			return c, fmt.Errorf("read configuration: %w", err)
		}
		for key, v := range encrypted {
			text, err := s.cipher.decrypt("config/"+key, v)
			if err != nil {
				return c, err
			}
			c.Secrets[key] = secret.String(text)
		}
		return c, nil
	}, "SELECT revision, knobs, secrets, updated_at FROM config WHERE id = 1")
}

// SaveConfig replaces values and secrets if the saved revision is c.Revision, else the error is ErrStale; revision 0
// replaces any. It returns the saved configuration.
func (s *Store) SaveConfig(ctx context.Context, c stored.Config) (stored.Config, error) {
	err := s.tx(ctx, "save configuration", func(tx *sqlx.Tx) (err error) {
		c, err = s.saveConfig(ctx, tx, c)
		return err
	})
	return c, err
}

func (s *Store) saveConfig(ctx context.Context, tx *sqlx.Tx, c stored.Config) (stored.Config, error) {
	encrypted := map[string]string{}
	for key, v := range c.Secrets {
		if v != "" {
			encrypted[key] = s.cipher.encrypt("config/"+key, []byte(v.Reveal()))
		}
	}
	values, err := json.Marshal(c.Values)
	if err != nil {
		return c, err
	}
	secrets, err := json.Marshal(encrypted)
	if err != nil {
		return c, err
	}
	now := s.timestamp()
	c.Updated = now.Time
	err = changed(tx.ExecContext(ctx, "UPDATE config SET revision = revision + 1, knobs = ?1, secrets = ?2, "+
		"updated_at = ?3 WHERE id = 1 AND (revision = ?4 OR ?4 = 0)", string(values), string(secrets), now, c.Revision))
	if errors.Is(err, ErrNotFound) {
		err = ErrStale
	}
	if err != nil {
		return c, err
	}
	return c, tx.GetContext(ctx, &c.Revision, "SELECT revision FROM config WHERE id = 1")
}
