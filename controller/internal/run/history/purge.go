package history

import (
	"context"
	"log/slog"
	"time"
)

const purgeInterval = time.Hour

// Purger removes deleted runs permanently once they can no longer be restored, and requests the deletion of their
// ledgers.
type Purger struct {
	Store interface {
		Purgeable(ctx context.Context) (map[string]time.Time, error)
		Purge(ctx context.Context, runs map[string]time.Time) error
	}
	// Delete requests the loadgen to delete the ledgers of runs; the values are when the runs were deleted.
	Delete func(runs map[string]time.Time) error
	Log    *slog.Logger
}

// Watch purges now and every hour until ctx is done.
func (p Purger) Watch(ctx context.Context) {
	tick := time.NewTicker(purgeInterval)
	defer tick.Stop()
	for {
		if err := p.Purge(ctx); err != nil && ctx.Err() == nil {
			p.Log.ErrorContext(ctx, "cannot purge deleted runs; retrying in an hour", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Purge purges the runs that can be purged. The ledgers come first: no one requests those of a run that is no longer in
// the database.
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
