// Package plan owns what a run will do: it reads the settings and the files they name, checks all of them together,
// and holds the result, which nothing changes afterwards. It sends nothing.
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
	"github.com/puttrix/trafficinator/shared/calendar"
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
	// Zone is that of the site's days, and SiteZone the same as calendars compare it.
	Zone     *time.Location
	SiteZone calendar.Zone
	// SiteID is that of MATOMO_SITE_ID, for hits that go to no target.
	SiteID int
	// Env is the environment merged with the file of LOADGEN_ENV_FILE.
	Env map[string]string
	// AutoStart begins at once; else the loadgen idles. StartID names the start, which counts once; empty where it has
	// no name.
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

	// Load is the rate of visits.
	Load profile.Profile
	// Visits makes the visits of the plan.
	Visits *visit.Generator
	// Hash names the plan: two plans of the same hash send the same but for seed and run id.
	Hash string
	// Sources tell where each part came from, for the log.
	Sources map[string]string
	// Notes tell what a person should know beyond problems, for `check`.
	Notes []string

	spec   spec.Spec
	sample sample
}

// behaviour is the plan as the visits see it.
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

// extras are what the settings and events.json let happen on a page.
func (p *Plan) extras() []visit.Extra {
	out := make([]visit.Extra, len(spec.Extras))
	for i, e := range spec.Extras {
		out[i] = visit.Extra{Kind: e.Kind, Share: e.Share(&p.spec)}
		if e.Events != nil {
			list, share := e.Events(&p.Events)
			out[i].Events = list
			// The knobs are the home of the shares; the file's own count only where the knobs are not set.
			if share != nil && !p.spec.Set[e.Key] {
				out[i].Share = *share
			}
		}
	}
	return out
}

// TargetNames are those of the targets, in their order.
func (p *Plan) TargetNames() []string {
	names := make([]string, len(p.Targets))
	for i, t := range p.Targets {
		names[i] = t.Name
	}
	return names
}

// Random draws the arrivals of a run whose first visit has the number first; nil keeps them even.
func (p *Plan) Random(first uint64) *rand.Rand {
	if p.spec.Arrivals != "poisson" {
		return nil
	}
	return rand.New(rand.NewPCG(p.Seed, first))
}

// hashedAnyway are knobs that do not decide what is sent and count in the hash all the same: they did before knobs had
// roles, and a plan keeps its name. unhashed is one that does, by the seed alone, which never counts.
var (
	alsoHashed = []string{
		"MATOMO_SITE_ID", "TLS_VERIFY", "CONCURRENCY", "AUTO_START", "THRESHOLDS", "THRESHOLD_ABORT",
		"STOP_ERROR_SHARE", "ECOMMERCE_CURRENCY",
	}
	neverHashed = "BACKFILL_SEED"
)

// isHashed tells whether a knob counts in the hash. A path does not: what lies there does.
func isHashed(f spec.Field) bool {
	return f.Role == spec.Behaviour && !f.Path && f.Key != neverHashed || slices.Contains(alsoHashed, f.Key)
}

// hashInput is everything that decides what is sent but the seed and the run id, as JSON. Tokens are left out: they decide
// no behaviour, and a hash is shown. A job's visits go in the same order whatever the size of its requests.
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

// hashOf is the hash of what is hashed and of the targets, which have a token or none.
func (p *Plan) hashOf(hashed []byte) string {
	sum := sha256.New()
	sum.Write(hashed)
	for _, t := range p.Targets {
		_, _ = fmt.Fprintf(sum, "%s %s %d %d %t\n", t.Name, t.URL, t.SiteID, t.Weight, t.Token.Reveal() != "")
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// Changed are the knobs that do not hold their default, as KEY=value with secrets masked, by name.
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
