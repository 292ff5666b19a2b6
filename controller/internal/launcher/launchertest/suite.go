// Package launchertest owns what every runtime must do alike: one suite for all of them, run with a real loadgen.
package launchertest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/shared/exchange"
)

// Subject is a port under test, with a loadgen that was never started.
type Subject struct {
	Port launcher.Runtime
	// Publish writes loadgen.env.
	Publish func(t *testing.T, values map[string]string)
	// Kill ends the loadgen by SIGKILL, or a job.
	Kill func(t *testing.T, s launcher.Status)
	// Jobs are those of the same runtime; PublishJob writes the loadgen.env of one.
	Jobs       launcher.JobRuntime
	PublishJob func(t *testing.T, id string, values map[string]string)
	// State is the state folder in FS.
	State string
	FS    afero.Fs
}

// patience bounds every wait.
const patience = 3 * time.Minute

// Run runs the suite; fresh makes a subject for each test.
func Run(t *testing.T, fresh func(*testing.T) Subject) {
	for name, test := range map[string]func(*testing.T, Subject){
		"starts once, idles, and stops":                  startsAndStops,
		"a restart is another life with another plan":    restarts,
		"bad settings end it with a name and a reason":   refuses,
		"a kill is a crash, and it can be started again": crashes,
		"the log is cut after it is filtered":            cutsLogs,
		"who follows the log sees new lines and the end": follows,
		"a stop that nobody waits for returns":           letsGo,
		"what is healthy is not healed":                  isHealthy,
		"visits are outlined beside it":                  outlines,
		"a job goes its own way beside it":               besideJob,
		"a job keeps its ledger in a folder of its own":  keepsLedger,
		"bad settings end a job alone":                   refusesJob,
		"a job that was killed goes on":                  goesOn,
		"a job is forgotten when it is removed":          forgets,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, fresh(t))
		})
	}
}

func startsAndStops(t *testing.T, s Subject) {
	must(t, s.Port.Start(t.Context()))
	first := await(t, s.Port, launcher.Running)
	if !answers(t, first.Telemetry, "/healthz", `"phase":"idle"`) {
		t.Errorf("a loadgen that idles should say so at %s", first.Telemetry)
	}
	must(t, s.Port.Start(t.Context()))
	if again := s.Port.Status(t.Context()); again.ID != first.ID || !again.Started.Equal(first.Started) {
		t.Errorf("a second start should change nothing: %+v, then %+v", first, again)
	}
	must(t, s.Port.Stop(t.Context(), time.Minute))
	ended := s.Port.Status(t.Context())
	if ended.State != launcher.Exited || ended.ExitCode != 0 || ended.Crashed() || ended.Telemetry != "" {
		t.Errorf("an idle loadgen should end well: %+v", ended)
	}
	must(t, s.Port.Stop(t.Context(), time.Second))
}

func restarts(t *testing.T, s Subject) {
	for _, id := range []string{"first", "second"} {
		s.Publish(t, map[string]string{"RUN_ID": id})
		must(t, s.Port.Restart(t.Context(), time.Minute))
		l := await(t, s.Port, launcher.Running)
		if !answers(t, l.Telemetry, "/metrics", `run_id="`+id+`"`) {
			t.Errorf("the loadgen should have the plan %s", id)
		}
	}
}

func refuses(t *testing.T, s Subject) {
	s.Publish(t, map[string]string{"AUTO_START": "true", "CONCURRENCY": "0"})
	must(t, s.Port.Start(t.Context()))
	l := await(t, s.Port, launcher.Exited)
	if l.ExitCode != 2 || l.Crashed() {
		t.Errorf("want the exit code of bad settings, got %+v", l)
	}
	told := read(t, s.Port, launcher.LogQuery{Level: launcher.Error})
	if len(told) == 0 || !strings.Contains(told[0].Text, "CONCURRENCY") || told[0].Level != launcher.Error {
		t.Errorf("the log should name the setting: %v", told)
	}
}

func crashes(t *testing.T, s Subject) {
	must(t, s.Port.Start(t.Context()))
	l := await(t, s.Port, launcher.Running)
	s.Kill(t, l)
	if l = await(t, s.Port, launcher.Exited); l.ExitCode != 137 || !l.Crashed() || l.Ended.IsZero() {
		t.Errorf("want a crash with 128 + SIGKILL, got %+v", l)
	}
	must(t, s.Port.Start(t.Context()))
	await(t, s.Port, launcher.Running)
}

func cutsLogs(t *testing.T, s Subject) {
	s.Publish(t, map[string]string{"AUTO_START": "true", "CONCURRENCY": "0", "PAGEVIEWS_MIN": "0", "BULK_SIZE": "0"})
	must(t, s.Port.Start(t.Context()))
	await(t, s.Port, launcher.Exited)
	all := read(t, s.Port, launcher.LogQuery{})
	if len(all) < 3 {
		t.Fatalf("want a line for each problem, got %v", all)
	}
	if last := read(t, s.Port, launcher.LogQuery{Tail: 1}); len(last) != 1 || last[0].Text != all[len(all)-1].Text {
		t.Errorf("the last line should be %v, got %v", all[len(all)-1], last)
	}
	if one := read(t, s.Port, launcher.LogQuery{Tail: 1, Texts: []string{"concurrency"}}); len(one) != 1 ||
		!strings.Contains(one[0].Text, "CONCURRENCY") {
		t.Errorf("the filter goes before the cut: %v", one)
	}
	if none := read(t, s.Port, launcher.LogQuery{Since: all[len(all)-1].Time.Add(time.Millisecond)}); len(none) != 0 {
		t.Errorf("nothing was written since the end: %v", none)
	}
}

