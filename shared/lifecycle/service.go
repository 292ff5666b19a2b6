// Package lifecycle owns the one contract of everything that runs in the background: it is started once, says when it
// has begun, and is awaited by whoever stops it. A group of services is a program: one that fails ends all of them in
// order. It knows nothing of what any service does.
package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// ErrStopped is the error of work that is begun with a service that has ended.
var ErrStopped = errors.New("the program is stopping")

// Service is something that runs in the background, once. Stopping it before its start, twice, or from many goroutines
// at once is fine, as is starting it twice; one that was stopped never starts. It is safe for concurrent use.
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

// New is a service that runs run until its context is done. An error or a panic of run before that is a failure; it may
// also return nil when it has nothing left to do. The name is for logs and errors.
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

// Closer is a service that only has to be ended, such as a database: end is called once, whether it was started or not.
func Closer(name string, end func() error) *Service {
	return Loop(name, func(ctx context.Context) { <-ctx.Done() }).OnStop(end)
}

// OnStop makes Stop call end once when run has returned, also where the service was never started. Set it before the
// start.
func (s *Service) OnStop(end func() error) *Service {
	s.end = end
	return s
}

// Name is what logs and errors call it.
func (s *Service) Name() string { return s.name }

// Start begins the service, unless it was started or stopped before. It ends with ctx, or by Stop.
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

// Started is closed once the service has begun, or never will.
func (s *Service) Started() <-chan struct{} { return s.started }

// Done is closed once the service has ended by itself or by Stop, or never will begin.
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

// named is err with the service's name before it, nil for nil.
func (s *Service) named(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", s.name, err)
}

// Panic is the error of a service that panicked.
type Panic struct {
	// Value is what it panicked with.
	Value any
	// Stack is where, as runtime/debug has it.
	Stack []byte
}

// Error implements error.
func (p *Panic) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

// guarded is the error of f, a panic included.
func guarded(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &Panic{v, debug.Stack()}
		}
	}()
	return f()
}

// Tasks is a service of work that is begun from outside, such as by requests. All of it ends with the service, and a
// panic in it is a failure of the service. It is safe for concurrent use.
type Tasks struct {
	*Service
	ended  context.Context
	failed chan error
	all    sync.WaitGroup
	mu     sync.Mutex // held where work is begun or the service ends, so that none begins after its end
}

// NewTasks is a service without work.
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

// Go runs work in the background until its context is done: by cancel, or by the end of the service. It has the
// values of ctx and not its end. The error is ErrStopped once the service has ended.
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
