package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/puttrix/trafficinator/controller/internal/stored"
	"github.com/puttrix/trafficinator/shared/funnel"
)

type funnelRow struct {
	ID        int64     `db:"id"`
	Name      string    `db:"name"`
	Body      string    `db:"body"`
	CreatedAt timestamp `db:"created_at"`
	UpdatedAt timestamp `db:"updated_at"`
}

func (r funnelRow) funnel() (stored.Funnel, error) {
	f := stored.Funnel{ID: r.ID, Created: r.CreatedAt.Time, Updated: r.UpdatedAt.Time}
	if err := json.Unmarshal([]byte(r.Body), &f.Funnel); err != nil {
		return f, fmt.Errorf("read funnel %d: %w", r.ID, err)
	}
	f.Name = r.Name
	return f, nil
}

// funnelColumns are the columns that SaveFunnel writes. The name has a column of its own.
func (s *Store) funnelColumns(f funnel.Funnel) ([]any, error) {
	name := f.Name
	f.Name = ""
	body, err := json.Marshal(f)
	return []any{name, string(body), s.timestamp()}, err
}

const (
	selectFunnels = "SELECT id, name, body, created_at, updated_at FROM funnels "
	insertFunnel  = "INSERT INTO funnels (name, body, updated_at, created_at) VALUES (?1, ?2, ?3, ?3) RETURNING id"
)

// Funnels returns all funnels, the last changed first.
func (s *Store) Funnels(ctx context.Context) ([]stored.Funnel, error) {
	return list(ctx, s, "list funnels", funnelRow.funnel, selectFunnels+"ORDER BY updated_at DESC, id DESC")
}

// Funnel returns one funnel, or ErrNotFound.
func (s *Store) Funnel(ctx context.Context, id int64) (stored.Funnel, error) {
	return get(ctx, s, fmt.Sprintf("read funnel %d", id), funnelRow.funnel, selectFunnels+"WHERE id = ?", id)
}

// SaveFunnel inserts f if its ID is 0, else updates the funnel of that ID. The errors are ErrNameTaken and ErrNotFound.
func (s *Store) SaveFunnel(ctx context.Context, f stored.Funnel) (stored.Funnel, error) {
	columns, err := s.funnelColumns(f.Funnel)
	switch {
	case err != nil:
	case f.ID == 0:
		err = s.write.GetContext(ctx, &f.ID, insertFunnel, columns...)
	default:
		err = changed(s.write.ExecContext(ctx, "UPDATE funnels SET name = ?, body = ?, updated_at = ? WHERE id = ?",
			append(columns, f.ID)...))
	}
	if err != nil {
		return stored.Funnel{}, s.wrap("save funnel", err)
	}
	return s.Funnel(ctx, f.ID)
}

// DeleteFunnel deletes one funnel, or returns ErrNotFound.
func (s *Store) DeleteFunnel(ctx context.Context, id int64) error {
	return s.exec(ctx, fmt.Sprintf("delete funnel %d", id), "DELETE FROM funnels WHERE id = ?", id)
}
