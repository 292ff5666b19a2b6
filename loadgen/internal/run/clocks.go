package run

import (
	"context"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/sender"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
)

// clockTimeout is how long targets may take to tell their clocks: a dead one must not hold up the others.
const clockTimeout = 3 * time.Second

// readClocks asks every target for its clock before the first hit, because a hit of the future is booked as now.
func (p *deps) readClocks(ctx context.Context) {
	asking, err := sender.New(p.plan, p.host.Machine(p.plan.Env),
		tracking.Options{Timeout: min(clockTimeout, p.plan.Sending.QueryTimeout)})
	if err != nil {
		p.log.Warn("clocks cannot be asked for", "err", err)
		return
	}
	defer asking.Close()
	defer context.AfterFunc(ctx, asking.Abort)()
	var asked sync.WaitGroup
	for i, t := range asking.Targets() {
		asked.Go(func() {
			clock, err := t.ServerTime()
			if err != nil {
				p.log.Warn("target does not answer yet", "target", p.plan.Targets[i].Name, "err", err)
				return
			}
			p.router.ObserveClock(i, clock, p.host.Now())
		})
	}
	asked.Wait()
}
