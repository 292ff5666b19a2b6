package endtoend

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// strangersFor is how long the strangers try; STRANGERS_SECONDS makes it longer.
func strangersFor(t *testing.T) time.Duration {
	t.Helper()
	seconds, err := strconv.Atoi(os.Getenv("STRANGERS_SECONDS"))
	if err != nil {
		seconds = 3
	}
	return time.Duration(seconds) * time.Second
}

func TestAThousandStrangersAtSignInTakeNeitherMemoryNorTheAuditLogNorAPlace(t *testing.T) {
	dir, api := Folders(t), freePort(t)
	p := Product{API: "http://" + api, Dir: dir}
	serving := serve(t, p, api)
	for range 3 {
		// nothing runs; it is booked
		p.Call(t, http.MethodPost, "/api/control", map[string]any{"paused": true}, http.StatusConflict)
	}
	ctx, cancel := context.WithTimeout(t.Context(), strangersFor(t))
	defer cancel()
	var strangers sync.WaitGroup
	for i := range 1000 {
		strangers.Go(func() { stranger(ctx, api, i) })
	}
	signedIn := 0
	for ctx.Err() == nil || signedIn == 0 {
		if signIn(t, p) {
			signedIn++
		}
	}
	cancel()
	strangers.Wait()
	peak := peakMemory(t, serving.Process.Pid)
	var audit struct {
		Entries  []struct{ Action string }
		Refusals []struct{ Tries int }
	}
	p.read(t, "/api/audit?limit=1000", &audit)
	booked, tries := 0, 0
	for _, e := range audit.Entries {
		if e.Action == "POST /api/control" {
			booked++
		}
	}
	for _, r := range audit.Refusals {
		tries += r.Tries
	}
	if booked != 3 {
		t.Errorf("%d of 3 changes are in the audit log", booked)
	}
	if peak > 100<<20 {
		t.Errorf("the controller took %d MiB", peak>>20)
	}
	if tries == 0 {
		t.Error("no refusal is counted")
	}
	t.Logf("at most %d MiB, %d sign-ins of a person, %d refused tries in %d rows", peak>>20, signedIn, tries,
		len(audit.Refusals))
}

// stranger tries one thing again and again: a body without its end, a wrong key, what is no JSON, a body that is too
// long, or silence.
func stranger(ctx context.Context, api string, kind int) {
	const head = "POST /api/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
	text := [...]string{
		head + "8000\r\n\r\n{\"api_key\":\"" + strings.Repeat("A", 7900),
		head + "23\r\n\r\n{\"api_key\":\"not-the-key\"}"[:23],
		head + "1\r\n\r\nx",
		head + "99000000000\r\n\r\n{",
		"",
	}[kind%5]
	var dialer net.Dialer
	for ctx.Err() == nil {
		c, err := dialer.DialContext(ctx, "tcp", api)
		if err != nil {
			continue
		}
		stop := context.AfterFunc(ctx, func() { _ = c.Close() })
		_, _ = io.WriteString(c, text) // it may be cut at any time
		_, _ = io.Copy(io.Discard, c)  // until it is
		stop()
		_ = c.Close()
	}
}

// signIn is whether a person gets in now.
func signIn(t *testing.T, p Product) bool {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Post(p.API+"/api/session", "application/json",
		strings.NewReader(fmt.Sprintf(`{"api_key":%q}`, Key)))
	if err != nil {
		t.Logf("a person was cut off: %v", err)
		return false
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	return resp.StatusCode == http.StatusOK
}

var highWater = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// peakMemory is the most resident memory that a process had, in bytes.
func peakMemory(t *testing.T, pid int) int {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		t.Skip("this system does not say how much memory a process has: ", err)
	}
	found := highWater.FindSubmatch(data)
	if found == nil {
		t.Fatalf("no VmHWM in %s", data)
	}
	n, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return n << 10
}
