package store

import (
	"context"
	"errors"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/stored"
)

// Config returns the saved configuration.
func (s *Store) Config(ctx context.Context) (stored.Config, error) {
	return get(ctx, s, "read configuration", func(r row) (c stored.Config, err error) {
		if err := r.Scan(&c.Revision, asJSON{&c.Values}, asJSON{&c.Secrets}, (*timestamp)(&c.Updated)); err != nil {
			return c, err
		}
		for key, v := range c.Secrets {
			if err := s.cipher.decryptSecret("config/"+key, &v); err != nil {
				return c, err
			}
			c.Secrets[key] = v
		}
		return c, nil
	}, "SELECT revision, knobs, secrets, updated_at FROM config WHERE id = 1")
}

// SaveConfig replaces values and secrets if the saved revision is c.Revision, else the error is ErrStale; revision 0
// replaces any. It returns the saved configuration.
func (s *Store) SaveConfig(ctx context.Context, c stored.Config) (stored.Config, error) {
	err := s.tx(ctx, "save configuration", func(t *tx) { s.saveConfig(t, &c) })
	return c, err
}

// saveConfig sets the revision and the time of c to the new ones.
func (s *Store) saveConfig(t *tx, c *stored.Config) {
	encrypted := map[string]string{}
	for key, v := range c.Secrets {
		if v != "" {
			encrypted[key] = s.cipher.encrypt("config/"+key, []byte(v.Reveal()))
		}
	}
	t.change("UPDATE config SET revision = revision + 1, knobs = ?1, secrets = ?2, updated_at = ?3 "+
		"WHERE id = 1 AND (revision = ?4 OR ?4 = 0)", asJSON{c.Values}, asJSON{encrypted}, t.now, c.Revision)
	if errors.Is(t.err, ErrNotFound) {
		t.err = ErrStale
	}
	t.get(&c.Revision, "SELECT revision FROM config WHERE id = 1")
	c.Updated = time.Time(t.now)
}
