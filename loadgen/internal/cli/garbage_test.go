package cli

import (
	"context"
	"log/slog"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/loadgen/internal/host"
	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/loadgen/internal/routing"
	"github.com/puttrix/trafficinator/loadgen/internal/sender"
	"github.com/puttrix/trafficinator/loadgen/internal/sink/fast"
	"github.com/puttrix/trafficinator/loadgen/internal/standstill"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/loadgen/internal/wakeup"
)

// The whole way of a hit counts: arrival, making, writing, sending, judging, booking. What the first ones need, as
// connections and buffers, is in the sum.
func TestHitCostsLessThanOneAllocation(t *testing.T) {
	for _, mode := range []string{"single", "bulk"} {
		t.Run(mode, func(t *testing.T) {
			env := settings(nil, map[string]string{
				"MATOMO_URL": "http://" + fastSink(t) + "/matomo.php", "SEND_MODE": mode,
				"TARGET_VISITS_PER_DAY": "1e9", "CONCURRENCY": "8",
			})
			p, problems := plan.Load(afero.NewMemMapFs(), env, newIdentity(afero.NewMemMapFs()))
			if p == nil {
				t.Fatal(problems)
			}
			to, err := sender.New(p, host.Host{}.Machine(env),
				tracking.Options{Timeout: 10 * time.Second, AwaitLate: true})
			if err != nil {
				t.Fatal(err)
			}
			defer to.Close()
			book := ledger.New(1)
			c := engine.Config{
				Visits: p.Visits, Sender: to, Ledger: book, Log: slog.New(slog.DiscardHandler),
				Timer: wakeup.NewHighRes(), Clock: standstill.New(time.Now()),
				Router: routing.New(p.Targets, p.Strategy, p.Seed), Load: p.Load, Concurrency: p.Sending.Concurrency,
				Batch: 1, Zone: time.UTC, Reserve: func(uint64) error { return nil }, StopAfter: 5000,
			}
			if to.Bulk() {
				c.Batch, c.BatchDelay = p.Sending.Batch, 100*time.Millisecond
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_ = engine.New(c).Run(t.Context(), t.Context())
			runtime.ReadMemStats(&after)
			all := book.Counts().Total(-1)
			if some := float64(after.Mallocs-before.Mallocs) / float64(all.Planned); some >= 1 || all.Planned < 20_000 {
				t.Errorf("%.3f allocations a hit, of %d hits", some, all.Planned)
			}
		})
	}
}

// fastSink is the address of a sink that only counts.
func fastSink(t *testing.T) string {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	at := make(chan string, 1)
	var serving sync.WaitGroup
	serving.Go(func() {
		defer close(at)
		if _, err := fast.Serve(ctx, "127.0.0.1:0", false, func(a net.Addr) { at <- a.String() }); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { stop(); serving.Wait() })
	return <-at
}
