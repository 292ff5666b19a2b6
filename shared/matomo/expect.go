package matomo

import (
	"slices"
	"time"

	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/spec"
)

// Expecting is what settings and funnels send, as far as Matomo's settings bear upon it. Pages, Networks and Agents,
// and the days of a backfill, are the caller's to fill in.
func Expecting(s *spec.Spec, funnels []funnel.Funnel) Expect {
	e := Expect{
		Zone: &s.Timezone, Currency: s.Currency, Dimension: s.RunDimension,
		Searches: s.SearchProbability > 0, Orders: s.EcommerceProbability > 0, Outlinks: s.OutlinkProbability > 0,
		Downloads: s.DownloadProbability > 0, Events: s.ClickEventProbability+s.RandomEventProbability > 0,
		Bulk:  s.SendMode == "bulk" || s.BackfillEnabled,
		Pause: time.Duration(s.DurationMax * float64(time.Minute)),
	}
	shares := funnel.Shares(funnels)
	for i, f := range funnels {
		if shares[i] == 0 {
			continue
		}
		for _, step := range f.Steps {
			e.add(step)
		}
	}
	return e
}

// Backfill takes past days into account, those without visits apart.
func (e *Expect) Backfill(days []calendar.Day) {
	days = slices.DeleteFunc(slices.Clone(days), func(d calendar.Day) bool { return d.Visits == 0 })
	if len(days) > 0 {
		e.Past = &calendar.Window{First: days[0].Date, Last: days[len(days)-1].Date}
	}
}

// add takes a step of a funnel into account.
func (e *Expect) add(step funnel.Step) {
	switch step.Type {
	case funnel.SiteSearch:
		e.Searches = true
	case funnel.Event:
		e.Events = true
	case funnel.Outlink:
		e.Outlinks = true
	case funnel.Download:
		e.Downloads = true
	case funnel.Ecommerce:
		e.Orders = true
	}
	e.Pause = max(e.Pause, time.Duration(step.DelayMax*float64(time.Second)))
}
