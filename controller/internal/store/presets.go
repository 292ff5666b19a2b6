package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Preset is a saved set of knobs.
type Preset struct {
	ID                int64
	Name, Description string
	// Knobs are values by env key, never secrets.
	Knobs map[string]string
	// Targets are JSON, without secrets; empty where it holds none.
	Targets          string
	Created, Updated time.Time
}

type presetRow struct {
	ID          int64  `db:"id"`
	Name        string `db:"name"`
	Description string `db:"description"`
	Knobs       string `db:"knobs"`
	Targets     string `db:"targets"`
	CreatedAt   stamp  `db:"created_at"`
	UpdatedAt   stamp  `db:"updated_at"`
}

func (r presetRow) preset() (Preset, error) {
	p := Preset{ID: r.ID, Name: r.Name, Description: r.Description, Targets: r.Targets, Created: r.CreatedAt.Time,
		Updated: r.UpdatedAt.Time}
	if err := json.Unmarshal([]byte(r.Knobs), &p.Knobs); err != nil {
		return Preset{}, fmt.Errorf("read preset %d: %w", r.ID, err)
	}
	return p, nil
}

const (
	selectPresets = "SELECT id, name, description, knobs, targets, created_at, updated_at FROM presets "
	insertPreset  = "INSERT INTO presets (name, description, knobs, targets, created_at, updated_at) VALUES (?, ?, " +
		"?, ?, ?, ?) RETURNING id"
)

// Presets are all presets, the newest change first.
func (s *Store) Presets(ctx context.Context) ([]Preset, error) {
	var rows []presetRow
	if err := s.read.SelectContext(ctx, &rows, selectPresets+"ORDER BY updated_at DESC, id DESC"); err != nil {
		return nil, fmt.Errorf("list presets: %w", err)
	}
	out := make([]Preset, len(rows))
	for i, r := range rows {
		var err error
		if out[i], err = r.preset(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Preset reads one, or says ErrNotFound.
func (s *Store) Preset(ctx context.Context, id int64) (Preset, error) {
	var r presetRow
	if err := s.read.GetContext(ctx, &r, selectPresets+"WHERE id = ?", id); err != nil {
		return Preset{}, fmt.Errorf("read preset %d: %w", id, told(err))
	}
	return r.preset()
}

// SavePreset writes p anew where its id is 0, else over the one of its id. The errors are ErrNameTaken and ErrNotFound.
func (s *Store) SavePreset(ctx context.Context, p Preset) (Preset, error) {
	knobs, err := json.Marshal(p.Knobs)
	if err != nil {
		return Preset{}, fmt.Errorf("save preset: %w", err)
	}
	now := s.stamp()
	if p.ID == 0 {
		err = s.write.GetContext(ctx, &p.ID, insertPreset,
			p.Name, p.Description, string(knobs), p.Targets, now, now)
	} else {
		err = s.one(ctx, "UPDATE presets SET name = ?, description = ?, knobs = ?, targets = ?, updated_at "+
			"= ? WHERE id = ?",
			p.Name, p.Description, string(knobs), p.Targets, now, p.ID)
	}
	if err != nil {
		return Preset{}, fmt.Errorf("save preset: %w", told(err))
	}
	return s.Preset(ctx, p.ID)
}

// DeletePreset removes one, or says ErrNotFound.
func (s *Store) DeletePreset(ctx context.Context, id int64) error {
	if err := s.one(ctx, "DELETE FROM presets WHERE id = ?", id); err != nil {
		return fmt.Errorf("delete preset %d: %w", id, err)
	}
	return nil
}
