package launcher_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/launcher/docker"
	"github.com/puttrix/trafficinator/controller/internal/launcher/process"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/testbed"
)

// subject is a runtime under test, with a loadgen that was never started.
type subject struct {
	launcher.Runtime
	launcher.JobRuntime
	fs              afero.Fs
	exchange, state string // folders
	// kill kills the main loadgen or that of a job.
	kill func(t *testing.T, s launcher.Status)
}

// publish writes the loadgen.env of the main loadgen, or of a job unless its ID is empty.
func (s subject) publish(t *testing.T, job string, values map[string]string) {
	t.Helper()
	dir := s.exchange
	if job != "" {
		dir = filepath.Join(dir, exchange.JobFolder(job))
	}
	data, err := exchange.EncodeEnv(values)
	must(t, err)
	must(t, s.fs.MkdirAll(dir, 0o700))
	must(t, exchange.Publish(s.fs, dir, map[string][]byte{exchange.EnvFile: data}))
}

func newProcesses(t *testing.T) subject {
	dir, fsys := t.TempDir(), afero.NewOsFs()
	s := subject{fs: fsys, exchange: dir, state: filepath.Join(dir, "state"),
		kill: func(t *testing.T, s launcher.Status) {
			pid, err := strconv.Atoi(s.ID)
			must(t, err)
			child, err := os.FindProcess(pid)
			must(t, err)
			must(t, child.Kill())
		}}
	p := process.New(fsys, process.Config{Bin: testbed.Loadgen(t), Exchange: dir, State: s.state, Log: io.Discard})
	t.Cleanup(func() { must(t, p.Close(context.Background(), time.Minute)) }) // t.Context is done by now
	s.Runtime, s.JobRuntime = p, p
	return s
}

func newContainers(t *testing.T) subject {
	testbed.NeedsLoadgenImage(t)
	dir := t.TempDir()
	s := subject{fs: afero.NewOsFs(), exchange: filepath.Join(dir, "exchange"), state: filepath.Join(dir, "state"),
		kill: func(t *testing.T, s launcher.Status) { testbed.Docker(t, "kill", s.ID) }}
	must(t, s.fs.Mkdir(s.exchange, 0o700))
	must(t, s.fs.Mkdir(s.state, 0o700))
	name := "trafficinator-test-" + strings.ToLower(rand.Text()[:10])
	d, err := docker.New(docker.Config{
		Engine: docker.Engine{Host: os.Getenv("DOCKER_HOST")}, Name: name, Stack: name, Image: testbed.LoadgenImage,
		Exchange: s.exchange, State: s.state, User: fmt.Sprintf("%d:%d", os.Getuid(), os.Getgid()),
	})
	must(t, err)
	t.Cleanup(func() {
		for id := range strings.FieldsSeq(testbed.Docker(t, "ps", "--all", "--quiet", "--filter", "name="+name)) {
			testbed.Docker(t, "rm", "--force", id)
		}
		must(t, d.Close(context.Background(), 0))
	})
	s.Runtime, s.JobRuntime = d, d
	return s
}

// timeout limits every wait.
const timeout = 3 * time.Minute

func TestRuntimes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*testing.T, subject){
		"starts once, idles and stops":                    startsAndStops,
		"a restarted loadgen reads its settings again":    readsSettings,
		"invalid settings end it with a reason":           rejectsSettings,
		"a killed loadgen has crashed and can be started": crashes,
		"the log is filtered before it is cut":            filtersLog,
		"following the log ends with the loadgen":         followsLog,
		"a canceled stop returns":                         cancelsStop,
		"a healthy loadgen is not healed":                 isHealthy,
		"a plan runs next to the loadgen":                 plans,
		"a job runs next to the loadgen":                  runsJob,
		"a job has a separate state folder":               separatesJob,
		"invalid settings end only the job":               rejectsJob,
		"a killed job resumes":                            resumesJob,
		"an ended job can be removed":                     removesJob,
	} {
		t.Run("process "+name, func(t *testing.T) {
			t.Parallel()
			test(t, newProcesses(t))
		})
		t.Run("docker "+name, func(t *testing.T) {
			t.Parallel()
			test(t, newContainers(t))
		})
	}
}