func follows(t *testing.T, s Subject) {
	must(t, s.Port.Start(t.Context()))
	await(t, s.Port, launcher.Running)
	seen := make(chan string, 1000)
	done := make(chan error, 1)
	go func() {
		done <- s.Port.Logs(t.Context(), launcher.LogQuery{Follow: true}, func(l launcher.Line) error {
			seen <- l.Text
			return nil
		})
	}()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for text := ""; !strings.Contains(text, "idle"); {
		select {
		case text = <-seen:
		case <-ctx.Done():
			t.Fatal("the line that it idles did not come")
		}
	}
	must(t, s.Port.Stop(t.Context(), time.Minute))
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("following should end well with the loadgen: %v", err)
		}
	case <-ctx.Done():
		t.Fatal("following did not end with the loadgen")
	}
}

func letsGo(t *testing.T, s Subject) {
	must(t, s.Port.Start(t.Context()))
	await(t, s.Port, launcher.Running)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Port.Logs(ctx, launcher.LogQuery{Follow: true}, func(launcher.Line) error {
		return nil
	}); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("reading the log should just end: %v", err)
	}
	if err := s.Port.Restart(ctx, patience); !errors.Is(err, context.Canceled) {
		t.Errorf("want the context's error, got %v", err)
	}
}

func isHealthy(t *testing.T, s Subject) {
	must(t, s.Port.Start(t.Context()))
	before := await(t, s.Port, launcher.Running)
	if did, err := s.Port.Heal(t.Context()); !errors.Is(err, launcher.ErrNothingToHeal) {
		t.Errorf("want %v, got %q, %v", launcher.ErrNothingToHeal, did, err)
	}
	if after := s.Port.Status(t.Context()); after.ID != before.ID || after.State != launcher.Running {
		t.Errorf("it should be as it was: %+v, now %+v", before, after)
	}
}

func outlines(t *testing.T, s Subject) {
	must(t, s.Port.Start(t.Context()))
	before := await(t, s.Port, launcher.Running)
	files := map[string][]byte{
		"loadgen.env": []byte("MATOMO_URL=https://matomo.example.test/matomo.php\nRUN_ID=outline\nRUN_SEED=1\n"),
		"urls.txt":    []byte("https://shop.example.test/only\n"),
	}
	first, err := s.Port.Plan(t.Context(), files, "--format", "jsonl", "--visits", "2")
	must(t, err)
	if text := string(first.Stdout); first.ExitCode != 0 || !strings.Contains(text, `"visit":1`) ||
		strings.Contains(text, `"visit":2`) || !strings.Contains(text, "shop.example.test/only") {
		t.Errorf("want two visits to the only page, got %+v", first)
	}
	again, err := s.Port.Plan(t.Context(), files, "--format", "jsonl", "--visits", "2")
	must(t, err)
	if string(again.Stdout) != string(first.Stdout) {
		t.Error("the same files should give the same visits")
	}
	refused, err := s.Port.Plan(t.Context(), map[string][]byte{"loadgen.env": []byte("CONCURRENCY=0\n")}, "--estimate")
	must(t, err)
	if refused.ExitCode != 2 || !slices.ContainsFunc(refused.Stderr, func(l launcher.Line) bool {
		return l.Level == launcher.Error && l.Problem != nil && l.Problem.Where == "CONCURRENCY"
	}) {
		t.Errorf("want the fault and its exit code, got %+v", refused)
	}
	if after := s.Port.Status(t.Context()); after.ID != before.ID || after.State != launcher.Running {
		t.Errorf("the loadgen itself should not notice: %+v, now %+v", before, after)
	}
}

// Publish writes a loadgen.env into a folder, which it makes.
func Publish(t *testing.T, fsys afero.Fs, dir string, values map[string]string) {
	t.Helper()
	data, err := exchange.EncodeEnv(values)
	must(t, err)
	must(t, fsys.MkdirAll(dir, 0o700))
	must(t, exchange.Publish(fsys, dir, map[string][]byte{exchange.EnvFile: data}))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// await waits for a state.
func await(t *testing.T, p launcher.Runtime, want launcher.State) launcher.Status {
	t.Helper()
	var s launcher.Status
	until(t, func() bool { s = p.Status(t.Context()); return s.State == want }, func() any { return s })
	return s
}

// awaitJob waits for a state of a job.
func awaitJob(t *testing.T, j launcher.JobRuntime, id string, want launcher.State) launcher.Status {
	t.Helper()
	var s launcher.Status
	until(t, func() bool { s = j.Job(t.Context(), id); return s.State == want }, func() any { return s })
	return s
}

func until(t *testing.T, yes func() bool, got func() any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !yes() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited %s in vain, last saw %+v", patience, got())
		}
	}
}

// answers reports whether the loadgen comes to answer with the text.
func answers(t *testing.T, base, path, text string) bool {
	t.Helper()
	var got string
	until(t, func() bool {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+path, nil)
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
	return true
}

func read(t *testing.T, p launcher.Runtime, q launcher.LogQuery) []launcher.Line {
	t.Helper()
	var out []launcher.Line
	must(t, p.Logs(t.Context(), q, func(l launcher.Line) error { out = append(out, l); return nil }))
	return out
}
