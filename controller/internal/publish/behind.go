package publish

import (
	"context"
	"log/slog"
	"time"
)

// retryEvery is how often it is tried again to publish what is saved.
const retryEvery = 5 * time.Second

// Unpublished is why the exchange folder does not hold what is saved; nil where it does.
func (p *Publisher) Unpublished() error {
	p.behindMu.Lock()
	defer p.behindMu.Unlock()
	if p.behind == nil {
		return nil
	}
	return p.behind
}

func (p *Publisher) fallBehind(why error) {
	p.behindMu.Lock()
	defer p.behindMu.Unlock()
	if p.behind = nil; why != nil {
		p.behind = &Unpublished{why}
	}
}

// Watch publishes what is saved as soon as it can be, where a change could not be, until ctx is done.
func (p *Publisher) Watch(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(retryEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if p.Unpublished() != nil && p.catchUp(ctx) == nil {
			log.InfoContext(ctx, "what was saved is published")
		}
	}
}

func (p *Publisher) catchUp(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.saved(ctx, nil, false)
	if err != nil {
		p.fallBehind(err)
	}
	return err
}
