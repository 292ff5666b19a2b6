package run

import (
	"context"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/sender"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
)

// clockTimeout bounds a request for a clock: a dead target must not delay the others.
const clockTimeout = 3 * time.Second

// readClocks gets the clock of every target before the first hit, because Matomo records a hit with a future time as
// now.
func (p *deps) readClocks(ctx context.Context) {
	requests, err := sender.New(p.plan, p.host.Machine(p.plan.Env),
		tracking.Options{Timeout: min(clockTimeout, p.plan.Sending.QueryTimeout)})
	if err != nil {
		p.log.Warn("cannot read the clocks of the targets", "err", err)
		return
	}
	defer requests.Close()
	defer context.AfterFunc(ctx, requests.Abort)()
	var reading sync.WaitGroup
	for i, t := range requests.Targets() {
		reading.Go(func() {
			clock, err := t.ServerTime()
			if err != nil {
				p.log.Warn("target not reachable yet", "target", p.plan.Targets[i].Name, "err", err)
				return
			}
			p.router.ObserveClock(i, clock, p.host.Now())
		})
	}
	reading.Wait()
}
