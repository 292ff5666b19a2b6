package launchertest

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/statedir"
)

func besideJob(t *testing.T, s Subject) {
	if there := s.Jobs.Job(t.Context(), "a"); there.State != launcher.Missing || there.Name != s.Jobs.JobName("a") {
		t.Errorf("nothing was started yet: %+v", there)
	}
	must(t, s.Port.Start(t.Context()))
	kept := await(t, s.Port, launcher.Running)
	s.PublishJob(t, "a", map[string]string{"RUN_ID": "a"})
	must(t, s.Jobs.StartJob(t.Context(), "a"))
	job := awaitJob(t, s.Jobs, "a", launcher.Running)
	must(t, s.Jobs.StartJob(t.Context(), "a"))
	if again := s.Jobs.Job(t.Context(), "a"); again.ID != job.ID || job.ID == kept.ID ||
		!again.Started.Equal(job.Started) {
		t.Errorf("a second start should change nothing: %+v, then %+v beside %+v", job, again, kept)
	}
	told(t, s.Jobs, "a", "idle")
	must(t, s.Jobs.StopJob(t.Context(), "a", time.Minute))
	if ended := s.Jobs.Job(t.Context(), "a"); ended.State != launcher.Exited || ended.ExitCode != 0 ||
		ended.Crashed() ||
		ended.Ended.IsZero() {
		t.Errorf("it should end well: %+v", ended)
	}
	must(t, s.Jobs.StopJob(t.Context(), "a", time.Second))
	if after := s.Port.Status(t.Context()); after.ID != kept.ID || after.State != launcher.Running {
		t.Errorf("the loadgen itself should not notice: %+v, now %+v", kept, after)
	}
}

func keepsLedger(t *testing.T, s Subject) {
	s.PublishJob(t, "a", map[string]string{"RUN_ID": "a", "AUTO_START": "true",
		"MATOMO_URL": "http://127.0.0.1:1/matomo.php", "STOP_AFTER_VISITS": "1"})
	must(t, s.Jobs.StartJob(t.Context(), "a"))
	awaitJob(t, s.Jobs, "a", launcher.Exited)
	dir := filepath.Join(s.State, exchange.JobFolder("a"))
	if data, err := statedir.Read(s.FS, dir, "a"); err != nil || !strings.Contains(string(data), `"run_id": "a"`) {
		t.Errorf("want its ledger in %s, got %s, %v; log %v", dir, data, err, jobLog(t, s.Jobs, "a"))
	}
}

func refusesJob(t *testing.T, s Subject) {
	must(t, s.Port.Start(t.Context()))
	s.PublishJob(t, "a", map[string]string{"AUTO_START": "true", "CONCURRENCY": "0"})
	must(t, s.Jobs.StartJob(t.Context(), "a"))
	if j := awaitJob(t, s.Jobs, "a", launcher.Exited); j.ExitCode != 2 || j.Crashed() {
		t.Errorf("want the exit code of bad settings, got %+v", j)
	}
	told(t, s.Jobs, "a", "CONCURRENCY")
	await(t, s.Port, launcher.Running)
	for _, line := range read(t, s.Port, launcher.LogQuery{}) {
		if strings.Contains(line.Text, "CONCURRENCY") {
			t.Errorf("the loadgen itself tells the job's fault: %v", line)
		}
	}
}

func goesOn(t *testing.T, s Subject) {
	s.PublishJob(t, "a", nil)
	must(t, s.Jobs.StartJob(t.Context(), "a"))
	s.Kill(t, awaitJob(t, s.Jobs, "a", launcher.Running))
	if j := awaitJob(t, s.Jobs, "a", launcher.Exited); j.ExitCode != 137 || !j.Crashed() {
		t.Errorf("want a crash with 128 + SIGKILL, got %+v", j)
	}
	must(t, s.Jobs.StartJob(t.Context(), "a"))
	awaitJob(t, s.Jobs, "a", launcher.Running)
}

func forgets(t *testing.T, s Subject) {
	for _, id := range []string{"a", "b"} {
		s.PublishJob(t, id, nil)
		must(t, s.Jobs.StartJob(t.Context(), id))
		awaitJob(t, s.Jobs, id, launcher.Running)
	}
	if err := s.Jobs.RemoveJob(t.Context(), "a"); !errors.Is(err, launcher.ErrInvalidState) {
		t.Errorf("one that runs should not be removed, got %v", err)
	}
	must(t, s.Jobs.StopJob(t.Context(), "a", time.Minute))
	must(t, s.Jobs.RemoveJob(t.Context(), "a"))
	must(t, s.Jobs.RemoveJob(t.Context(), "a"))
	if j := s.Jobs.Job(t.Context(), "a"); j.State != launcher.Missing {
		t.Errorf("it should be gone: %+v", j)
	}
	if lines := jobLog(t, s.Jobs, "a"); len(lines) > 0 {
		t.Errorf("its log should be gone: %v", lines)
	}
	if j := s.Jobs.Job(t.Context(), "b"); j.State != launcher.Running {
		t.Errorf("the other one should go on: %+v", j)
	}
}

// told waits until the log of a job holds a text.
func told(t *testing.T, j launcher.JobRuntime, id, text string) {
	t.Helper()
	var lines []launcher.Line
	until(t, func() bool {
		lines = jobLog(t, j, id, text)
		return len(lines) > 0
	}, func() any { return jobLog(t, j, id) })
}

func jobLog(t *testing.T, j launcher.JobRuntime, id string, texts ...string) []launcher.Line {
	t.Helper()
	var out []launcher.Line
	must(t, j.JobLogs(t.Context(), id, launcher.LogQuery{Texts: texts}, func(l launcher.Line) error {
		out = append(out, l)
		return nil
	}))
	return out
}
