package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/puttrix/trafficinator/shared/secret"
)

// Config is the saved configuration.
type Config struct {
	// Revision is 1 in a new database and grows with each change.
	Revision int64
	// Knobs and Secrets are values by env key; a knob that is absent holds its default.
	Knobs   map[string]string
	Secrets map[string]secret.String
	Updated time.Time
}

// Config reads the saved configuration.
func (s *Store) Config(ctx context.Context) (Config, error) {
	var row struct {
		Revision  int64  `db:"revision"`
		Knobs     string `db:"knobs"`
		Secrets   string `db:"secrets"`
		UpdatedAt stamp  `db:"updated_at"`
	}
	if err := s.read.GetContext(ctx, &row,
		"SELECT revision, knobs, secrets, updated_at FROM config WHERE id = 1"); err != nil {
		return Config{}, fmt.Errorf("read configuration: %w", told(err))
	}
	c := Config{Revision: row.Revision, Secrets: map[string]secret.String{}, Updated: row.UpdatedAt.Time}
	sealed := map[string]string{}
	if err := json.Unmarshal([]byte(row.Knobs), &c.Knobs); err != nil {
		return Config{}, fmt.Errorf("read configuration: %w", err)
	}
	if err := json.Unmarshal([]byte(row.Secrets), &sealed); err != nil {
		return Config{}, fmt.Errorf("read configuration: %w", err)
	}
	for key, v := range sealed {
		text, err := s.seal.openSecret("config/"+key, v)
		if err != nil {
			return Config{}, err
		}
		c.Secrets[key] = text
	}
	return c, nil
}

// SaveConfig replaces knobs and secrets where the saved revision is c.Revision, else the error is ErrStale; revision 0
// replaces any. It returns the configuration as it is saved.
func (s *Store) SaveConfig(ctx context.Context, c Config) (Config, error) {
	err := s.within(ctx, func(tx *sqlx.Tx) (err error) {
		c, err = s.saveConfig(ctx, tx, c)
		return err
	})
	if err != nil {
		return Config{}, fmt.Errorf("save configuration: %w", err)
	}
	return c, nil
}

func (s *Store) saveConfig(ctx context.Context, tx *sqlx.Tx, c Config) (Config, error) {
	knobs, err := json.Marshal(c.Knobs)
	if err != nil {
		return Config{}, err
	}
	closed := map[string]string{}
	for key, v := range c.Secrets {
		if v != "" {
			closed[key] = s.seal.close("config/"+key, []byte(v.Reveal()))
		}
	}
	secrets, err := json.Marshal(closed)
	if err != nil {
		return Config{}, err
	}
	now := s.stamp()
	r, err := tx.ExecContext(ctx,
		"UPDATE config SET revision = revision + 1, knobs = ?, secrets = ?, updated_at = ? WHERE id = 1 AND "+
			"(revision = ? OR ? = 0)",
		string(knobs), string(secrets), now, c.Revision, c.Revision)
	if err != nil {
		return Config{}, err
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return Config{}, firstOf(err, ErrStale)
	}
	c.Updated = now.Time
	return c, tx.GetContext(ctx, &c.Revision, "SELECT revision FROM config WHERE id = 1")
}

func firstOf(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}
