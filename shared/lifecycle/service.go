// Package lifecycle owns the contract of everything that runs in the background: it is started once, reports its start,
// and is awaited by whoever stops it. A group of services is a program: a failure of one ends all of them in order.
package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// ErrStopped means that a service has ended and accepts no work.
var ErrStopped = errors.New("the program is stopping")

// Service runs in the background, once. It may be stopped before its start, twice, or from many goroutines, and started
// twice; once stopped, it never starts. It is safe for concurrent use.
type Service struct {
	name string
	run  func(context.Context) error
	end  func() error

	mu      sync.Mutex         // guards what follows
	begun   bool               // it was started, or stopped before it could be
	cancel  context.CancelFunc // nil unless it was started
	started chan struct{}
	done    chan struct{}
	failure error // of run; valid once done is closed
	ending  sync.Once
	endErr  error // of end; valid once ending is done
}

// New is a service that runs run until its context is done. An earlier error or panic of run is a failure; it may
// return nil if it has nothing left to do. The name is for logs and errors.
func New(name string, run func(context.Context) error) *Service {
	return &Service{name: name, run: run, end: func() error { return nil },
		started: make(chan struct{}), done: make(chan struct{})}
}

// Loop is New for a function that cannot fail.
func Loop(name string, run func(context.Context)) *Service {
	return New(name, func(ctx context.Context) error {
		run(ctx)
		return nil
	})
}

// Every calls work now and after each interval until ctx is done.
func Every(ctx context.Context, interval time.Duration, work func(context.Context)) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		work(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Closer is a service that only has to be closed, such as a database: end is called once, even if it was never started.
func Closer(name string, end func() error) *Service {
	return Loop(name, func(ctx context.Context) { <-ctx.Done() }).OnStop(end)
}

// OnStop makes Stop call end once after run has returned, even if the service was never started. Call it before Start.
func (s *Service) OnStop(end func() error) *Service {
	s.end = end
	return s
}

// Name is its name in logs and errors.
func (s *Service) Name() string { return s.name }

// Start starts the service, unless it was started or stopped before. It ends with ctx, or by Stop.
func (s *Service) Start(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begun {
		return
	}
	s.begun = true
	ctx, s.cancel = context.WithCancel(ctx)
	go func() {
		defer close(s.done)
		close(s.started)
		err := guarded(func() error { return s.run(ctx) })
		if ctx.Err() == nil || !errors.Is(err, ctx.Err()) {
			s.failure = s.named(err)
		}
	}()
}

// Started is closed once the service has started, or never will.
func (s *Service) Started() <-chan struct{} { return s.started }

// Done is closed once the service has ended by itself or by Stop, or never will start.
func (s *Service) Done() <-chan struct{} { return s.done }

// Stop ends the service and waits for it. The error is that of its run or its end, the same for every call.
func (s *Service) Stop() error {
	s.mu.Lock()
	if !s.begun {
		s.begun = true
		close(s.started)
		close(s.done)
	}
	if s.cancel != nil {
		s.cancel()
	}
	s.mu.Unlock()
	<-s.done
	s.ending.Do(func() { s.endErr = s.named(guarded(s.end)) })
	return errors.Join(s.failure, s.endErr)
}

func (s *Service) named(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", s.name, err)
}

// Panic is the error of a service that panicked.
type Panic struct {
	Value any    // what it panicked with
	Stack []byte // where, as runtime/debug has it
}

// Error implements error.
func (p *Panic) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

func guarded(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &Panic{v, debug.Stack()}
		}
	}()
	return f()
}

// Tasks is a service for work that is started from outside, such as by requests. All of it ends with the service, and a
// panic in it is a failure of the service. It is safe for concurrent use.
type Tasks struct {
	*Service
	ended  context.Context
	failed chan error
	all    sync.WaitGroup
	mu     sync.Mutex // so that no work starts after the end
}

// NewTasks returns a service without work.
func NewTasks(name string) *Tasks {
	t := &Tasks{failed: make(chan error, 1)}
	ended, end := context.WithCancel(context.Background())
	t.ended = ended
	t.Service = New(name, func(ctx context.Context) error {
		select {
		case err := <-t.failed:
			return err
		case <-ctx.Done():
			return nil
		}
	}).OnStop(func() error {
		t.mu.Lock()
		end()
		t.mu.Unlock()
		t.all.Wait()
		return nil
	})
	return t
}

// Go runs work in the background until cancel is called or the service ends. It has the values of ctx, but not its end.
// The error is ErrStopped once the service has ended.
func (t *Tasks) Go(ctx context.Context, work func(context.Context)) (cancel context.CancelFunc, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended.Err() != nil {
		return nil, ErrStopped
	}
	ctx, cancel = context.WithCancel(context.WithoutCancel(ctx))
	leave := context.AfterFunc(t.ended, cancel)
	t.all.Go(func() {
		defer cancel()
		defer leave()
		err := guarded(func() error {
			work(ctx)
			return nil
		})
		if err != nil {
			select {
			case t.failed <- err:
			default: // one is enough
			}
		}
	})
	return cancel, nil
}

// Group is the services of a program, in starting order. It is not safe for concurrent use.
type Group struct {
	log      *slog.Logger
	services []*Service
}

// NewGroup returns a group without services. Failures are logged to log.
func NewGroup(log *slog.Logger) *Group { return &Group{log: log} }

// Add adds services, which start after the earlier ones and stop before them.
func (g *Group) Add(services ...*Service) { g.services = append(g.services, services...) }

// Run starts all services in order, waits until ctx is done or one of them fails, and stops them in reverse order. A
// failure is logged when it happens. It returns false if one failed, or did not stop cleanly.
func (g *Group) Run(ctx context.Context) bool {
	failed := make(chan struct{}, len(g.services))
	var watchers sync.WaitGroup
	defer watchers.Wait()
	for _, s := range g.services {
		s.Start(context.WithoutCancel(ctx)) // so that each runs until its turn to stop
		watchers.Go(func() {
			<-s.Done()
			if s.failure != nil {
				g.log.Error("internal error", attributes(s.failure)...)
				failed <- struct{}{}
			}
		})
	}
	select {
	case <-ctx.Done():
	case <-failed:
	}
	g.log.Info("stopping")
	return g.Stop()
}

// Stop stops all services in reverse order, even those that never started. It returns false if one failed.
func (g *Group) Stop() bool {
	ok := true
	for _, s := range slices.Backward(g.services) {
		ok = s.Stop() == nil && ok
		if s.endErr != nil {
			g.log.Error("failed to stop cleanly", attributes(s.endErr)...)
		}
	}
	return ok
}

func attributes(err error) []any {
	if p := (*Panic)(nil); errors.As(err, &p) {
		return []any{"err", err, "stack", string(p.Stack)}
	}
	return []any{"err", err}
}
