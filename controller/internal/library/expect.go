package library

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/urllist"
)

// Expect is what the saved set-up, with overrides as SaveConfig takes them laid over its knobs, sends as far as Matomo's
// settings bear upon it. Visitors' networks and browsers are the loadgen's to know. What is wrong with settings is told
// when they are saved.
func (l *Library) Expect(ctx context.Context, overrides map[string]any, now time.Time) (matomo.Expect, error) {
	c, err := l.store.Config(ctx)
	if err != nil {
		return matomo.Expect{}, err
	}
	k := knobs{c.Knobs, c.Secrets}.clone()
	var ignored problem.List
	k.put(overrides, &ignored)
	s, _ := k.check()
	e := matomo.Expect{
		Zone: &s.Timezone, Currency: s.Currency, Searches: s.SearchProbability > 0, Orders: s.EcommerceProbability > 0,
		Bulk: s.SendMode == "bulk", Dimension: s.RunDimension, AnyCertificate: !s.TLSVerify,
	}
	days, _ := s.Backfill(now)
	if i := slices.IndexFunc(days, func(d calendar.Day) bool { return d.Visits > 0 }); i >= 0 {
		e.From = days[i].Begin
	}
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
