package store

import (
	"context"
	"fmt"
)

// Content names a text of which there is one.
type Content string

// The texts: the list of pages and the events. One that is absent means the built-in one.
const (
	URLs   Content = "urls"
	Events Content = "events"
)

// Content reads a text, or says ErrNotFound where none is saved.
func (s *Store) Content(ctx context.Context, name Content) ([]byte, error) {
	var body []byte
	if err := s.read.GetContext(ctx, &body, "SELECT body FROM content WHERE name = ?", name); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, told(err))
	}
	return body, nil
}

const upsertContent = "INSERT INTO content (name, body, updated_at) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE " +
	"SET body = excluded.body, updated_at = excluded.updated_at"

// SaveContent writes a text.
func (s *Store) SaveContent(ctx context.Context, name Content, body []byte) error {
	if err := s.one(ctx, upsertContent, name, body, s.stamp()); err != nil {
		return fmt.Errorf("save %s: %w", name, err)
	}
	return nil
}

// DeleteContent removes a text, or says ErrNotFound.
func (s *Store) DeleteContent(ctx context.Context, name Content) error {
	if err := s.one(ctx, "DELETE FROM content WHERE name = ?", name); err != nil {
		return fmt.Errorf("delete %s: %w", name, err)
	}
	return nil
}
