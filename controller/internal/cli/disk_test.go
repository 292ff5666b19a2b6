package cli_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/app"
	"github.com/puttrix/trafficinator/controller/internal/cli"
	"github.com/puttrix/trafficinator/shared/exitcode"
)

// small mounts a file system of its own for a folder, which fills quickly.
func small(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("a small file system cannot be mounted, which needs root: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

// fill leaves no byte of a folder's file system, until the file is removed.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	path := filepath.Join(dir, "filler")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for size := 1 << 20; size > 0; size /= 2 {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
	_ = f.Close() // it is full
	return func() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAFullDiskIsToldSurvivedAndLeft(t *testing.T) {
	dir := t.TempDir()
	exchange, database := filepath.Join(dir, "data", "exchange"), filepath.Join(dir, "data", "controller")
	small(t, exchange)
	small(t, database)
	c := startIn(t, dir)
	c.must(200, "PUT", "/api/config", `{"config":{"MATOMO_URL":"http://127.0.0.1:9/matomo.php"}}`)

	free := fill(t, exchange)
	a := c.must(200, "PUT", "/api/config", `{"config":{"MATOMO_URL":"http://127.0.0.1:9/matomo.php","CONCURRENCY":7}}`)
	if a["published"] != false ||
		!strings.Contains(fmt.Sprint(a["not_published_because"]), exchange+" cannot be written: its disk is full") {
		t.Errorf("it is saved and not published: %v", a)
	}
	if got := c.must(507, "POST", "/api/start", ""); !strings.Contains(fmt.Sprint(got), exchange) {
		t.Errorf("a start: %v", got)
	}
	if got := c.must(503, "GET", "/health", ""); got["status"] != "unhealthy" {
		t.Errorf("health: %v", got)
	}
	var out, said strings.Builder
	h := cli.Host{Host: app.Host{Env: map[string]string{"LISTEN_ADDR": strings.TrimPrefix(c.base, "http://"),
		"DATA_DIR": filepath.Join(dir, "data")}, FS: afero.NewOsFs()}, Stdout: &out, Stderr: &said}
	if code := cli.Run(t.Context(), []string{"healthcheck"}, h); code != exitcode.Internal ||
		!strings.Contains(said.String(), "503: unhealthy") {
		t.Errorf("healthcheck: %d, %s", code, said.String())
	}
	free()
	published(t, filepath.Join(exchange, "loadgen.env"), "CONCURRENCY=7\n")

	free = fill(t, database)
	pages := fmt.Sprintf(`{"content":%q}`, strings.Repeat("https://a.test/page\n", 50_000))
	if got := c.must(507, "POST", "/api/urls", pages); !strings.Contains(fmt.Sprint(got), database) ||
		!strings.Contains(fmt.Sprint(got), "free space there") {
		t.Errorf("a full database: %v", got)
	}
	free()
	c.must(200, "POST", "/api/urls", pages)
}

// published waits until a file holds a text.
func published(t *testing.T, path, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if data, err := os.ReadFile(path); err == nil && strings.Contains(string(data), text) {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s is not in %s", text, path)
		}
	}
}
