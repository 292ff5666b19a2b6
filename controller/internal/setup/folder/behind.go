package folder

import (
	"context"
	"errors"
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

// Watch publishes what is saved as soon as it can be, where a change could not be or a controller before this one did
// not come to it, until ctx is done. Each new reason why it cannot be is logged once.
func (p *Publisher) Watch(ctx context.Context, log *slog.Logger) {
	if err := p.takeStock(ctx); err != nil {
		log.ErrorContext(ctx, "it is not known whether all that was saved is published", "err", err)
	}
	tick := time.NewTicker(retryEvery)
	defer tick.Stop()
	logged := ""
	for {
		if p.Unpublished() != nil {
			switch err := p.catchUp(ctx); {
			case err == nil:
				log.InfoContext(ctx, "what was saved is published")
				logged = ""
			case ctx.Err() == nil && err.Error() != logged:
				log.ErrorContext(ctx, "what was saved cannot be published; it is tried again", "err", err)
				logged = err.Error()
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// errUnfinished is why the folder lags right after a start of the controller.
var errUnfinished = errors.New("the controller ended before all files were written")

// takeStock falls behind where a write of the folder was begun that no controller has finished. That the folder differs
// from what is saved tells nothing: a run may have been started with settings of its own, which have to stay.
func (p *Publisher) takeStock(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	known, err := p.book.Published(ctx)
	for _, file := range known {
		if file.Base != file.Next {
			p.fallBehind(errUnfinished)
		}
	}
	return err
}

// catchUp publishes what is saved; a hand edit stays.
func (p *Publisher) catchUp(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.saved(ctx, nil, false)
	if err != nil && ctx.Err() == nil {
		p.fallBehind(err)
	}
	return err
}
