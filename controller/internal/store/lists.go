package store

import (
	"context"

	"github.com/puttrix/trafficinator/controller/internal/stored"
)

// List returns a saved list, or ErrNotFound.
func (s *Store) List(ctx context.Context, name stored.List) ([]byte, error) {
	return get(ctx, s, "read "+string(name), as[[]byte], "SELECT body FROM content WHERE name = ?", name)
}

const upsertList = "INSERT INTO content (name, body, updated_at) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE " +
	"SET body = excluded.body, updated_at = excluded.updated_at"

// SaveList writes a list.
func (s *Store) SaveList(ctx context.Context, name stored.List, body []byte) error {
	return s.exec(ctx, "save "+string(name), upsertList, name, body, s.timestamp())
}

// DeleteList deletes a list, or returns ErrNotFound.
func (s *Store) DeleteList(ctx context.Context, name stored.List) error {
	return s.exec(ctx, "delete "+string(name), "DELETE FROM content WHERE name = ?", name)
}
