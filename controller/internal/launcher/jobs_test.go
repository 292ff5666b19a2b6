package launcher_test

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

func runsJob(t *testing.T, s subject) {
	job := s.Job("a")
	if j := job.Status(t.Context()); j.State != launcher.Missing || j.Name != s.JobName("a") {
		t.Errorf("want a job that was never started to be missing, got %+v", j)
	}
	must(t, s.Start(t.Context()))
	main := await(t, s.Runtime, launcher.Running)
	s.publish(t, "a", map[string]string{"RUN_ID": "a"})
	must(t, job.Start(t.Context()))
	first := await(t, job, launcher.Running)
	must(t, job.Start(t.Context()))
	sameProcess(t, s.Job("a"), first)
	if first.ID == main.ID || first.Name != s.JobName("a") {
		t.Errorf("want a separate process named %s, got %+v", s.JobName("a"), first)
	}
	awaitLine(t, job, "idle")
	must(t, job.Stop(t.Context(), time.Minute))
	if ended := job.Status(t.Context()); ended.State != launcher.Exited || ended.ExitCode != 0 || ended.Crashed() ||
		ended.Ended.IsZero() {
		t.Errorf("want exit code 0, got %+v", ended)
	}
	must(t, job.Stop(t.Context(), time.Second))
	sameProcess(t, s.Runtime, main)
}

func separatesJob(t *testing.T, s subject) {
	s.publish(t, "a", map[string]string{"RUN_ID": "a", "AUTO_START": "true",
		"MATOMO_URL": "http://127.0.0.1:1/matomo.php", "STOP_AFTER_VISITS": "1"})
	job := s.Job("a")
	must(t, job.Start(t.Context()))
	await(t, job, launcher.Exited)
	dir := filepath.Join(s.state, exchange.JobFolder("a"))
	if data, err := statedir.Read(s.fs, dir, "a"); err != nil || !strings.Contains(string(data), `"run_id": "a"`) {
		t.Errorf("want its ledger in %s, got %s, %v; log %v", dir, data, err, read(t, job, launcher.LogQuery{}))
	}
}

func rejectsJob(t *testing.T, s subject) {
	must(t, s.Start(t.Context()))
	s.publish(t, "a", map[string]string{"AUTO_START": "true", "CONCURRENCY": "0"})
	job := s.Job("a")
	must(t, job.Start(t.Context()))
	if j := await(t, job, launcher.Exited); j.ExitCode != 2 || j.Crashed() {
		t.Errorf("want the exit code of invalid settings, got %+v", j)
	}
	awaitLine(t, job, "CONCURRENCY")
	await(t, s.Runtime, launcher.Running)
	if lines := read(t, s.Runtime, launcher.LogQuery{Texts: []string{"CONCURRENCY"}}); len(lines) > 0 {
		t.Errorf("want the problem only in the log of the job, got %v", lines)
	}
}

func resumesJob(t *testing.T, s subject) {
	s.publish(t, "a", nil)
	killAndStart(t, s, s.Job("a"))
}

func removesJob(t *testing.T, s subject) {
	a, b := s.Job("a"), s.Job("b")
	s.publish(t, "a", nil)
	s.publish(t, "b", nil)
	for _, job := range []launcher.Loadgen{a, b} {
		must(t, job.Start(t.Context()))
		await(t, job, launcher.Running)
	}
	if err := s.RemoveJob(t.Context(), "a"); !errors.Is(err, launcher.ErrInvalidState) {
		t.Errorf("want an error for a running job, got %v", err)
	}
	must(t, a.Stop(t.Context(), time.Minute))
	must(t, s.RemoveJob(t.Context(), "a"))
	must(t, s.RemoveJob(t.Context(), "a"))
	a = s.Job("a")
	if j := a.Status(t.Context()); j.State != launcher.Missing {
		t.Errorf("want it missing, got %+v", j)
	}
	if lines := read(t, a, launcher.LogQuery{}); len(lines) > 0 {
		t.Errorf("want no log, got %v", lines)
	}
	await(t, b, launcher.Running)
}
