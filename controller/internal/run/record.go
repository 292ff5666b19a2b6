package run

import (
	"context"
	"fmt"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/store"
)

// takeStock makes a run the current one: the one that the loadgen says it sends, else the one recorded last. All others
// whose end nobody recorded have ended: there is one loadgen.
func (k *Control) takeStock(ctx context.Context) error {
	runs, err := k.c.Repository.Runs(ctx, store.RunQuery{NoJobs: true, Limit: 1})
	if err != nil {
		return fmt.Errorf("read the last run: %w", err)
	}
	open, err := k.c.Repository.Runs(ctx, store.RunQuery{NoJobs: true, Open: true})
	if err != nil {
		return fmt.Errorf("read the runs without an end: %w", err)
	}
	_, p := k.look(ctx)
	var last *store.Run
	if len(runs) > 0 {
		last = &runs[0]
	}
	for _, r := range open {
		if r.ID == p.RunID && sending(p.Phase) {
			last = &r
		}
	}
	for _, r := range open {
		if r.ID != last.ID {
			_ = k.c.Close(ctx, &r, launcher.Status{}, "", nil) // it is tried again
		}
	}
	k.change(func(s *Status) { s.Run = last })
	k.look(ctx)
	return nil
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
