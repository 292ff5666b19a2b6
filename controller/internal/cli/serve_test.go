package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/app"
	"github.com/puttrix/trafficinator/controller/internal/cli"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/testbed"
)

const (
	token = "0123456789abcdef0123456789abcdef"
	// patience bounds every wait of these tests; only a test that fails takes so long.
	patience = 3 * time.Minute
)

// written is what a controller prints, readable while it does.
type written struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (w *written) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

// String is everything so far.
func (w *written) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}

// controller is one that really serves, with the process runtime and the real loadgen.
type controller struct {
	t            *testing.T
	dir, base    string
	key          string
	stdout, logs written
	host         cli.Host
	end          func() int
}

func start(t *testing.T) *controller {
	t.Helper()
	return startIn(t, t.TempDir())
}

func startIn(t *testing.T, dir string) *controller {
	t.Helper()
	c := prepare(t, dir)
	c.begin()
	return c
}

// prepare makes a controller that begin starts, so that a test can change its host before.
func prepare(t *testing.T, dir string) *controller {
	t.Helper()
	c := &controller{t: t, dir: dir}
	c.host = cli.Host{Host: app.Host{
		Env: map[string]string{
			"LISTEN_ADDR": "127.0.0.1:0", "DATA_DIR": filepath.Join(c.dir, "data"), "RUNTIME": "process",
			"LOADGEN_BIN": testbed.Loadgen(t),
			"LOG_LEVEL":   "DEBUG", "PRESETS_DIR": "../../../presets", "PATH": os.Getenv("PATH"),
		},
		FS: afero.NewOsFs(), Bundle: fstest.MapFS{}, Version: "test",
	}, Stdout: &c.stdout, Stderr: &c.logs}
	return c
}

// begin starts the controller for the first time.
func (c *controller) begin() {
	c.t.Helper()
	c.serve()
	data, err := os.ReadFile(filepath.Join(c.dir, "data/controller/api-key"))
	if err != nil {
		c.t.Fatal(err)
	}
	c.key = strings.TrimSpace(string(data))
}

// serve begins a life of the controller, which end ends.
func (c *controller) serve() {
	t := c.t
	t.Helper()
	ready := make(chan net.Addr, 1)
	c.host.Ready = func(a net.Addr) { ready <- a }
	ctx, cancel := context.WithCancel(context.Background())
	code := make(chan int, 1)
	go func() { code <- cli.Run(ctx, []string{"serve"}, c.host) }()
	var once sync.Once
	ended := -1
	c.end = func() int {
		once.Do(func() { cancel(); ended = <-code })
		return ended
	}
	t.Cleanup(func() { c.end() })
	select {
	case a := <-ready:
		c.base = "http://" + a.String()
	case ended := <-code:
		code <- ended
		t.Fatalf("ended with %d: %s", ended, c.logs.String())
	}
}

