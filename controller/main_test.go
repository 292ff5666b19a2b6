package main

import (
	"strings"
	"testing"
)

func TestTheControllerSaysThatItIsNotThereYet(t *testing.T) {
	t.Parallel()
	var stderr strings.Builder
	if code := run(&stderr); code != 2 {
		t.Errorf("exit code %d, want 2", code)
	}
	if got := stderr.String(); !strings.Contains(got, "later version") || !strings.Contains(got, "loadgen") {
		t.Errorf("said %q; want that it comes later and what to use instead", got)
	}
}
