package store

import (
	"context"
	"fmt"

	"github.com/puttrix/trafficinator/controller/internal/stored"
)

const selectFunnels = "SELECT id, body, name, created_at, updated_at FROM funnels "

func scanFunnel(r row) (f stored.Funnel, err error) {
	err = r.Scan(&f.ID, asJSON{&f.Funnel}, &f.Name, (*timestamp)(&f.Created), (*timestamp)(&f.Updated))
	return f, err
}

// Funnels returns all funnels, the last changed first.
func (s *Store) Funnels(ctx context.Context) ([]stored.Funnel, error) {
	return list(ctx, s, "list funnels", scanFunnel, selectFunnels+"ORDER BY updated_at DESC, id DESC")
}

// Funnel returns one funnel, or ErrNotFound.
func (s *Store) Funnel(ctx context.Context, id int64) (stored.Funnel, error) {
	return get(ctx, s, fmt.Sprintf("read funnel %d", id), scanFunnel, selectFunnels+"WHERE id = ?", id)
}

// SaveFunnel inserts f if its ID is 0, else updates the funnel of that ID. The errors are ErrNameTaken and ErrNotFound.
func (s *Store) SaveFunnel(ctx context.Context, f stored.Funnel) (stored.Funnel, error) {
	if err := s.tx(ctx, "save funnel", func(t *tx) { f.ID = t.saveFunnel(f) }); err != nil {
		return stored.Funnel{}, err
	}
	return s.Funnel(ctx, f.ID)
}

func (t *tx) saveFunnel(f stored.Funnel) int64 {
	body := f.Funnel
	body.Name = "" // it has its own column
	return t.save("funnels", f.ID, map[string]any{"name": f.Name, "body": asJSON{body}})
}

// DeleteFunnel deletes one funnel, or returns ErrNotFound.
func (s *Store) DeleteFunnel(ctx context.Context, id int64) error {
	return s.exec(ctx, fmt.Sprintf("delete funnel %d", id), "DELETE FROM funnels WHERE id = ?", id)
}

const selectPresets = "SELECT id, name, description, knobs, targets, created_at, updated_at FROM presets "

func scanPreset(r row) (p stored.Preset, err error) {
	err = r.Scan(&p.ID, &p.Name, &p.Description, asJSON{&p.Settings}, asJSON{&p.Targets}, (*timestamp)(&p.Created),
		(*timestamp)(&p.Updated))
	return p, err
}

// Presets returns all presets, the last changed first.
func (s *Store) Presets(ctx context.Context) ([]stored.Preset, error) {
	return list(ctx, s, "list presets", scanPreset, selectPresets+"ORDER BY updated_at DESC, id DESC")
}

// Preset returns one preset, or ErrNotFound.
func (s *Store) Preset(ctx context.Context, id int64) (stored.Preset, error) {
	return get(ctx, s, fmt.Sprintf("read preset %d", id), scanPreset, selectPresets+"WHERE id = ?", id)
}

// SavePreset inserts p if its ID is 0, else updates the preset of that ID. The errors are ErrNameTaken and ErrNotFound.
func (s *Store) SavePreset(ctx context.Context, p stored.Preset) (stored.Preset, error) {
	if err := s.tx(ctx, "save preset", func(t *tx) { p.ID = t.savePreset(p) }); err != nil {
		return stored.Preset{}, err
	}
	return s.Preset(ctx, p.ID)
}

func (t *tx) savePreset(p stored.Preset) int64 {
	var targets any = ""
	if p.Targets != nil {
		targets = asJSON{p.Targets}
	}
	return t.save("presets", p.ID, map[string]any{
		"name": p.Name, "description": p.Description, "knobs": asJSON{p.Settings}, "targets": targets,
	})
}

// DeletePreset deletes one preset, or returns ErrNotFound.
func (s *Store) DeletePreset(ctx context.Context, id int64) error {
	return s.exec(ctx, fmt.Sprintf("delete preset %d", id), "DELETE FROM presets WHERE id = ?", id)
}

// List returns a saved list, or ErrNotFound.
func (s *Store) List(ctx context.Context, name stored.List) ([]byte, error) {
	return get(ctx, s, "read "+string(name), value[[]byte], "SELECT body FROM content WHERE name = ?", name)
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

// ReplaceAll replaces the saved set-up, or changes nothing. The errors are those of SaveConfig, and ErrNameTaken if two
// have the same name.
func (s *Store) ReplaceAll(ctx context.Context, all stored.Setup) error {
	return s.tx(ctx, "replace set-up", func(t *tx) {
		for _, table := range []string{"presets", "funnels", "content", "targets"} {
			t.exec("DELETE FROM " + table)
		}
		s.saveConfig(t, &all.Config)
		for _, p := range all.Presets {
			p.ID = 0
			t.savePreset(p)
		}
		for _, f := range all.Funnels {
			f.ID = 0
			t.saveFunnel(f)
		}
		for _, saved := range all.Targets {
			saved.ID = 0
			s.saveTarget(t, saved)
		}
		for name, body := range map[stored.List][]byte{stored.URLs: all.URLs, stored.Events: all.Events} {
			if body != nil {
				t.exec(upsertList, name, body, t.now)
			}
		}
		t.exec(updateRouting, all.Routing.Mode == stored.Multi, all.Routing.Strategy)
	})
}
