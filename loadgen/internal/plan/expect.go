package plan

import (
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/visitor"
	"github.com/puttrix/trafficinator/shared/doctor"
)

// Expect is what the plan sends, as far as Matomo's settings bear upon it.
func (p *Plan) Expect(now time.Time) doctor.Expectation {
	k := &p.spec
	e := doctor.NewExpectation(k, p.Funnels)
	for _, page := range p.Pages {
		e.Pages = append(e.Pages, page.URL)
	}
	if k.RandomizeCountries { // without, all hits have the address of this machine
		for _, place := range visitor.Places() {
			e.Networks = append(e.Networks, place.Networks()...)
		}
	}
	for _, device := range visitor.Devices() {
		e.Agents = append(e.Agents, device.UserAgent)
	}
	if k.BackfillEnabled {
		days, _ := p.Backfill(now) // its problems are told before
		e.AddBackfill(days)
	}
	return e
}
