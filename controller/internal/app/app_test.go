package app

import (
	"log/slog"
	"net"
	"os"
	"testing"
	"testing/fstest"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/settings"
	"github.com/puttrix/trafficinator/shared/lifecycle"
	"github.com/puttrix/trafficinator/shared/lifecycle/lifecycletest"
)

func TestEachServiceKeepsTheContract(t *testing.T) {
	env := map[string]string{"DATA_DIR": t.TempDir(), "RUNTIME": "process", "LOADGEN_BIN": os.DevNull,
		"PRESETS_DIR": "../../../presets"}
	s, problems := settings.Parse(env, os.ReadFile)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	a, err := New(t.Context(), Host{Env: env, FS: afero.NewOsFs(), Bundle: fstest.MapFS{}}, s,
		slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !a.parts.Stop() {
			t.Error("what was opened did not close in order")
		}
	})
	for i, one := range a.watchers() {
		t.Run(one.Name(), func(t *testing.T) {
			lifecycletest.Stress(t, func(*testing.T) *lifecycle.Service { return a.watchers()[i] })
		})
	}
	t.Run("listener", func(t *testing.T) {
		lifecycletest.Stress(t, func(t *testing.T) *lifecycle.Service {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			return a.server(l)
		})
	})
}
