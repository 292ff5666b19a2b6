package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/puttrix/trafficinator/controller/internal/stored"
)

type presetRow struct {
	ID          int64     `db:"id"`
	Name        string    `db:"name"`
	Description string    `db:"description"`
	Settings    string    `db:"knobs"`
	Targets     string    `db:"targets"`
	CreatedAt   timestamp `db:"created_at"`
	UpdatedAt   timestamp `db:"updated_at"`
}

func (r presetRow) preset() (stored.Preset, error) {
	p := stored.Preset{ID: r.ID, Name: r.Name, Description: r.Description, Created: r.CreatedAt.Time,
		Updated: r.UpdatedAt.Time}
	err := json.Unmarshal([]byte(r.Settings), &p.Settings)
	if err == nil && r.Targets != "" {
		err = json.Unmarshal([]byte(r.Targets), &p.Targets)
	}
	if err != nil {
		return p, fmt.Errorf("read preset %d: %w", r.ID, err)
	}
	return p, nil
}

// presetColumns are the columns that SavePreset writes.
func (s *Store) presetColumns(p stored.Preset) ([]any, error) {
	settings, err := json.Marshal(p.Settings)
	var targets []byte
	if err == nil && p.Targets != nil {
		targets, err = json.Marshal(p.Targets)
	}
	return []any{p.Name, p.Description, string(settings), string(targets), s.timestamp()}, err
}

const (
	selectPresets = "SELECT id, name, description, knobs, targets, created_at, updated_at FROM presets "
	insertPreset  = "INSERT INTO presets (name, description, knobs, targets, updated_at, created_at) " +
		"VALUES (?1, ?2, ?3, ?4, ?5, ?5) RETURNING id"
)

// Presets returns all presets, the last changed first.
func (s *Store) Presets(ctx context.Context) ([]stored.Preset, error) {
	return list(ctx, s, "list presets", presetRow.preset, selectPresets+"ORDER BY updated_at DESC, id DESC")
}

// Preset returns one preset, or ErrNotFound.
func (s *Store) Preset(ctx context.Context, id int64) (stored.Preset, error) {
	return get(ctx, s, fmt.Sprintf("read preset %d", id), presetRow.preset, selectPresets+"WHERE id = ?", id)
}

// SavePreset inserts p if its ID is 0, else updates the preset of that ID. The errors are ErrNameTaken and ErrNotFound.
func (s *Store) SavePreset(ctx context.Context, p stored.Preset) (stored.Preset, error) {
	columns, err := s.presetColumns(p)
	switch {
	case err != nil:
	case p.ID == 0:
		err = s.write.GetContext(ctx, &p.ID, insertPreset, columns...)
	default:
		err = changed(s.write.ExecContext(ctx, "UPDATE presets SET name = ?, description = ?, knobs = ?, targets = ?, "+
			"updated_at = ? WHERE id = ?", append(columns, p.ID)...))
	}
	if err != nil {
		return stored.Preset{}, s.wrap("save preset", err)
	}
	return s.Preset(ctx, p.ID)
}

// DeletePreset deletes one preset, or returns ErrNotFound.
func (s *Store) DeletePreset(ctx context.Context, id int64) error {
	return s.exec(ctx, fmt.Sprintf("delete preset %d", id), "DELETE FROM presets WHERE id = ?", id)
}
