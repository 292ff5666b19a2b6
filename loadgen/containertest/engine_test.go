package containertest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const image = "trafficinator-loadgen:local"

// patience bounds every wait for the engine.
const patience = time.Minute

// client is the one that the Makefile chose, else the one in PATH.
func client() string {
	if name := os.Getenv("DOCKER"); name != "" {
		return name
	}
	return "docker"
}

// docker runs the client and returns what it printed.
func docker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := command(args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func command(args ...string) (string, error) { return output(exec.Command(client(), args...)) }

func output(cmd *exec.Cmd) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, stderr.String())
	}
	return strings.TrimSpace(stdout.String()), nil
}

// build makes the image once, the way people make it.
var build = sync.OnceValue(func() error {
	_, err := output(exec.Command("make", "-C", filepath.Join("..", ".."), "image-loadgen"))
	return err
})

// needsImage leaves the test out where no engine answers, and makes the image where one does.
func needsImage(t *testing.T) {
	t.Helper()
	if _, err := command("info"); err != nil {
		t.Skipf("LEFT OUT: no Docker engine answers: %v", err)
	}
	if err := build(); err != nil {
		t.Fatalf("build image: %v", err)
	}
}

// names counts them: tests run in parallel.
var names atomic.Int64

// unique is a name for things of this test that the engine does not know yet.
func unique(what string) string {
	return fmt.Sprintf("trafficinator-test-%s-%d-%d", what, os.Getpid(), names.Add(1))
}

// network makes a network for the test's containers to meet in.
func network(t *testing.T, name string) string {
	t.Helper()
	docker(t, "network", "create", name)
	t.Cleanup(func() { docker(t, "network", "rm", name) })
	return name
}

// start runs the image in the background and returns the container's name.
func start(t *testing.T, name string, args ...string) string {
	t.Helper()
	docker(t, append([]string{"run", "--detach", "--name", name}, args...)...)
	t.Cleanup(func() {
		if t.Failed() {
			logs, err := exec.Command(client(), "logs", "--tail", "40", name).CombinedOutput()
			t.Logf("last words of %s (%v):\n%s", name, err, logs)
		}
		docker(t, "rm", "--force", "--volumes", name)
	})
	return name
}

// inspect reads one value of a container by its Go template.
func inspect(t *testing.T, name, template string) string {
	t.Helper()
	return docker(t, "inspect", "--format", template, name)
}

// await asks until the answer is yes.
func await(t *testing.T, what string, yes func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !yes() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited %s in vain: %s", patience, what)
		}
	}
}

// getJSON reads url into v and tells whether it answered.
func getJSON(t *testing.T, url string, v any) bool {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	if err := json.NewDecoder(resp.Body).Decode(v); err != nil {
		t.Fatalf("read %s: %v", url, err)
	}
	return true
}
