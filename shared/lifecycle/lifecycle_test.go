package lifecycle_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/puttrix/trafficinator/shared/lifecycle"
	"github.com/puttrix/trafficinator/shared/lifecycle/lifecycletest"
)

func untilDone(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestServicesKeepTheContract(t *testing.T) {
	t.Parallel()
	lifecycletest.Stress(t, func(*testing.T) *lifecycle.Service { return lifecycle.New("waiting", untilDone) })
	lifecycletest.Stress(t, func(t *testing.T) *lifecycle.Service {
		ended := 0
		t.Cleanup(func() {
			if ended != 1 {
				t.Errorf("ended %d times", ended)
			}
		})
		return lifecycle.Closer("closer", func() error {
			ended++
			return nil
		})
	})
	lifecycletest.Stress(t, func(*testing.T) *lifecycle.Service {
		return lifecycle.New("short", func(context.Context) error { return nil })
	})
}

func TestTasksEndWithTheirService(t *testing.T) {
	t.Parallel()
	lifecycletest.Stress(t, func(t *testing.T) *lifecycle.Service {
		tasks := lifecycle.NewTasks("requests")
		for range 3 {
			if _, err := tasks.Go(t.Context(), func(ctx context.Context) { <-ctx.Done() }); err != nil {
				t.Fatal(err)
			}
		}
		cancel, err := tasks.Go(t.Context(), func(ctx context.Context) { <-ctx.Done() })
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		t.Cleanup(func() {
			if _, err := tasks.Go(t.Context(), func(context.Context) {}); !errors.Is(err, lifecycle.ErrStopped) {
				t.Errorf("work begins after the end: %v", err)
			}
		})
		return tasks.Service
	})
}

func TestAPanicOfATaskIsAFailureOfItsService(t *testing.T) {
	t.Parallel()
	tasks := lifecycle.NewTasks("requests")
	tasks.Start(t.Context())
	if _, err := tasks.Go(t.Context(), func(context.Context) { panic("nil map") }); err != nil {
		t.Fatal(err)
	}
	<-tasks.Done()
	if err := tasks.Stop(); err == nil || err.Error() != "requests: panic: nil map" {
		t.Errorf("got %v", err)
	}
}

func TestAServiceThatWasStoppedNeverStarts(t *testing.T) {
	t.Parallel()
	s := lifecycle.New("never", func(context.Context) error {
		t.Error("it runs")
		return nil
	})
	_ = s.Stop()
	s.Start(t.Context())
	<-s.Started()
	<-s.Done()
}

func TestAFailureIsTheSameForEveryStop(t *testing.T) {
	t.Parallel()
	broken, unclosed := errors.New("broken"), errors.New("unclosed")
	s := lifecycle.New("watcher", func(context.Context) error { return broken }).
		OnStop(func() error { return unclosed })
	s.Start(t.Context())
	<-s.Done()
	for range 2 {
		if err := s.Stop(); !errors.Is(err, broken) || !errors.Is(err, unclosed) ||
			err.Error() != "watcher: broken\nwatcher: unclosed" {
			t.Errorf("got %v", err)
		}
	}
}

// trace is what happened, in order.
type trace struct {
	mu    sync.Mutex
	lines []string
}

func (t *trace) add(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, line)
}

func (t *trace) service(name string) *lifecycle.Service {
	return lifecycle.New(name, untilDone).OnStop(func() error {
		t.add(name)
		return nil
	})
}

func TestAGroupStopsTheLastFirst(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var ended trace
	g := lifecycle.NewGroup(slog.New(slog.DiscardHandler))
	g.Add(ended.service("store"), ended.service("watcher"), lifecycle.Loop("caller", func(context.Context) {
		cancel()
	}))
	g.Add(ended.service("listener"))
	if !g.Run(ctx) || strings.Join(ended.lines, " ") != "listener watcher store" {
		t.Errorf("ended %v", ended.lines)
	}
}

func TestAGroupThatNeverRanEndsWhatItHolds(t *testing.T) {
	t.Parallel()
	var ended trace
	g := lifecycle.NewGroup(slog.New(slog.DiscardHandler))
	g.Add(ended.service("store"), ended.service("port"))
	once, twice := g.Stop(), g.Stop()
	if !once || !twice || strings.Join(ended.lines, " ") != "port store" {
		t.Errorf("ended %v", ended.lines)
	}
}

// A watcher that panics must neither end the process at once nor go unnoticed.
func TestAPanicEndsTheProgramInOrder(t *testing.T) {
	t.Parallel()
	for what, one := range map[string]struct {
		run  func(context.Context) error
		said []string
	}{
		"a panic":  {func(context.Context) error { panic("nil map") }, []string{"watcher: panic: nil map", "stack="}},
		"an error": {func(context.Context) error { return errors.New("no port") }, []string{"watcher: no port"}},
	} {
		var said bytes.Buffer
		var ended trace
		g := lifecycle.NewGroup(slog.New(slog.NewTextHandler(&said, nil)))
		g.Add(ended.service("store"), lifecycle.New("watcher", one.run), ended.service("listener"))
		if g.Run(t.Context()) || strings.Join(ended.lines, " ") != "listener store" {
			t.Errorf("%s: ended %v", what, ended.lines)
		}
		for _, want := range one.said {
			if strings.Count(said.String(), want) != 1 {
				t.Errorf("%s: the log says %q not once: %s", what, want, said.String())
			}
		}
	}
}

func TestAnEndThatFailsIsLogged(t *testing.T) {
	t.Parallel()
	var said bytes.Buffer
	g := lifecycle.NewGroup(slog.New(slog.NewTextHandler(&said, nil)))
	g.Add(lifecycle.Closer("database", func() error { panic("closed twice") }))
	if g.Stop() || !strings.Contains(said.String(), "database: panic: closed twice") {
		t.Errorf("the log says %s", said.String())
	}
}
