package containertest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

const (
	key = "a-key-of-this-test-alone"
	// token is what the sink takes where nothing else is said.
	token = "0123456789abcdef0123456789abcdef"
	// patience bounds every wait.
	patience = time.Minute
)

// product is a running controller, the sink that its traffic goes to, and ways to hurt the loadgen.
type product struct {
	api string
	// dir is where its data folder lies.
	dir string
	// tracker is the sink for the loadgen, sink for the test.
	tracker, sink string
	kill          func(t *testing.T)
	// killJob kills a job.
	killJob func(t *testing.T, j backfill)
}

// call sends body as JSON and reads the answer; it fails unless the status is want.
func (p product) call(t *testing.T, method, path string, body any, want int) map[string]any {
	t.Helper()
	var sent io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		sent = bytes.NewReader(data)
	}
	resp := p.ask(t, method, path, sent)
	defer resp.Body.Close() //nolint:errcheck // only read
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != want {
		t.Fatalf("%s %s: %s, want %d\n%s", method, path, resp.Status, want, data)
	}
	var out map[string]any
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatalf("%s %s: %v in %q", method, path, err, data)
	}
	return out
}

// ask sends a request with the key; the caller closes the answer.
func (p product) ask(t *testing.T, method, path string, sent io.Reader) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, p.api+path, sent)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-API-Key", key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// status is what of GET /api/status is looked at.
type status struct {
	Container struct {
		State    string
		Healable bool
	}
	Phase string
	Run   *struct {
		ID, Reason string
		Ended      *time.Time
		Restarts   int
		Summary    *struct {
			Hits   map[string]uint64
			ByKind map[string]map[string]uint64 `json:"by_kind"`
		}
	}
	Stats *struct{ Sample sample }
}

// sample is what of the live numbers is looked at.
type sample struct {
	Hits   map[string]uint64
	ByKind map[string]map[string]uint64 `json:"by_kind"`
}

func (p product) status(t *testing.T) status {
	t.Helper()
	data, err := json.Marshal(p.call(t, http.MethodGet, "/api/status", nil, http.StatusOK))
	if err != nil {
		t.Fatal(err)
	}
	var s status
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// recorded are the sink's own counts.
type recorded struct {
	Violations int64
	Total      struct {
		Hits   map[string]uint64
		Titles map[string]uint64
	}
}

func (p product) recorded(t *testing.T) recorded {
	t.Helper()
	var r recorded
	if !getJSON(t, p.sink+"/sink/counts", &r) {
		t.Fatal("the sink does not answer")
	}
	maps.DeleteFunc(r.Total.Hits, func(_ string, n uint64) bool { return n == 0 })
	return r
}

// files builds what the images are made of, once, the way people do.
var files = sync.OnceValue(func() error {
	out, err := exec.Command("make", "-C", root(), "build", "images").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
})

func root() string {
	path, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		panic(err) // there is always a working directory
	}
	return path
}

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

// folders are what a controller and its loadgen work in.
func folders(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"controller", "exchange", "state"} {
		if err := os.MkdirAll(filepath.Join(dir, "data", name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
