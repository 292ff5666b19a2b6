package store

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/target"
)

// Target is a saved target.
type Target struct {
	ID int64
	target.Target
	Created, Updated time.Time
}

// Routing says whether the targets are used, instead of the one of the configuration, and how visits are dealt out.
type Routing struct {
	Multi    bool            `db:"multi"`
	Strategy target.Strategy `db:"strategy"`
}

type targetRow struct {
	ID        int64  `db:"id"`
	Name      string `db:"name"`
	URL       string `db:"url"`
	SiteID    int    `db:"site_id"`
	Token     string `db:"token"`
	ReadToken string `db:"read_token"`
	Weight    int    `db:"weight"`
	Enabled   bool   `db:"enabled"`
	CreatedAt stamp  `db:"created_at"`
	UpdatedAt stamp  `db:"updated_at"`
}

func tokenPlace(id int64) string { return "targets/" + strconv.FormatInt(id, 10) }

func readTokenPlace(id int64) string { return tokenPlace(id) + "/read" }

// Targets are all targets in the order in which they were made.
func (s *Store) Targets(ctx context.Context) ([]Target, error) {
	var rows []targetRow
	if err := s.read.SelectContext(ctx, &rows, "SELECT id, name, url, site_id, token, read_token, weight, enabled, created_at, updated_at FROM targets ORDER BY id"); err != nil {
		return nil, fmt.Errorf("list targets: %w", err)
	}
	out := make([]Target, len(rows))
	for i, r := range rows {
		token, err := s.seal.open(tokenPlace(r.ID), r.Token)
		if err != nil {
			return nil, err
		}
		read, err := s.seal.open(readTokenPlace(r.ID), r.ReadToken)
		if err != nil {
			return nil, err
		}
		out[i] = Target{ID: r.ID, Created: r.CreatedAt.Time, Updated: r.UpdatedAt.Time, Target: target.Target{
			Name: r.Name, URL: r.URL, SiteID: r.SiteID, Token: secret.String(token), ReadToken: secret.String(read), Weight: r.Weight, Enabled: r.Enabled,
		}}
	}
	return out, nil
}

// SaveTarget writes t anew where its id is 0, else over the one of its id, and returns the id. The errors are
// ErrNameTaken and ErrNotFound.
func (s *Store) SaveTarget(ctx context.Context, t Target) (int64, error) {
	err := s.within(ctx, func(tx *sqlx.Tx) (err error) {
		t.ID, err = s.saveTarget(ctx, tx, t)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("save target: %w", err)
	}
	return t.ID, nil
}

func (s *Store) saveTarget(ctx context.Context, tx *sqlx.Tx, t Target) (int64, error) {
	now := s.stamp()
	if t.ID == 0 { // the token is sealed for an id, so that comes first
		err := tx.GetContext(ctx, &t.ID, "INSERT INTO targets (name, url, site_id, token, weight, enabled, created_at, updated_at) VALUES (?, '', 0, '', 0, 0, ?, ?) RETURNING id",
			t.Name, now, now)
		if err != nil {
			return 0, err
		}
	}
	r, err := tx.ExecContext(ctx, "UPDATE targets SET name = ?, url = ?, site_id = ?, token = ?, read_token = ?, weight = ?, enabled = ?, updated_at = ? WHERE id = ?",
		t.Name, t.URL, t.SiteID, s.seal.close(tokenPlace(t.ID), []byte(t.Token.Reveal())),
		s.seal.close(readTokenPlace(t.ID), []byte(t.ReadToken.Reveal())), t.Weight, t.Enabled, now, t.ID)
	if err != nil {
		return 0, err
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return 0, firstOf(err, ErrNotFound)
	}
	return t.ID, nil
}

// DeleteTarget removes one, or says ErrNotFound.
func (s *Store) DeleteTarget(ctx context.Context, id int64) error {
	if err := s.one(ctx, "DELETE FROM targets WHERE id = ?", id); err != nil {
		return fmt.Errorf("delete target %d: %w", id, err)
	}
	return nil
}

// Routing reads how targets are used.
func (s *Store) Routing(ctx context.Context) (Routing, error) {
	var r Routing
	if err := s.read.GetContext(ctx, &r, "SELECT multi, strategy FROM routing WHERE id = 1"); err != nil {
		return r, fmt.Errorf("read routing: %w", told(err))
	}
	return r, nil
}

// SaveRouting writes how targets are used.
func (s *Store) SaveRouting(ctx context.Context, r Routing) error {
	if err := s.one(ctx, "UPDATE routing SET multi = ?, strategy = ? WHERE id = 1", r.Multi, r.Strategy); err != nil {
		return fmt.Errorf("save routing: %w", err)
	}
	return nil
}
