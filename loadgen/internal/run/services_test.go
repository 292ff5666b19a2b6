package run

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/standstill"
	"github.com/puttrix/trafficinator/loadgen/internal/state"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/lifecycle"
	"github.com/puttrix/trafficinator/shared/lifecycle/lifecycletest"
	"github.com/puttrix/trafficinator/shared/phase"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// recording returns a run whose summary is always empty.
func recording(t *testing.T, log *slog.Logger) *Run {
	t.Helper()
	folder, err := state.Open(afero.NewMemMapFs(), "")
	if err != nil {
		t.Fatal(err)
	}
	r := &Run{deps: deps{log: log, clock: standstill.NewAt(func() time.Duration { return 0 })}}
	if r.recorder.place, err = folder.Acquire("r"); err != nil {
		t.Fatal(err)
	}
	r.recorder.summary = func(uint64) runsummary.Summary { return runsummary.Summary{} }
	r.setIdle(phase.Running)
	return r
}

func TestServicesMeetTheLifecycleContract(t *testing.T) {
	t.Parallel()
	lifecycletest.Stress(t, func(t *testing.T) *lifecycle.Service {
		return lifecycle.Loop("recorder", recording(t, slog.New(slog.DiscardHandler)).observe)
	})
	lifecycletest.Stress(t, func(*testing.T) *lifecycle.Service {
		c := newControlFile(afero.NewMemMapFs(), "/x", "mine", &fakeRun{}, slog.New(slog.DiscardHandler))
		return lifecycle.Loop("control", func(ctx context.Context) { everySecond(ctx, c.poll) })
	})
}

func TestPanicInTheBackgroundIsLoggedAndEndsTheRun(t *testing.T) {
	kept := &warningLog{}
	synctest.Test(t, func(t *testing.T) {
		r := recording(t, newLog(t.Output(), slog.LevelInfo, false, kept))
		r.recorder.summary = func(uint64) runsummary.Summary { panic("nil map") }
		var ended atomic.Int32
		r.failRun = func() { ended.Add(1) }
		stop := r.goSupervised(t.Context(), "recorder", r.observe)
		time.Sleep(3 * time.Second)
		if ended.Load() != 1 {
			t.Errorf("the run was ended %d times", ended.Load())
		}
		stop()
	})
	drain, stop := context.WithCancelCause(t.Context())
	stop(endreason.InternalError)
	if end := (idleMode{}).Run(drain, drain); end.Reason.ExitCode() != 1 {
		t.Errorf("an idle loadgen ended with %+v", end)
	}
	if all := kept.all(); len(all) != 1 || all[0].Level != "error" {
		t.Errorf("the log has %+v", all)
	}
	if code := exitCode(End{Reason: endreason.InternalError},
		&runsummary.Summary{Hits: runsummary.Hits{Accepted: 1}}); code != 1 {
		t.Errorf("exit code %d", code)
	}
}
