package runid_test

import (
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/shared/runid"
)

func TestADrawnIDIsValidAndSortsByTime(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 16, 3, 30, 0, 0, time.FixedZone("", 7200))
	earlier, later := runid.New(now), runid.New(now.Add(time.Second))
	if !runid.Valid(earlier) || earlier >= later || !strings.HasPrefix(earlier, "20260616-013000-") {
		t.Errorf("drew %s, a second later %s", earlier, later)
	}
	if seed := runid.NewSeed(); seed >= 1<<53 {
		t.Errorf("a seed of %d", seed)
	}
}

func TestAnIDCanNameAFile(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]bool{
		"a": true, "A-b_9": true, strings.Repeat("x", 64): true,
		"": false, strings.Repeat("x", 65): false, "a/b": false, "a.json": false, "..": false, "a b": false, "é": false,
		"a\n": false,
	} {
		if runid.Valid(id) != want {
			t.Errorf("%q is valid: %t", id, !want)
		}
	}
}
