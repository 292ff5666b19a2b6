package setup_test

import (
	"context"
	"maps"
	"path/filepath"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/setup"
	"github.com/puttrix/trafficinator/controller/internal/setup/folder"
	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/controller/internal/store"
)

// bench is a controller's saved state and its exchange folder on disk.
type bench struct {
	dir   string
	store *store.Store
	// library saves without publishing in that folder.
	library *setup.Service
	*setup.Service
}

// noted is a folder.Store in memory.
type noted map[string]store.Published

func (n noted) Published(context.Context) (map[string]store.Published, error) {
	return maps.Clone(n), nil
}
func (n noted) SavePublished(_ context.Context, files map[string]store.Published) error {
	maps.Copy(n, files)
	return nil
}
func (noted) Plan(context.Context) (map[string][]byte, error)   { return nil, store.ErrNotFound }
func (noted) SavePlan(context.Context, map[string][]byte) error { return nil }

// unseen is a folder for what is saved and not to be published.
func unseen() *folder.Folder { return folder.New(noted{}, afero.NewMemMapFs(), "unseen") }

// PendingChanges are the changes alone.
func (b bench) PendingChanges(ctx context.Context) ([]plan.Difference, error) {
	changes, _, err := b.Service.PendingChanges(ctx)
	return changes, err
}

// Conflicts are the files that were edited by hand.
func (b bench) Conflicts(ctx context.Context) ([]string, error) {
	_, edited, err := b.Service.PendingChanges(ctx)
	return edited, err
}

// open opens the bench in dir, as a controller does when it starts.
func open(ctx context.Context, dir string) (bench, error) {
	fs := afero.NewOsFs()
	s, err := store.Open(ctx, fs, filepath.Join(dir, "db"), store.Key{1}, time.Now)
	if err != nil {
		return bench{}, err
	}
	in := func(f *folder.Folder) *setup.Service { return setup.New(s, f, fs, filepath.Join(dir, "presets"), dir) }
	return bench{dir, s, in(unseen()), in(folder.New(s, fs, filepath.Join(dir, "exchange")))}, nil
}

func newBench(t *testing.T) bench {
	t.Helper()
	b, err := open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.store.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// file is a file of the exchange folder, nil where it is not there.
func (b bench) file(t *testing.T, name string) []byte {
	t.Helper()
	path := filepath.Join(b.dir, "exchange", name)
	if there, err := afero.Exists(afero.NewOsFs(), path); err != nil || !there {
		return nil
	}
	data, err := afero.ReadFile(afero.NewOsFs(), path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// edit is what a person does with an editor.
func (b bench) edit(t *testing.T, name, content string) {
	t.Helper()
	if err := afero.WriteFile(afero.NewOsFs(), filepath.Join(b.dir, "exchange", name), []byte(content),
		0o600); err != nil {
		t.Fatal(err)
	}
}

func (b bench) configure(t *testing.T, values map[string]any) {
	t.Helper()
	if _, err := b.library.MergeConfig(t.Context(), values, 0); err != nil {
		t.Fatal(err)
	}
}
