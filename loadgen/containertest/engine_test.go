package containertest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/shared/testbed"
)

// patience bounds every wait for the engine; only a test that fails waits so long.
const patience = 3 * time.Minute

// names counts them: tests run in parallel.
var names atomic.Int64

// unique is a name for things of this test that the engine does not know yet.
func unique(what string) string {
	return fmt.Sprintf("trafficinator-test-%s-%d-%d", what, os.Getpid(), names.Add(1))
}

// network makes a network for the test's containers to meet in.
func network(t *testing.T, name string) string {
	t.Helper()
	testbed.Docker(t, "network", "create", name)
	t.Cleanup(func() { testbed.Docker(t, "network", "rm", name) })
	return name
}

// start runs the image in the background and returns the container's name.
func start(t *testing.T, name string, args ...string) string {
	t.Helper()
	testbed.Docker(t, append([]string{"run", "--detach", "--name", name}, args...)...)
	t.Cleanup(func() {
		if t.Failed() {
			logs, err := exec.Command(testbed.Client(), "logs", "--tail", "40", name).CombinedOutput()
			t.Logf("last words of %s (%v):\n%s", name, err, logs)
		}
		testbed.Docker(t, "rm", "--force", "--volumes", name)
	})
	return name
}

// inspect reads one value of a container by its Go template.
func inspect(t *testing.T, name, template string) string {
	t.Helper()
	return testbed.Docker(t, "inspect", "--format", template, name)
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
