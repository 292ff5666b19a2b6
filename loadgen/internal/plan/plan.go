// Package plan owns what a run will do: it reads and checks the settings and the files they name. The resulting plan is
// immutable. The package sends nothing.
package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/shop"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/loadgen/internal/visitor"
	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/doctor"
	"github.com/puttrix/trafficinator/shared/eventset"
	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/profile"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/target"
	"github.com/puttrix/trafficinator/shared/urllist"
)

// Plan is what a run will do.
type Plan struct {
	Seed  uint64
	RunID string
	// Zone is the time zone of the site, and SiteZone the same for comparisons.
	Zone     *time.Location
	SiteZone calendar.Zone
	// SiteID is MATOMO_SITE_ID, for previews without a target.
	SiteID int
	// Env is the environment merged with the file of LOADGEN_ENV_FILE.
	Env map[string]string
	// AutoStart starts at once; otherwise the loadgen idles. StartID identifies the start, which is executed once; may
	// be "".
	AutoStart     bool
	StartID       string
	Limits        Limits
	Sending       Sending
	Files         Files
	Criteria      Criteria
	Search        Search
	Observability Observability

	Pages   []urllist.Page
	Funnels []funnel.Funnel
	Events  eventset.Set
	// Targets are the enabled ones.
	Targets  []target.Target
	Strategy target.Strategy

	Load    profile.Profile // arrival rate
	Visits  *visit.Generator
	Hash    string            // equal for plans that differ in nothing but seed and run id
	Sources map[string]string // of pages, funnels, events and targets, for the log
	Notes   []string          // for `check`

	spec   spec.Spec
	sample sample
}

func (p *Plan) behaviour(s *shop.Shop) visit.Behaviour {
	k := p.spec
	b := visit.Behaviour{
		Seed: p.Seed, RunID: p.RunID, Pages: p.Pages, Funnels: p.Funnels, Shop: s,
		PageviewsMin: k.PageviewsMin, PageviewsMax: k.PageviewsMax,
		DurationMin: Seconds(60 * k.DurationMin), DurationMax: Seconds(60 * k.DurationMax),
		PauseMin: Seconds(k.PauseMin), PauseMax: Seconds(k.PauseMax), Live: k.Timeline == "live",
		BounceShare: k.BounceProbability, DirectShare: k.DirectProbability, Extras: p.extras(),
	}
	if !k.RandomizeCountries {
		b.HomeZone = p.Zone
	}
	return b
}

// extras returns what may happen on a page, by settings and events.json.
func (p *Plan) extras() []visit.Extra {
	out := make([]visit.Extra, len(spec.Extras))
	for i, e := range spec.Extras {
		out[i] = visit.Extra{Kind: e.Kind, Share: e.Share(&p.spec)}
		if e.Events != nil {
			list, share := e.Events(&p.Events)
			out[i].Events = list
			// settings take precedence over the file
			if share != nil && !p.spec.Set[e.Key] {
				out[i].Share = *share
			}
		}
	}
	return out
}

// TargetNames returns the names of the targets, in order.
func (p *Plan) TargetNames() []string {
	names := make([]string, len(p.Targets))
	for i, t := range p.Targets {
		names[i] = t.Name
	}
	return names
}

// Random returns the source of arrivals for a run that starts at visit first, nil for evenly spaced ones.
func (p *Plan) Random(first uint64) *rand.Rand {
	if p.spec.Arrivals != "poisson" {
		return nil
	}
	return rand.New(rand.NewPCG(p.Seed, first))
}

// alsoHashed are settings without influence on the visits that were part of the hash before settings had roles, so that
// hashes stay the same. neverHashed only sets the seed.
var (
	alsoHashed = []string{
		"MATOMO_SITE_ID", "TLS_VERIFY", "CONCURRENCY", "AUTO_START", "THRESHOLDS", "THRESHOLD_ABORT",
		"STOP_ERROR_SHARE", "ECOMMERCE_CURRENCY",
	}
	neverHashed = "BACKFILL_SEED"
)

// isHashed reports whether a setting is part of the hash. Instead of a path, the content of the file is.
func isHashed(f spec.Field) bool {
	return f.Role == spec.Behaviour && !f.Path && f.Key != neverHashed || slices.Contains(alsoHashed, f.Key)
}

// hashInput returns all that determines the hits except seed and run id, as JSON. Tokens are excluded, because a hash
// is public, and so is the batch size of a backfill.
func (p *Plan) hashInput() ([]byte, error) {
	k := p.spec
	k.Set = nil
	for _, f := range spec.Fields() {
		if !isHashed(f) || f.Key == "BULK_SIZE" && k.BackfillEnabled {
			f.Clear(&k)
		}
	}
	data, err := json.Marshal([]any{k, p.Pages, p.Funnels, p.Events, p.Strategy})
	if err != nil {
		return nil, fmt.Errorf("hash plan: %w", err)
	}
	return data, nil
}

// hashOf returns the hash of the input and the targets, including whether they have a token.
func (p *Plan) hashOf(hashed []byte) string {
	sum := sha256.New()
	sum.Write(hashed)
	for _, t := range p.Targets {
		_, _ = fmt.Fprintf(sum, "%s %s %d %d %t\n", t.Name, t.URL, t.SiteID, t.Weight, t.Token.Reveal() != "")
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// Changed returns the settings that were set, as KEY=value with secrets masked, sorted.
func (p *Plan) Changed() []string {
	secret := map[string]bool{}
	for _, f := range spec.Fields() {
		secret[f.Key] = f.Secret
	}
	var out []string
	for _, key := range slices.Sorted(maps.Keys(p.spec.Set)) {
		v := p.Env[key]
		switch {
		case secret[key]:
			v = "***MASKED***"
		case key == "MATOMO_URL" || key == "MATOMO_API_URL":
			v = target.Redact(v)
		}
		out = append(out, key+"="+v)
	}
	return out
}

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
