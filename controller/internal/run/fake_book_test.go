package run_test

import (
	"cmp"
	"context"
	"slices"

	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/store"
)

// The repository.

func (w *world) MarkSteered(_ context.Context, id string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.book[id]
	r.Steered = true
	w.book[id] = r
	return nil
}

func (w *world) KeepFiles(_ context.Context, id string, files map[string][]byte) error {
	w.kept[id] = files
	return nil
}

func (w *world) KeptFiles(_ context.Context, id string) (map[string][]byte, error) {
	return w.kept[id], nil
}

func (w *world) Run(_ context.Context, id string) (record.Run, error) {
	r, there := w.book[id]
	if !there {
		return r, store.ErrNotFound
	}
	return r, nil
}

func (w *world) BeginRun(_ context.Context, r record.Run) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.bookErr != nil {
		return w.bookErr
	}
	if _, known := w.book[r.ID]; !known {
		w.order = append(w.order, r.ID)
	}
	w.book[r.ID] = r
	return nil
}

func (w *world) EndRun(_ context.Context, r record.Run) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, known := w.book[r.ID]; w.bookErr != nil || !known {
		return cmp.Or(w.bookErr, store.ErrNotFound)
	}
	w.book[r.ID] = r
	return nil
}

func (w *world) Runs(_ context.Context, q record.Query) (out []record.Run, _ error) {
	for _, id := range slices.Backward(w.order) {
		if r := w.book[id]; r.Open() || !q.Open {
			out = append(out, r)
		}
	}
	if q.Limit > 0 {
		out = out[:min(q.Limit, len(out))]
	}
	return out, nil
}
