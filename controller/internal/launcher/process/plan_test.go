package process_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/launcher/process"
)

func TestOldPlanFoldersAreRemoved(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for name, age := range map[string]time.Duration{"trafficinator-plan-1": 2 * time.Hour,
		"trafficinator-plan-2": time.Minute, "other": 2 * time.Hour} {
		dir := filepath.Join(os.TempDir(), name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "loadgen.env"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(dir, time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	process.New(afero.NewOsFs(), process.Config{})
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "*"))
	if err != nil || len(left) != 2 {
		t.Errorf("%v, %v", left, err)
	}
}
