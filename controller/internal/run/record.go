package run

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/store"
)

// record writes a run into the book as it stands. One that cannot be written, because the disk is full, ends no run: it
// is kept and tried again by Watch.
func (k *Control) record(ctx context.Context, r Run) {
	k.recording.Lock()
	defer k.recording.Unlock()
	err := k.write(ctx, r)
	if err == nil {
		delete(k.unrecorded, r.ID)
		return
	}
	k.c.Log.Error("the run cannot be recorded; it is tried again", "run_id", r.ID, "ended", !r.Ended.IsZero(),
		"err", err)
	k.unrecorded[r.ID] = r
}

// recordAgain tries to write what could not be recorded.
func (k *Control) recordAgain(ctx context.Context) {
	k.recording.Lock()
	defer k.recording.Unlock()
	for _, id := range slices.Sorted(maps.Keys(k.unrecorded)) {
		if k.write(ctx, k.unrecorded[id]) == nil {
			k.c.Log.Info("the run is recorded now", "run_id", id)
			delete(k.unrecorded, id)
		}
	}
}

func (k *Control) write(ctx context.Context, r Run) error {
	if r.Ended.IsZero() {
		return k.c.Book.Open(ctx, r)
	}
	err := k.c.Book.Close(ctx, r)
	if errors.Is(err, store.ErrNotFound) { // its start could not be recorded either
		if err = k.c.Book.Open(ctx, r); err == nil {
			err = k.c.Book.Close(ctx, r)
		}
	}
	return err
}

// takeStock makes a run the current one: the one that the loadgen says it sends, else the one recorded last. All others
// whose end nobody recorded have ended: there is one loadgen.
func (k *Control) takeStock(ctx context.Context) error {
	last, err := k.c.Book.Last(ctx)
	if err != nil {
		return fmt.Errorf("read the last run: %w", err)
	}
	open, err := k.c.Book.Unended(ctx)
	if err != nil {
		return fmt.Errorf("read the runs without an end: %w", err)
	}
	_, p := k.look(ctx)
	for _, r := range open {
		if r.ID == p.RunID && sending(p.Phase) {
			last = &r
		}
	}
	for _, r := range open {
		if r.ID != last.ID {
			k.endStale(ctx, r)
		}
	}
	k.change(func(s *Status) { s.Run = last })
	k.look(ctx)
	return nil
}

// endStale records the end of a run of which nothing but its ledger is left.
func (k *Control) endStale(ctx context.Context, r Run) {
	ledger, err := k.c.Ledger(r.ID)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		k.c.Log.Error("the ledger cannot be read", "run_id", r.ID, "err", err)
	}
	r.End(ledger, launcher.Status{}, "")
	k.record(ctx, r)
	k.c.Log.Info("the end of a run was missed; it is recorded now", "run_id", r.ID, "reason", r.Reason)
}

// startAgain starts the loadgen with the run that it had.
func (k *Control) startAgain(ctx context.Context) error {
	if err := k.c.Publisher.StartAgain(ctx); err != nil {
		return fmt.Errorf("publish the start: %w", err)
	}
	return k.c.Port.Start(ctx)
}

// unasked deals with a loadgen that was started again by somebody else, such as by `docker compose up` after a `down`:
// each start counts once, so that it idles although its run has not ended.
func (k *Control) unasked(ctx context.Context) {
	ctx, end, err := k.beginOwn(ctx, "recover")
	if err != nil {
		return // whoever is at work changes it
	}
	defer end()
	l, p := k.look(ctx)
	st := k.Status()
	if !st.Active() || !idles(l, p) {
		return
	}
	k.close(ctx, l, "interrupted")
	k.change(func(s *Status) {
		s.Messages = []string{"run " + st.Run.ID +
			" was interrupted: its loadgen was ended and started again without a start of the run; nothing is sent " +
			"until you start one"}
	})
	if err := k.idle(ctx); err != nil {
		k.c.Log.Error("a loadgen started by hand would go on with the ended run", "err", err)
	}
}

// idles tells whether a loadgen is up and sends nothing.
func idles(l launcher.Status, p Plan) bool { return l.State == launcher.Running && p.Phase == "idle" }
