package setup

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/secret"
)

// Config is the saved configuration as a person sees it.
type Config struct {
	// Revision grows with each change.
	Revision int64     `json:"revision"`
	Updated  time.Time `json:"updated_at"`
	// Values are all of Knobs by env key: text, int, int64, uint64, float64, bool or []float64; nil where a knob
	// without a default is not set. Secrets are secret.String, which is written as a mask.
	Values map[string]any `json:"config"`
	// Set names the knobs that hold a saved value; the others hold their default.
	Set []string `json:"set"`
	// Warnings are what the loadgen would warn of.
	Warnings problem.List `json:"warnings"`
}

// Config reads the saved configuration.
func (l *Library) Config(ctx context.Context) (Config, error) {
	c, err := l.store.Config(ctx)
	if err != nil {
		return Config{}, err
	}
	return shown(c), nil
}

func shown(c store.Config) Config {
	k := knobs{c.Knobs, c.Secrets}
	s, problems := k.check()
	out := Config{Revision: c.Revision, Updated: c.Updated, Values: typed(s), Warnings: problems.Warnings()}
	out.Set = slices.AppendSeq(slices.AppendSeq([]string{}, maps.Keys(c.Knobs)), maps.Keys(c.Secrets))
	slices.Sort(out.Set)
	return out
}

// SaveConfig replaces the saved configuration: a knob that values leave out gets its default, a secret that they leave
// out or mask stays, unless an address that it goes to changes: then it must be given. Keys are env names in any case;
// null or "" clears. revision is the one the caller has seen, or 0 for any; the error is ErrStale where it is no longer
// the saved one, or a problem.List.
func (l *Library) SaveConfig(ctx context.Context, values map[string]any, revision int64) (Config, error) {
	return l.changeConfig(ctx, revision, values, func(k knobs, problems *problem.List) {
		clear(k.plain)
		k.put(values, problems)
	})
}

// Replacing are overrides for SetUp that make of the saved configuration what SaveConfig would make of it with values.
func Replacing(values map[string]any) map[string]any {
	out := map[string]any{}
	for _, f := range Knobs() {
		if !f.Secret {
			out[f.Key] = nil
		}
	}
	for key, v := range values {
		delete(out, strings.ToUpper(key))
		out[key] = v
	}
	return out
}

// MergeConfig is SaveConfig for some knobs: those that values leave out stay as they are.
func (l *Library) MergeConfig(ctx context.Context, values map[string]any, revision int64) (Config, error) {
	return l.changeConfig(ctx, revision, values, func(k knobs, problems *problem.List) { k.put(values, problems) })
}

// CheckConfig says what is wrong or doubtful with values by themselves, as if SaveConfig was asked, and saves nothing.
// What the loadgen says of the plan that they make, files and targets included, package preview tells.
func (l *Library) CheckConfig(ctx context.Context, values map[string]any) (problem.List, error) {
	c, err := l.store.Config(ctx)
	if err != nil {
		return nil, err
	}
	k := knobs{map[string]string{}, c.Secrets}.clone()
	var problems problem.List
	k.put(values, &problems)
	if err := l.keepsPlaces(ctx, c, k, values, &problems); err != nil {
		return nil, err
	}
	s, more := k.check()
	problems = append(problems, more...)
	l.checkFiles(s.Target().Access, strings.ToUpper, &problems)
	routing, err := l.store.Routing(ctx)
	if err != nil {
		return nil, err
	}
	refused := slices.ContainsFunc(problems, func(p problem.Problem) bool { return p.Where == "MATOMO_URL" })
	if s.MatomoURL == "" && !routing.Multi && !refused {
		problems.Refuse("MATOMO_URL", "", "is not set", "give the address of the tracker, https://host/matomo.php")
	}
	return problems, nil
}

// changeConfig saves what change makes of the saved configuration, if it is in order. values are those that are given.
func (l *Library) changeConfig(ctx context.Context, revision int64, values map[string]any,
	change func(knobs, *problem.List)) (Config, error) {
	c, err := l.store.Config(ctx)
	if err != nil {
		return Config{}, err
	}
	if revision != 0 && revision != c.Revision {
		return Config{}, ErrStale
	}
	k := knobs{c.Knobs, c.Secrets}.clone()
	if k.secrets == nil {
		k.secrets = map[string]secret.String{}
	}
	var problems problem.List
	change(k, &problems)
	if err := l.keepsPlaces(ctx, c, k, values, &problems); err != nil {
		return Config{}, err
	}
	s, more := k.check()
	l.checkFiles(s.Target().Access, strings.ToUpper, &problems)
	if err := append(problems, more...).Err(); err != nil {
		return Config{}, err
	}
	k.settle(s)
	// Under the revision that was read, so that what came between is not lost.
	saved, err := l.store.SaveConfig(ctx, store.Config{Revision: c.Revision, Knobs: k.plain, Secrets: k.secrets})
	if err != nil {
		return Config{}, err
	}
	out := shown(saved)
	out.Warnings = append(problems.Warnings(), out.Warnings...)
	return out, nil
}
