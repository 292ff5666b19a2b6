package history

import (
	"context"
	"log/slog"
	"time"
)

// purgeEvery is how often deleted runs are looked for whose day is over.
const purgeInterval = time.Hour

// Purger removes deleted runs for good when they can no longer be restored, and asks for the deletion of their ledgers.
type Purger struct {
	Store interface {
		Purgeable(ctx context.Context) (map[string]time.Time, error)
		Purge(ctx context.Context, runs map[string]time.Time) error
	}
	// Delete asks the loadgen to delete the ledgers of runs, which were deleted at these moments.
	Delete func(runs map[string]time.Time) error
	Log    *slog.Logger
}

// Watch purges now and each hour until ctx is done.
func (p Purger) Watch(ctx context.Context) {
	tick := time.NewTicker(purgeInterval)
	defer tick.Stop()
	for {
		if err := p.Purge(ctx); err != nil && ctx.Err() == nil {
			p.Log.ErrorContext(ctx, "deleted runs cannot be purged; it is tried again in an hour", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Purge purges what can be. The ledgers are listed first: a run that is gone from the database is asked for by nobody.
func (p Purger) Purge(ctx context.Context) error {
	runs, err := p.Store.Purgeable(ctx)
	if err != nil || len(runs) == 0 {
		return err
	}
	if err := p.Delete(runs); err != nil {
		return err
	}
	return p.Store.Purge(ctx, runs)
}
