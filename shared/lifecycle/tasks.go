package lifecycle

import (
	"context"
	"sync"
)

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
