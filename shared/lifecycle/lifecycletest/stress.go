// Package lifecycletest owns the test that each service has to pass, whatever it does.
package lifecycletest

import (
	"context"
	"sync"
	"testing"

	"github.com/puttrix/trafficinator/shared/lifecycle"
)

// Stress starts and stops services of newService in every order. Each must end without an error.
func Stress(t *testing.T, newService func(t *testing.T) *lifecycle.Service) {
	t.Helper()
	for name, use := range map[string]func(ctx context.Context, s *lifecycle.Service){
		"started and stopped": func(ctx context.Context, s *lifecycle.Service) {
			s.Start(ctx)
			<-s.Started()
		},
		"stopped before it is started": func(ctx context.Context, s *lifecycle.Service) {
			_ = s.Stop() // its error is checked below
			s.Start(ctx)
			<-s.Started()
		},
		"started and stopped twice": func(ctx context.Context, s *lifecycle.Service) {
			s.Start(ctx)
			s.Start(ctx)
			_ = s.Stop() // its error is checked below
		},
		"ended by its context": func(ctx context.Context, s *lifecycle.Service) {
			ctx, cancel := context.WithCancel(ctx)
			s.Start(ctx)
			<-s.Started()
			cancel()
			<-s.Done()
		},
		"started and stopped at once": func(ctx context.Context, s *lifecycle.Service) {
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() { s.Start(ctx) })
				all.Go(func() { _ = s.Stop() }) // its error is checked below
				all.Go(func() { <-s.Started() })
			}
			all.Wait()
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t)
			use(t.Context(), s)
			if err := s.Stop(); err != nil {
				t.Errorf("stopped with %v", err)
			}
			select {
			case <-s.Done():
			default:
				t.Error("it continues after it was stopped")
			}
		})
	}
}
