package run_test

import (
	"cmp"
	"context"

	"github.com/puttrix/trafficinator/controller/internal/run"
	"github.com/puttrix/trafficinator/controller/internal/store"
)

// The book.

func (w *world) Steered(_ context.Context, id string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.book[id]
	r.Steered = true
	w.book[id] = r
	return nil
}

func (w *world) Keep(_ context.Context, id string, files map[string][]byte) error {
	w.kept[id] = files
	return nil
}

func (w *world) Kept(_ context.Context, id string) (run.Run, map[string][]byte, error) {
	r, there := w.book[id]
	if !there {
		return r, nil, store.ErrNotFound
	}
	return r, w.kept[id], nil
}

func (w *world) Open(_ context.Context, r run.Run) error {
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

type book struct{ *world }

func (b book) Close(_ context.Context, r run.Run) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, known := b.book[r.ID]; b.bookErr != nil || !known {
		return cmp.Or(b.bookErr, store.ErrNotFound)
	}
	b.book[r.ID] = r
	return nil
}

func (w *world) Unended(context.Context) ([]run.Run, error) {
	var out []run.Run
	for _, id := range w.order {
		if r := w.book[id]; r.Ended.IsZero() {
			out = append([]run.Run{r}, out...)
		}
	}
	return out, nil
}

func (w *world) Last(context.Context) (*run.Run, error) {
	if len(w.order) == 0 {
		return nil, nil
	}
	r := w.book[w.order[len(w.order)-1]]
	return &r, nil
}