func (c *controller) ask(method, path, body string) (int, map[string]any) {
	c.t.Helper()
	req, err := http.NewRequest(method, c.base+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("X-API-Key", c.key)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	var v map[string]any
	_ = json.Unmarshal(data, &v)
	return resp.StatusCode, v
}

// must asks and fails on any other status.
func (c *controller) must(status int, method, path, body string) map[string]any {
	c.t.Helper()
	got, v := c.ask(method, path, body)
	if got != status {
		c.t.Fatalf("%s %s: %d %v; log: %s", method, path, got, v, c.logs.String())
	}
	return v
}

// sink starts the loadgen's sink and returns its address and what it counts when it ends.
func (c *controller) sink(flags ...string) (address string, counts func() map[string]any) {
	c.t.Helper()
	cmd := exec.Command(testbed.Loadgen(c.t), append([]string{"sink", "--addr", "127.0.0.1:0", "--json"}, flags...)...)
	var report bytes.Buffer
	cmd.Stdout = &report
	said, err := cmd.StderrPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	r := bufio.NewReader(said)
	line, err := r.ReadString('\n')
	if err != nil {
		c.t.Fatal(err)
	}
	address = regexp.MustCompile(`http://\S+`).FindString(line)
	return address, func() map[string]any {
		_ = cmd.Process.Signal(os.Interrupt)
		if _, err := io.Copy(io.Discard, r); err != nil {
			c.t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			c.t.Fatal(err)
		}
		var v map[string]any
		if err := json.Unmarshal(report.Bytes(), &v); err != nil {
			c.t.Fatalf("the sink's counts: %v in %s", err, report.String())
		}
		return v
	}
}

func TestAWholeRunThroughTheAPI(t *testing.T) {
	c := start(t)
	address, counts := c.sink()
	config := func(more string) string {
		return fmt.Sprintf(
			`{"config":{"MATOMO_URL":%q,"MATOMO_TOKEN_AUTH":%q,"TARGET_VISITS_PER_DAY":1000000,"PAUSE_BETWEEN_PVS_MIN":0,"PAUSE_BETWEEN_PVS_MAX":0.1%s}}`,
			address,
			token,
			more,
		)
	}
	if got := c.must(422, "POST", "/api/start", ""); !strings.Contains(fmt.Sprint(got), "MATOMO_URL") {
		t.Errorf("a start without a target: %v", got)
	}
	draft := `{"funnel":{"steps":[{"type":"pageview","url":"https://shop.example.test/draft"}]},"visits":2}`
	if got := c.must(200, "POST", "/api/preview", draft); strings.Count(fmt.Sprint(got), "funnel:draft") != 2 ||
		!strings.Contains(fmt.Sprint(got), "url:https://shop.example.test/draft") {
		t.Errorf("a preview of a draft: %v", got)
	}
	c.must(200, "PUT", "/api/config", config(""))
	c.must(200, "POST", "/api/urls", `{"content":"https://shop.example.test/one\nhttps://shop.example.test/two\n"}`)
	if got := c.must(200, "POST", "/api/config/apply", ""); got["restarted"] != false {
		t.Errorf("an apply while stopped: %v", got)
	}
	first := c.must(200, "POST", "/api/start", "")["run_id"]
	if got := c.must(200, "POST", "/api/config/apply", config(`,"STOP_AFTER_VISITS":20`)); got["restarted"] != true ||
		got["run_id"] == first {
		t.Errorf("an apply while running: %v", got)
	}

	// The stream tells the end of the run.
	req, err := http.NewRequestWithContext(t.Context(), "GET", c.base+"/api/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-API-Key", c.key)
	resp, err := (&http.Client{Timeout: patience}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	reader := bufio.NewReader(resp.Body)
	for {
		line, err := reader.ReadString('\n')
		if err != nil {
			t.Fatalf("the stream ended before the run: %v; log: %s", err, c.logs.String())
		}
		if strings.Contains(line, `"reason":"stop_after_visits"`) {
			break
		}
	}

	runs, _ := c.must(200, "GET", "/api/runs", "")["runs"].([]any)
	if len(runs) != 2 {
		t.Fatalf("runs: %v", runs)
	}
	last := c.must(200, "GET", "/api/runs/"+fmt.Sprint(runs[0].(map[string]any)["id"]), "")
	if text := fmt.Sprint(last); !strings.Contains(text, "***MASKED***") || strings.Contains(text, token) {
		t.Errorf("the recorded run shows a token or no configuration: %v", last["config"])
	}
	if sunk := counts(); len(sunk) == 0 {
		t.Error("the sink has counted nothing")
	}
	if code := c.end(); code != exitcode.OK {
		t.Errorf("exit code %d: %s", code, c.logs.String())
	}
	for name, text := range map[string]string{"output": c.stdout.String(), "log": c.logs.String()} {
		if strings.Contains(text, token) || strings.Contains(text, c.key) {
			t.Errorf("the %s holds a secret", name)
		}
	}
}

// Behind compose or a proxy the controller does not know by itself what people type.
func TestLinksHaveThePublicAddress(t *testing.T) {
	c := prepare(t, t.TempDir())
	c.host.Env["PUBLIC_URL"] = "https://load.example.test/"
	c.begin()
	const want = "https://load.example.test/#code="
	if printed := c.stdout.String(); !strings.Contains(printed, want) {
		t.Errorf("the first link is not %s…: %s", want, printed)
	}
	var out, complaints written
	h := c.host
	h.Stdout, h.Stderr = &out, &complaints
	h.Env["LISTEN_ADDR"] = strings.TrimPrefix(c.base, "http://")
	if code := cli.Run(
		t.Context(),
		[]string{"login-link"},
		h,
	); code != exitcode.OK ||
		!strings.HasPrefix(out.String(), want) {
		t.Errorf("login-link: %d %s%s", code, out.String(), complaints.String())
	}
}

func TestCommandsAskTheRunningController(t *testing.T) {
	c := start(t)
	client := func(args ...string) (int, string) {
		var out, err written
		h := c.host
		h.Stdout, h.Stderr = &out, &err
		return cli.Run(t.Context(), append(args, "--api-base", c.base), h), out.String() + err.String()
	}
	code, text := client("login-link")
	link := regexp.MustCompile(`#code=(\w+)`).FindStringSubmatch(text)
	if code != exitcode.OK || link == nil {
		t.Fatalf("login-link: %d %s", code, text)
	}
	c.must(200, "POST", "/api/session", `{"code":"`+link[1]+`"}`)
	c.must(201, "POST", "/api/funnels",
		`{"name":"on","probability":0.5,"steps":[{"type":"pageview","url":"https://shop.example.test/"}]}`)
	c.must(
		201,
		"POST",
		"/api/funnels",
		`{"name":"off","probability":0.5,"enabled":false,"steps":[{"type":"pageview","url":"https://shop.example.test/"}]}`,
	)
	if code, text := client("export-funnels"); code != exitcode.OK || !strings.Contains(text, `"on"`) ||
		strings.Contains(text, `"off"`) {
		t.Errorf("export-funnels: %d %s", code, text)
	}
	file := filepath.Join(c.dir, "copy.db")
	if code, text := client("backup", "--output", file); code != exitcode.OK {
		t.Errorf("backup: %d %s", code, text)
	}
	data, err := os.ReadFile(file)
	if err != nil || !bytes.HasPrefix(data, []byte("SQLite format 3")) {
		t.Errorf("backup: %v, %d bytes", err, len(data))
	}
}
