package store_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/store"
)

func TestAFileThatIsNoDatabaseIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes.db")
	must(t, os.WriteFile(path, []byte("hello, this is not SQLite\n"), 0o600))
	if _, err := store.Open(t.Context(), afero.NewOsFs(), path, key, clock); err == nil ||
		!strings.Contains(err.Error(), path) {
		t.Errorf("%v", err)
	}
}