func startsAndStops(t *testing.T, s subject) {
	must(t, s.Start(t.Context()))
	first := await(t, s.Runtime, launcher.Running)
	awaitAnswer(t, first.Telemetry+"/healthz", `"phase":"idle"`)
	must(t, s.Start(t.Context()))
	sameProcess(t, s.Runtime, first)
	must(t, s.Stop(t.Context(), time.Minute))
	ended := s.Status(t.Context())
	if ended.State != launcher.Exited || ended.ExitCode != 0 || ended.Crashed() || ended.Telemetry != "" {
		t.Errorf("want an idle loadgen to end with exit code 0, got %+v", ended)
	}
	must(t, s.Stop(t.Context(), time.Second))
}

func readsSettings(t *testing.T, s subject) {
	for _, id := range []string{"first", "second"} {
		s.publish(t, "", map[string]string{"RUN_ID": id})
		must(t, s.Stop(t.Context(), time.Minute))
		must(t, s.Start(t.Context()))
		awaitAnswer(t, await(t, s.Runtime, launcher.Running).Telemetry+"/metrics", `run_id="`+id+`"`)
	}
}

func rejectsSettings(t *testing.T, s subject) {
	s.publish(t, "", map[string]string{"AUTO_START": "true", "CONCURRENCY": "0"})
	must(t, s.Start(t.Context()))
	if l := await(t, s.Runtime, launcher.Exited); l.ExitCode != 2 || l.Crashed() {
		t.Errorf("want the exit code of invalid settings, got %+v", l)
	}
	lines := read(t, s.Runtime, launcher.LogQuery{Level: launcher.Error})
	if len(lines) == 0 || !strings.Contains(lines[0].Text, "CONCURRENCY") || lines[0].Level != launcher.Error {
		t.Errorf("want the log to name the setting, got %v", lines)
	}
}

func crashes(t *testing.T, s subject) { killAndStart(t, s, s.Runtime) }

func killAndStart(t *testing.T, s subject, l launcher.Loadgen) {
	t.Helper()
	must(t, l.Start(t.Context()))
	s.kill(t, await(t, l, launcher.Running))
	if killed := await(t, l, launcher.Exited); killed.ExitCode != 137 || !killed.Crashed() || killed.Ended.IsZero() {
		t.Errorf("want a crash with 128 + SIGKILL, got %+v", killed)
	}
	must(t, l.Start(t.Context()))
	await(t, l, launcher.Running)
}

func filtersLog(t *testing.T, s subject) {
	s.publish(t, "", map[string]string{"AUTO_START": "true", "CONCURRENCY": "0", "PAGEVIEWS_MIN": "0",
		"BULK_SIZE": "0"})
	must(t, s.Start(t.Context()))
	await(t, s.Runtime, launcher.Exited)
	all := read(t, s.Runtime, launcher.LogQuery{})
	if len(all) < 3 {
		t.Fatalf("want a line for each problem, got %v", all)
	}
	if last := read(t, s.Runtime, launcher.LogQuery{Tail: 1}); len(last) != 1 || last[0].Text != all[len(all)-1].Text {
		t.Errorf("want the last line %v, got %v", all[len(all)-1], last)
	}
	one := read(t, s.Runtime, launcher.LogQuery{Tail: 1, Texts: []string{"concurrency"}})
	if len(one) != 1 || !strings.Contains(one[0].Text, "CONCURRENCY") {
		t.Errorf("want the last line that matches, got %v", one)
	}
	end := all[len(all)-1].Time.Add(time.Millisecond)
	if none := read(t, s.Runtime, launcher.LogQuery{Since: end}); len(none) != 0 {
		t.Errorf("want nothing since the end, got %v", none)
	}
}

func followsLog(t *testing.T, s subject) {
	must(t, s.Start(t.Context()))
	await(t, s.Runtime, launcher.Running)
	seen := make(chan string, 1000)
	done := make(chan error, 1)
	go func() {
		done <- s.Logs(t.Context(), launcher.LogQuery{Follow: true}, func(l launcher.Line) error {
			seen <- l.Text
			return nil
		})
	}()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	for text := ""; !strings.Contains(text, "idle"); {
		select {
		case text = <-seen:
		case <-ctx.Done():
			t.Fatal("no line reports that the loadgen idles")
		}
	}
	must(t, s.Stop(t.Context(), time.Minute))
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("want no error at the end of the loadgen, got %v", err)
		}
	case <-ctx.Done():
		t.Fatal("following did not end with the loadgen")
	}
}

