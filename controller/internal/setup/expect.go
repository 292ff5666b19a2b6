package setup

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/doctor"
	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/urllist"
)

// Expect is what the saved set-up, with overrides as SaveConfig takes them laid over its knobs, sends as far as
// Matomo's settings bear upon it. Visitors' networks and browsers are the loadgen's to know. What is wrong with
// settings is told when they are saved.
func (l *Library) Expect(ctx context.Context, overrides map[string]any, now time.Time) (doctor.Expect, error) {
	c, err := l.store.Config(ctx)
	if err != nil {
		return doctor.Expect{}, err
	}
	k := knobs{c.Knobs, c.Secrets}.clone()
	var ignored problem.List
	k.put(overrides, &ignored)
	s, _ := k.check()
	saved, err := l.store.Funnels(ctx)
	if err != nil {
		return doctor.Expect{}, err
	}
	funnels := make([]funnel.Funnel, len(saved))
	for i, f := range saved {
		funnels[i] = f.Funnel
	}
	e := doctor.Expecting(&s, funnels)
	days, _ := s.Backfill(now)
	e.Backfill(days)
	pages := urllist.Default(s.SiteURL)
	switch own, err := l.store.Content(ctx, store.URLs); {
	case err == nil:
		pages, _ = urllist.Parse("urls.txt", bytes.NewReader(own))
	case !errors.Is(err, ErrNotFound):
		return e, err
	}
	for _, p := range pages {
		e.Pages = append(e.Pages, p.URL)
	}
	return e, nil
}
