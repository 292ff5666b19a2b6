package doctor

import (
	"slices"
	"time"

	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/spec"
)

// NewExpectation is what settings and funnels send, as far as Matomo's settings bear upon it. Pages, Networks and Agents,
// and the days of a backfill, are the caller's to fill in.
func NewExpectation(s *spec.Spec, funnels []funnel.Funnel) Expectation {
	e := Expectation{
		Zone: &s.Timezone, Currency: s.Currency, Dimension: s.RunDimension,
		Bulk:  s.SendMode == "bulk" || s.BackfillEnabled,
		Pause: time.Duration(s.DurationMax * float64(time.Minute)),
	}
	for _, extra := range spec.Extras {
		e.Sends[extra.Kind] = e.Sends[extra.Kind] || extra.Share(s) > 0
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

// AddBackfill takes past days into account, those without visits apart.
func (e *Expectation) AddBackfill(days []calendar.Day) {
	days = slices.DeleteFunc(slices.Clone(days), func(d calendar.Day) bool { return d.Visits == 0 })
	if len(days) > 0 {
		e.Past = &calendar.Window{First: days[0].Date, Last: days[len(days)-1].Date}
	}
}

// add takes a step of a funnel into account.
func (e *Expectation) add(step funnel.Step) {
	if kind, ok := hit.OfStep(step.Type); ok {
		e.Sends[kind] = true
	}
	e.Pause = max(e.Pause, time.Duration(step.DelayMax*float64(time.Second)))
}