func cancelsStop(t *testing.T, s subject) {
	must(t, s.Start(t.Context()))
	await(t, s.Runtime, launcher.Running)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Logs(ctx, launcher.LogQuery{Follow: true}, func(launcher.Line) error {
		return nil
	}); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("want a canceled read of the log to end, got %v", err)
	}
	if err := s.Stop(ctx, timeout); !errors.Is(err, context.Canceled) {
		t.Errorf("want the context's error, got %v", err)
	}
}

func isHealthy(t *testing.T, s subject) {
	must(t, s.Start(t.Context()))
	before := await(t, s.Runtime, launcher.Running)
	if did, err := s.Heal(t.Context()); !errors.Is(err, launcher.ErrNothingToHeal) {
		t.Errorf("want %v, got %q, %v", launcher.ErrNothingToHeal, did, err)
	}
	sameProcess(t, s.Runtime, before)
}

func plans(t *testing.T, s subject) {
	must(t, s.Start(t.Context()))
	before := await(t, s.Runtime, launcher.Running)
	files := map[string][]byte{
		"loadgen.env": []byte("MATOMO_URL=https://matomo.example.test/matomo.php\nRUN_ID=outline\nRUN_SEED=1\n"),
		"urls.txt":    []byte("https://shop.example.test/only\n"),
	}
	first, err := s.Plan(t.Context(), files, "--format", "jsonl", "--visits", "2")
	must(t, err)
	if text := string(first.Stdout); first.ExitCode != 0 || !strings.Contains(text, `"visit":1`) ||
		strings.Contains(text, `"visit":2`) || !strings.Contains(text, "shop.example.test/only") {
		t.Errorf("want two visits to the only page, got %+v", first)
	}
	again, err := s.Plan(t.Context(), files, "--format", "jsonl", "--visits", "2")
	must(t, err)
	if string(again.Stdout) != string(first.Stdout) {
		t.Error("want the same visits for the same files")
	}
	invalid := map[string][]byte{"loadgen.env": []byte("CONCURRENCY=0\n")}
	rejected, err := s.Plan(t.Context(), invalid, "--estimate")
	must(t, err)
	if rejected.ExitCode != 2 || !slices.ContainsFunc(rejected.Stderr, func(l launcher.Line) bool {
		return l.Level == launcher.Error && l.Problem != nil && l.Problem.Where == "CONCURRENCY"
	}) {
		t.Errorf("want the problem and its exit code, got %+v", rejected)
	}
	sameProcess(t, s.Runtime, before)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// await waits for a state.
func await(t *testing.T, l launcher.Loadgen, want launcher.State) launcher.Status {
	t.Helper()
	var s launcher.Status
	until(t, func() bool { s = l.Status(t.Context()); return s.State == want }, func() any { return s })
	return s
}

// sameProcess checks that a loadgen has been running since before.
func sameProcess(t *testing.T, l launcher.Loadgen, before launcher.Status) {
	t.Helper()
	if now := l.Status(t.Context()); now.ID != before.ID || !now.Started.Equal(before.Started) ||
		now.State != launcher.Running {
		t.Errorf("want the same running process: %+v, now %+v", before, now)
	}
}

func until(t *testing.T, yes func() bool, got func() any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !yes() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("timeout after %s, last saw %+v", timeout, got())
		}
	}
}

// awaitAnswer waits until the loadgen's answer contains the text.
func awaitAnswer(t *testing.T, url, text string) {
	t.Helper()
	var got string
	until(t, func() bool {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		must(t, err)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			got = err.Error()
			return false
		}
		defer resp.Body.Close() //nolint:errcheck // only read
		data, err := io.ReadAll(resp.Body)
		must(t, err)
		got = string(data)
		return strings.Contains(got, text)
	}, func() any { return got })
}

func read(t *testing.T, r launcher.LogReader, q launcher.LogQuery) []launcher.Line {
	t.Helper()
	var out []launcher.Line
	must(t, r.Logs(t.Context(), q, func(l launcher.Line) error { out = append(out, l); return nil }))
	return out
}

// awaitLine waits until a log contains a text.
func awaitLine(t *testing.T, r launcher.LogReader, text string) {
	t.Helper()
	until(t, func() bool { return len(read(t, r, launcher.LogQuery{Texts: []string{text}})) > 0 },
		func() any { return read(t, r, launcher.LogQuery{}) })
}
