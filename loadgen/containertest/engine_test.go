package containertest_test

import (
	"fmt"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"

	"github.com/puttrix/trafficinator/shared/testbed"
)

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
