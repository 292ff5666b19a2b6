package store

import (
	"context"
	"fmt"
	"strconv"

	"github.com/jmoiron/sqlx"

	"github.com/puttrix/trafficinator/controller/internal/stored"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/target"
)

type targetRow struct {
	ID        int64     `db:"id"`
	Name      string    `db:"name"`
	URL       string    `db:"url"`
	SiteID    int       `db:"site_id"`
	Token     string    `db:"token"`
	ReadToken string    `db:"read_token"`
	APIURL    string    `db:"api_url"`
	HTTPAuth  string    `db:"http_auth"`
	Headers   string    `db:"headers"`
	CAFile    string    `db:"tls_ca_file"`
	CertFile  string    `db:"tls_cert_file"`
	KeyFile   string    `db:"tls_key_file"`
	Proxy     string    `db:"proxy_url"`
	Weight    int       `db:"weight"`
	Enabled   bool      `db:"enabled"`
	CreatedAt timestamp `db:"created_at"`
	UpdatedAt timestamp `db:"updated_at"`
}

// encryptedColumn is a column of a secret, with its associated data.
type encryptedColumn struct {
	place  string
	column *string
	field  *secret.String
}

func (r *targetRow) encrypted(t *target.Target) []encryptedColumn {
	place := "targets/" + strconv.FormatInt(r.ID, 10)
	return []encryptedColumn{
		{place, &r.Token, &t.Token}, {place + "/read", &r.ReadToken, &t.ReadToken},
		{place + "/http_auth", &r.HTTPAuth, &t.HTTPAuth},
		{place + "/headers", &r.Headers, &t.Headers}, {place + "/proxy_url", &r.Proxy, &t.Proxy},
	}
}

// Targets returns all targets in the order of their creation.
func (s *Store) Targets(ctx context.Context) ([]stored.Target, error) {
	return list(ctx, s, "list targets", func(r targetRow) (stored.Target, error) {
		t := stored.Target{ID: r.ID, Created: r.CreatedAt.Time, Updated: r.UpdatedAt.Time, Target: target.Target{
			Name: r.Name, URL: r.URL, SiteID: r.SiteID, Weight: r.Weight, Enabled: r.Enabled,
			Access: target.Access{APIURL: r.APIURL, CAFile: r.CAFile, CertFile: r.CertFile, KeyFile: r.KeyFile},
		}}
		for _, c := range r.encrypted(&t.Target) {
			text, err := s.cipher.decrypt(c.place, *c.column)
			if err != nil {
				return t, err
			}
			*c.field = secret.String(text)
		}
		return t, nil
	}, "SELECT * FROM targets ORDER BY id")
}

const updateTarget = `UPDATE targets SET name = :name, url = :url, site_id = :site_id, token = :token,
	read_token = :read_token, api_url = :api_url, http_auth = :http_auth, headers = :headers,
	tls_ca_file = :tls_ca_file, tls_cert_file = :tls_cert_file, tls_key_file = :tls_key_file, proxy_url = :proxy_url,
	weight = :weight, enabled = :enabled, updated_at = :updated_at WHERE id = :id`

// SaveTarget inserts t if its ID is 0, else updates the target of that ID, and returns the ID. The errors are
// ErrNameTaken and ErrNotFound.
func (s *Store) SaveTarget(ctx context.Context, t stored.Target) (int64, error) {
	err := s.tx(ctx, "save target", func(tx *sqlx.Tx) (err error) {
		t.ID, err = s.saveTarget(ctx, tx, t)
		return err
	})
	return t.ID, err
}

// SaveTargets saves all of targets as SaveTarget does, and how they are used, or nothing at all.
func (s *Store) SaveTargets(ctx context.Context, targets []stored.Target, r stored.Routing) error {
	return s.tx(ctx, "save targets", func(tx *sqlx.Tx) error {
		for _, t := range targets {
			if _, err := s.saveTarget(ctx, tx, t); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, updateRouting, r.Mode == stored.Multi, r.Strategy)
		return err
	})
}

func (s *Store) saveTarget(ctx context.Context, tx *sqlx.Tx, t stored.Target) (int64, error) {
	now := s.timestamp()
	if t.ID == 0 { // secrets are encrypted for an ID, so that comes first
		if err := tx.GetContext(ctx, &t.ID, "INSERT INTO targets (name, url, site_id, token, weight, enabled, "+
			"created_at, updated_at) VALUES (?, '', 0, '', 0, 0, ?, ?) RETURNING id", t.Name, now, now); err != nil {
			return 0, err
		}
	}
	row := targetRow{ID: t.ID, Name: t.Name, URL: t.URL, SiteID: t.SiteID, APIURL: t.APIURL, CAFile: t.CAFile,
		CertFile: t.CertFile, KeyFile: t.KeyFile, Weight: t.Weight, Enabled: t.Enabled, UpdatedAt: now}
	for _, c := range row.encrypted(&t.Target) {
		*c.column = s.cipher.encrypt(c.place, []byte(c.field.Reveal()))
	}
	return t.ID, changed(tx.NamedExecContext(ctx, updateTarget, row))
}

// DeleteTarget deletes one target, or returns ErrNotFound.
func (s *Store) DeleteTarget(ctx context.Context, id int64) error {
	return s.exec(ctx, fmt.Sprintf("delete target %d", id), "DELETE FROM targets WHERE id = ?", id)
}

// Routing returns how targets are used.
func (s *Store) Routing(ctx context.Context) (stored.Routing, error) {
	return get(ctx, s, "read routing", as[stored.Routing],
		"SELECT CASE multi WHEN 0 THEN 'single' ELSE 'multi' END AS mode, strategy FROM routing WHERE id = 1")
}

const updateRouting = "UPDATE routing SET multi = ?, strategy = ? WHERE id = 1"

// SaveRouting writes how targets are used.
func (s *Store) SaveRouting(ctx context.Context, r stored.Routing) error {
	return s.exec(ctx, "save routing", updateRouting, r.Mode == stored.Multi, r.Strategy)
}
