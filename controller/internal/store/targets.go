package store

import (
	"context"
	"fmt"
	"maps"

	"github.com/puttrix/trafficinator/controller/internal/stored"
	"github.com/puttrix/trafficinator/shared/secret"
)

// secretsOf returns the secrets of a target by their associated data.
func secretsOf(t *stored.Target) map[string]*secret.String {
	place := fmt.Sprintf("targets/%d", t.ID)
	return map[string]*secret.String{
		place: &t.Token, place + "/read": &t.ReadToken, place + "/http_auth": &t.HTTPAuth,
		place + "/headers": &t.Headers, place + "/proxy_url": &t.Proxy,
	}
}

// Targets returns all targets in the order of their creation.
func (s *Store) Targets(ctx context.Context) ([]stored.Target, error) {
	return list(ctx, s, "list targets", func(r row) (t stored.Target, err error) {
		if err := r.Scan(&t.ID, &t.Name, &t.URL, &t.SiteID, &t.Weight, &t.Enabled, &t.APIURL, &t.CAFile, &t.CertFile,
			&t.KeyFile, &t.Token, &t.ReadToken, &t.HTTPAuth, &t.Headers, &t.Proxy, (*timestamp)(&t.Created),
			(*timestamp)(&t.Updated)); err != nil {
			return t, err
		}
		for place, v := range secretsOf(&t) {
			if err := s.cipher.decryptSecret(place, v); err != nil {
				return t, err
			}
		}
		return t, nil
	}, "SELECT id, name, url, site_id, weight, enabled, api_url, tls_ca_file, tls_cert_file, tls_key_file, token, "+
		"read_token, http_auth, headers, proxy_url, created_at, updated_at FROM targets ORDER BY id")
}

// SaveTarget inserts t if its ID is 0, else updates the target of that ID, and returns the ID. The errors are
// ErrNameTaken and ErrNotFound.
func (s *Store) SaveTarget(ctx context.Context, t stored.Target) (id int64, err error) {
	err = s.tx(ctx, "save target", func(tx *tx) { id = s.saveTarget(tx, t) })
	return id, err
}

// SaveTargets saves all of targets as SaveTarget does, and how they are used, or nothing at all.
func (s *Store) SaveTargets(ctx context.Context, targets []stored.Target, r stored.Routing) error {
	return s.tx(ctx, "save targets", func(tx *tx) {
		for _, t := range targets {
			s.saveTarget(tx, t)
		}
		tx.exec(updateRouting, r.Mode == stored.Multi, r.Strategy)
	})
}

func (s *Store) saveTarget(tx *tx, t stored.Target) int64 {
	values := map[string]any{
		"name":          t.Name,
		"url":           t.URL,
		"site_id":       t.SiteID,
		"weight":        t.Weight,
		"enabled":       t.Enabled,
		"api_url":       t.APIURL,
		"tls_ca_file":   t.CAFile,
		"tls_cert_file": t.CertFile,
		"tls_key_file":  t.KeyFile,
		"token":         "",
	}
	if t.ID == 0 { // secrets are encrypted for an ID
		t.ID = tx.save("targets", 0, values)
	}
	for place, v := range secretsOf(&t) {
		*v = secret.String(s.cipher.encrypt(place, []byte(v.Reveal())))
	}
	maps.Copy(values, map[string]any{
		"token": t.Token.Reveal(), "read_token": t.ReadToken.Reveal(), "http_auth": t.HTTPAuth.Reveal(),
		"headers": t.Headers.Reveal(), "proxy_url": t.Proxy.Reveal(),
	})
	return tx.save("targets", t.ID, values)
}

// DeleteTarget deletes one target, or returns ErrNotFound.
func (s *Store) DeleteTarget(ctx context.Context, id int64) error {
	return s.exec(ctx, fmt.Sprintf("delete target %d", id), "DELETE FROM targets WHERE id = ?", id)
}

// Routing returns how targets are used.
func (s *Store) Routing(ctx context.Context) (stored.Routing, error) {
	return get(ctx, s, "read routing", func(r row) (out stored.Routing, err error) {
		err = r.Scan(&out.Mode, &out.Strategy)
		return out, err
	}, "SELECT iif(multi, 'multi', 'single'), strategy FROM routing WHERE id = 1")
}

const updateRouting = "UPDATE routing SET multi = ?, strategy = ? WHERE id = 1"

// SaveRouting writes how targets are used.
func (s *Store) SaveRouting(ctx context.Context, r stored.Routing) error {
	return s.exec(ctx, "save routing", updateRouting, r.Mode == stored.Multi, r.Strategy)
}
