package endtoend

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/shared/testbed"
)

const (
	// Key is the controller's API key.
	Key = "a-key-of-this-test-alone"
	// Token is what the sink is to take; no other process of this machine has heard of it.
	Token = "5e1f00d5e1f00d5e1f00d5e1f00d5e1f"
	// password, header and readToken are secrets that the sink does not ask for.
	password, header, readToken = "pa55-of-this-test-alone", "gate-of-this-test-alone",
		"4ead4ead4ead4ead4ead4ead4ead4ead"
	// certificate names the files of a client certificate in the controller's folder.
	certificate = "client"
)

// Product is a running controller, the sink that its traffic goes to, and ways to hurt the loadgen.
type Product struct {
	// API is the address of the controller.
	API string
	// Dir is the folder in which its data folder lies.
	Dir string
	// Tracker is the sink's address for the loadgen, Sink for the test.
	Tracker, Sink string
	// Kill kills the loadgen, KillJob that of a backfill.
	Kill    func(t *testing.T)
	KillJob func(t *testing.T, j Backfill)
}

// Folders makes a folder for a controller and its loadgen to work in, with a client certificate.
func Folders(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"controller", "exchange", "state"} {
		if err := os.MkdirAll(filepath.Join(dir, "data", name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	testbed.Certificate(t, filepath.Join(dir, "data", "controller"), certificate)
	return dir
}

// Call sends body as JSON and reads the answer; it fails unless the status is want.
func (p Product) Call(t *testing.T, method, path string, body any, want int) map[string]any {
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

// read asks for JSON.
func (p Product) read(t *testing.T, path string, into any) {
	t.Helper()
	resp := p.ask(t, http.MethodGet, path, nil)
	defer resp.Body.Close() //nolint:errcheck // only read
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
}

// text is an answer as it is, whatever its status.
func (p Product) text(t *testing.T, path string) string {
	t.Helper()
	resp := p.ask(t, http.MethodGet, path, nil)
	defer resp.Body.Close() //nolint:errcheck // only read
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// sent is the answer to a body as it is, whatever its status.
func (p Product) sent(t *testing.T, path string, body any) string {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	resp := p.ask(t, http.MethodPost, path, bytes.NewReader(data))
	defer resp.Body.Close() //nolint:errcheck // only read
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

// ask sends a request with the key; the caller closes the answer.
func (p Product) ask(t *testing.T, method, path string, sent io.Reader) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, p.API+path, sent)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-API-Key", Key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// Status is what of GET /api/status is looked at.
type Status struct {
	Container struct {
		State    string
		Healable bool
	}
	Phase string
	Run   *struct {
		ID, Reason string
		Ended      *time.Time
		Restarts   int
		Summary    *Hits
	}
	Stats *struct{ Sample Hits }
}

// Hits are numbers of hits by outcome and as "planned", in a ledger or a live sample.
type Hits struct {
	Hits   map[string]uint64
	ByKind map[string]map[string]uint64 `json:"by_kind"`
}

// over tells whether each planned hit has ended in one way or another.
func (h Hits) over() bool {
	var ended uint64
	for outcome, n := range h.Hits {
		if outcome != "planned" {
			ended += n
		}
	}
	return h.Hits["planned"] > 0 && ended == h.Hits["planned"]
}

// Status is how the product stands.
func (p Product) Status(t *testing.T) Status {
	t.Helper()
	var s Status
	p.read(t, "/api/status", &s)
	return s
}

// recorded are the sink's own counts.
type recorded struct {
	Violations int64
	Total      struct {
		Hits   map[string]uint64
		Titles map[string]uint64
		Days   map[string]struct{ Visits uint64 }
	}
}

func (p Product) recorded(t *testing.T) recorded {
	t.Helper()
	var r recorded
	if !testbed.GetJSON(t, p.Sink+"/sink/counts", &r) {
		t.Fatal("the sink does not answer")
	}
	maps.DeleteFunc(r.Total.Hits, func(_ string, n uint64) bool { return n == 0 })
	return r
}

// Answers waits until the controller does.
func (p Product) Answers(t *testing.T) {
	t.Helper()
	testbed.WaitFor(t, "the controller answers", func() bool { return p.Health(t) != "" })
}

// Health is what the controller says of itself, nothing where it does not answer.
func (p Product) Health(t *testing.T) string {
	t.Helper()
	var health struct{ Status string }
	testbed.GetJSON(t, p.API+"/health", &health)
	return health.Status
}
