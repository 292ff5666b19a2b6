package testbed

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"
)

// Patience bounds every wait; only a test that fails waits so long.
const WaitLimit = 3 * time.Minute

// WaitFor asks until the answer is yes.
func WaitFor(t *testing.T, what string, yes func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), WaitLimit)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !yes() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited %s in vain: %s", WaitLimit, what)
		}
	}
}

// GetJSON reads url into v and reports whether it answered.
func GetJSON(t *testing.T, url string, v any) bool {
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
