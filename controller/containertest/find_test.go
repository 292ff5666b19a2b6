package containertest_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// pidOf finds the process that runs the program bin.
func pidOf(t *testing.T, bin string) int {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && target == bin {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link)))
			if err != nil {
				t.Fatal(err)
			}
			return pid
		}
	}
	t.Fatalf("no process runs %s", bin)
	return 0
}
