package lifecycle

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
)

// Group is the services of a program, in the order of their start. It is not safe for concurrent use.
type Group struct {
	log      *slog.Logger
	services []*Service
}

// NewGroup is a group without services. Failures are written to log.
func NewGroup(log *slog.Logger) *Group { return &Group{log: log} }

// Add adds services, which start after those that were added before and stop before them.
func (g *Group) Add(services ...*Service) { g.services = append(g.services, services...) }

// Run starts all services in order, waits until ctx is done or one of them fails, and stops all of them, the last one
// first. A failure is logged when it happens. It is false where one failed, or could not be ended in order.
func (g *Group) Run(ctx context.Context) bool {
	failed := make(chan struct{}, len(g.services))
	var watchers sync.WaitGroup
	defer watchers.Wait()
	for _, s := range g.services {
		s.Start(context.WithoutCancel(ctx)) // so that each goes on until its turn to stop
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

// Stop stops all services, the last one first, also those that never started. It is false where one failed.
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

// attributes are those of an error in the log.
func attributes(err error) []any {
	if p := (*Panic)(nil); errors.As(err, &p) {
		return []any{"err", err, "stack", string(p.Stack)}
	}
	return []any{"err", err}
}
