package plan

import (
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/visitor"
	"github.com/puttrix/trafficinator/shared/doctor"
)

// Expect returns what the plan sends, as far as it depends on Matomo's settings.
func (p *Plan) Expect(now time.Time) doctor.Expectation {
	k := &p.spec
	e := doctor.NewExpectation(k, p.Funnels)
	for _, page := range p.Pages {
		e.Pages = append(e.Pages, page.URL)
	}
	if k.RandomizeCountries { // otherwise all hits have the IP address of this machine
		for _, place := range visitor.Places() {
			e.Networks = append(e.Networks, place.Networks()...)
		}
	}
	for _, device := range visitor.Devices() {
		e.Agents = append(e.Agents, device.UserAgent)
	}
	if k.BackfillEnabled {
		days, _ := p.Backfill(now) // its problems were reported
		e.AddBackfill(days)
	}
	return e
}
