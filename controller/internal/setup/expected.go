package setup

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/stored"
	"github.com/puttrix/trafficinator/shared/doctor"
	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/urllist"
)

// Expected returns what the saved set-up with overrides, as SaveConfig takes them, sends, as far as Matomo's settings
// affect it. Networks and browsers of visitors are only known to the loadgen. Invalid settings are ignored: they are
// reported when they are saved.
func (s *Service) Expected(ctx context.Context, overrides map[string]any, now time.Time) (doctor.Expectation, error) {
	c, err := s.config(ctx)
	if err != nil {
		return doctor.Expectation{}, err
	}
	var ignored problem.List
	c = c.with(overrides, &ignored)
	saved, err := s.store.Funnels(ctx)
	if err != nil {
		return doctor.Expectation{}, err
	}
	funnels := make([]funnel.Funnel, len(saved))
	for i, f := range saved {
		funnels[i] = f.Funnel
	}
	e := doctor.NewExpectation(&c.spec, funnels)
	days, _ := c.spec.Backfill(now)
	e.AddBackfill(days)
	pages := urllist.Default(c.spec.SiteURL)
	switch own, err := s.store.List(ctx, stored.URLs); {
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
