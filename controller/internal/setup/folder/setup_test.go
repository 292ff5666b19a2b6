package folder_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/setup"
	"github.com/puttrix/trafficinator/controller/internal/setup/folder"
	"github.com/puttrix/trafficinator/controller/internal/store"
)

// bench is a controller's saved state and its exchange folder on disk.
type bench struct {
	dir     string
	store   *store.Store
	library *setup.Library
	*folder.Publisher
}

// open opens the bench in dir, as a controller does when it starts.
func open(ctx context.Context, dir string) (bench, error) {
	fs := afero.NewOsFs()
	s, err := store.Open(ctx, fs, filepath.Join(dir, "db"), store.Key{1}, time.Now)
	if err != nil {
		return bench{}, err
	}
	l := setup.New(s, fs, filepath.Join(dir, "presets"), dir)
	return bench{dir, s, l, folder.New(l, s, fs, filepath.Join(dir, "exchange"))}, nil
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

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
