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
	APIURL    string `db:"api_url"`
	HTTPAuth  string `db:"http_auth"`
	Headers   string `db:"headers"`
	CAFile    string `db:"tls_ca_file"`
	CertFile  string `db:"tls_cert_file"`
	KeyFile   string `db:"tls_key_file"`
	Proxy     string `db:"proxy_url"`
	Weight    int    `db:"weight"`
	Enabled   bool   `db:"enabled"`
	CreatedAt stamp  `db:"created_at"`
	UpdatedAt stamp  `db:"updated_at"`
}

// sealed are the columns of secrets, each with the place that it is sealed for and the field that it is of.
func (r *targetRow) sealed(t *target.Target) []sealedColumn {
	place := "targets/" + strconv.FormatInt(r.ID, 10)
	return []sealedColumn{
		{place, &r.Token, &t.Token}, {place + "/read", &r.ReadToken, &t.ReadToken},
		{place + "/http_auth", &r.HTTPAuth, &t.HTTPAuth},
		{place + "/headers", &r.Headers, &t.Headers}, {place + "/proxy_url", &r.Proxy, &t.Proxy},
	}
}

type sealedColumn struct {
	place  string
	column *string
	field  *secret.String
}

// Targets are all targets in the order in which they were made.
func (s *Store) Targets(ctx context.Context) ([]Target, error) {
	var rows []targetRow
	if err := s.read.SelectContext(ctx, &rows, "SELECT * FROM targets ORDER BY id"); err != nil {
		return nil, fmt.Errorf("list targets: %w", err)
	}
	out := make([]Target, len(rows))
	for i, r := range rows {
		out[i] = Target{ID: r.ID, Created: r.CreatedAt.Time, Updated: r.UpdatedAt.Time, Target: target.Target{
			Name: r.Name, URL: r.URL, SiteID: r.SiteID, Weight: r.Weight, Enabled: r.Enabled,
			Access: target.Access{APIURL: r.APIURL, CAFile: r.CAFile, CertFile: r.CertFile, KeyFile: r.KeyFile},
		}}
		for _, c := range r.sealed(&out[i].Target) {
			text, err := s.seal.openSecret(c.place, *c.column)
			if err != nil {
				return nil, err
			}
			*c.field = text
		}
	}
	return out, nil
}

const updateTarget = `UPDATE targets SET name = :name, url = :url, site_id = :site_id, token = :token, read_token = :read_token,
	api_url = :api_url, http_auth = :http_auth, headers = :headers, tls_ca_file = :tls_ca_file, tls_cert_file = :tls_cert_file,
	tls_key_file = :tls_key_file, proxy_url = :proxy_url, weight = :weight, enabled = :enabled,
	updated_at = :updated_at WHERE id = :id`

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

// SaveTargets writes all of targets as SaveTarget does, and how they are used, wholly or not at all.
func (s *Store) SaveTargets(ctx context.Context, targets []Target, r Routing) error {
	err := s.within(ctx, func(tx *sqlx.Tx) error {
		for _, t := range targets {
			if _, err := s.saveTarget(ctx, tx, t); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, updateRouting, r.Multi, r.Strategy)
		return err
	})
	if err != nil {
		return fmt.Errorf("save targets: %w", err)
	}
	return nil
}

func (s *Store) saveTarget(ctx context.Context, tx *sqlx.Tx, t Target) (int64, error) {
	now := s.stamp()
	if t.ID == 0 { // the token is sealed for an id, so that comes first
		err := tx.GetContext(ctx, &t.ID,
			"INSERT INTO targets (name, url, site_id, token, weight, enabled, created_at, updated_at) VALUES (?, '', "+
				"0, '', 0, 0, ?, ?) RETURNING id",
			t.Name, now, now)
		if err != nil {
			return 0, err
		}
	}
	row := targetRow{
		ID: t.ID, Name: t.Name, URL: t.URL, SiteID: t.SiteID, APIURL: t.APIURL, CAFile: t.CAFile, CertFile: t.CertFile,
		KeyFile: t.KeyFile,
		Weight:  t.Weight, Enabled: t.Enabled, UpdatedAt: now,
	}
	for _, c := range row.sealed(&t.Target) {
		*c.column = s.seal.close(c.place, []byte(c.field.Reveal()))
	}
	r, err := tx.NamedExecContext(ctx, updateTarget, row)
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

const updateRouting = "UPDATE routing SET multi = ?, strategy = ? WHERE id = 1"

// SaveRouting writes how targets are used.
func (s *Store) SaveRouting(ctx context.Context, r Routing) error {
	if err := s.one(ctx, updateRouting, r.Multi, r.Strategy); err != nil {
		return fmt.Errorf("save routing: %w", err)
	}
	return nil
}
