package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/puttrix/trafficinator/shared/funnel"
)

// Funnel is a saved funnel.
type Funnel struct {
	ID int64
	funnel.Funnel
	Created, Updated time.Time
}

type funnelRow struct {
	ID        int64  `db:"id"`
	Name      string `db:"name"`
	Body      string `db:"body"`
	CreatedAt stamp  `db:"created_at"`
	UpdatedAt stamp  `db:"updated_at"`
}

func (r funnelRow) funnel() (Funnel, error) {
	f := Funnel{ID: r.ID, Created: r.CreatedAt.Time, Updated: r.UpdatedAt.Time}
	if err := json.Unmarshal([]byte(r.Body), &f.Funnel); err != nil {
		return Funnel{}, fmt.Errorf("read funnel %d: %w", r.ID, err)
	}
	f.Name = r.Name
	return f, nil
}

// funnelBody is the column's text; the name has a column of its own.
func funnelBody(f funnel.Funnel) (string, error) {
	f.Name = ""
	body, err := json.Marshal(f)
	return string(body), err
}

const (
	selectFunnels = "SELECT id, name, body, created_at, updated_at FROM funnels "
	insertFunnel  = "INSERT INTO funnels (name, body, created_at, updated_at) VALUES (?, ?, ?, ?) RETURNING id"
)

// Funnels are all funnels, the newest change first.
func (s *Store) Funnels(ctx context.Context) ([]Funnel, error) {
	var rows []funnelRow
	if err := s.read.SelectContext(ctx, &rows, selectFunnels+"ORDER BY updated_at DESC, id DESC"); err != nil {
		return nil, fmt.Errorf("list funnels: %w", err)
	}
	out := make([]Funnel, len(rows))
	for i, r := range rows {
		var err error
		if out[i], err = r.funnel(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Funnel reads one, or says ErrNotFound.
func (s *Store) Funnel(ctx context.Context, id int64) (Funnel, error) {
	var r funnelRow
	if err := s.read.GetContext(ctx, &r, selectFunnels+"WHERE id = ?", id); err != nil {
		return Funnel{}, fmt.Errorf("read funnel %d: %w", id, told(err))
	}
	return r.funnel()
}

// SaveFunnel writes f anew where its id is 0, else over the one of its id. The errors are ErrNameTaken and ErrNotFound.
func (s *Store) SaveFunnel(ctx context.Context, f Funnel) (Funnel, error) {
	body, err := funnelBody(f.Funnel)
	if err != nil {
		return Funnel{}, fmt.Errorf("save funnel: %w", err)
	}
	now := s.stamp()
	if f.ID == 0 {
		err = s.write.GetContext(ctx, &f.ID, insertFunnel,
			f.Name, body, now, now)
	} else {
		err = s.one(ctx, "UPDATE funnels SET name = ?, body = ?, updated_at = ? WHERE id = ?", f.Name, body, now, f.ID)
	}
	if err != nil {
		return Funnel{}, fmt.Errorf("save funnel: %w", told(err))
	}
	return s.Funnel(ctx, f.ID)
}

// DeleteFunnel removes one, or says ErrNotFound.
func (s *Store) DeleteFunnel(ctx context.Context, id int64) error {
	if err := s.one(ctx, "DELETE FROM funnels WHERE id = ?", id); err != nil {
		return fmt.Errorf("delete funnel %d: %w", id, err)
	}
	return nil
}
