package security_test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/security"
)

func TestTheKeyIsMadeOnceAndReadByItsOwnerAlone(t *testing.T) {
	t.Parallel()
	fsys := afero.NewMemMapFs()
	first, err := security.LoadKey(fsys, "/data/controller")
	if err != nil || len(first.Reveal()) < 32 {
		t.Fatalf("%v, %d characters", err, len(first.Reveal()))
	}
	again, err := security.LoadKey(fsys, "/data/controller")
	if err != nil || again != first {
		t.Errorf("the second start has another key: %v", err)
	}
	info, err := fsys.Stat("/data/controller/" + security.KeyFile)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, mode %v", err, info.Mode())
	}
	if _, err := security.LoadKey(afero.NewReadOnlyFs(afero.NewMemMapFs()), "/data"); err == nil {
		t.Error("a folder that cannot be written is no error")
	}
}

// Reading from a pipe ends at once where nobody writes, and writing a new key into it would wait for a reader for ever.
func TestAPipeInThePlaceOfTheKeyIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, security.KeyFile), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := security.LoadKey(afero.NewOsFs(), dir)
	if err == nil || !strings.Contains(err.Error(), "is not a regular file") {
		t.Errorf("%v", err)
	}
}
