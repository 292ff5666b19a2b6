package setup

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/target"
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

// config is a configuration with what the loadgen makes of it. It is shared and must not be changed; see clone.
type config struct {
	knobs
	spec spec.Spec
	// problems are what the loadgen itself says of it.
	problems problem.List
	// revision and updated are those of the saved one.
	revision int64
	updated  time.Time
}

// parse has the loadgen's own rules read k.
func (k knobs) parse() config {
	environ := k.environ()
	environ["STATE_DIR"] = "state" // there is one wherever a controller starts a loadgen
	s, problems := spec.Parse(environ, nil)
	return config{knobs: k, spec: s, problems: slices.Clip(problems)}
}

// with is k with values laid over it, see put.
func (k knobs) with(values map[string]any, problems *problem.List) config {
	k = k.clone()
	k.put(values, problems)
	return k.parse()
}

// with is knobs.with; without values it needs no parse.
func (c config) with(values map[string]any, problems *problem.List) config {
	if len(values) == 0 {
		return c
	}
	return c.knobs.with(values, problems)
}

// target is the single target of c.
func (c config) target() target.Target { return c.spec.Target() }

func (c config) shown() Config {
	out := Config{Revision: c.revision, Updated: c.updated, Values: typed(c.spec), Warnings: c.problems.Warnings()}
	out.Set = slices.AppendSeq(slices.AppendSeq([]string{}, maps.Keys(c.plain)), maps.Keys(c.secrets))
	slices.Sort(out.Set)
	return out
}

// configCache keeps the configuration that was parsed last.
type configCache struct {
	sync.Mutex
	last config
}

// config is the saved configuration. It is parsed once for each revision.
func (s *Service) config(ctx context.Context) (config, error) {
	c, err := s.store.Config(ctx)
	if err != nil {
		return config{}, err
	}
	s.parsed.Lock()
	defer s.parsed.Unlock()
	if s.parsed.last.revision != c.Revision {
		s.parsed.last = saved(c, knobs{c.Knobs, c.Secrets}.parse())
	}
	return s.parsed.last, nil
}

func saved(as store.Config, c config) config {
	c.revision, c.updated = as.Revision, as.Updated
	return c
}

// Config reads the saved configuration.
func (s *Service) Config(ctx context.Context) (Config, error) {
	c, err := s.config(ctx)
	if err != nil {
		return Config{}, err
	}
	return c.shown(), nil
}

// SaveConfig replaces the saved configuration: a knob that values leave out gets its default, a secret that they leave
// out or mask stays, unless an address that it goes to changes: then it must be given. Keys are env names in any case;
// null or "" clears. revision is the one the caller has seen, or 0 for any; the error is ErrStale where it is no longer
// the saved one, or a problem.List.
func (s *Service) SaveConfig(ctx context.Context, values map[string]any, revision int64) (Config, error) {
	return change(ctx, s, func(ctx context.Context) (Config, error) {
		return s.changeConfig(ctx, revision, values, func(k knobs, problems *problem.List) {
			clear(k.plain)
			k.put(values, problems)
		})
	}, exchange.EnvFile)
}

// FullOverrides are overrides for Start that make of the saved configuration what SaveConfig would make of it with values.
func FullOverrides(values map[string]any) map[string]any {
	out := map[string]any{}
	for _, f := range Fields() {
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
func (s *Service) MergeConfig(ctx context.Context, values map[string]any, revision int64) (Config, error) {
	return change(ctx, s, func(ctx context.Context) (Config, error) {
		return s.mergeConfig(ctx, values, revision)
	}, exchange.EnvFile)
}

func (s *Service) mergeConfig(ctx context.Context, values map[string]any, revision int64) (Config, error) {
	return s.changeConfig(ctx, revision, values, func(k knobs, problems *problem.List) { k.put(values, problems) })
}

// ValidateConfig says what is wrong or doubtful with values by themselves, as if SaveConfig was asked, and saves nothing.
// What the loadgen says of the plan that they make, files and targets included, package preview tells.
func (s *Service) ValidateConfig(ctx context.Context, values map[string]any) (problem.List, error) {
	was, err := s.config(ctx)
	if err != nil {
		return nil, err
	}
	k := was.clone()
	clear(k.plain)
	var problems problem.List
	k.put(values, &problems)
	is := k.parse()
	if err := s.keepsPlaces(ctx, was, is, values, &problems); err != nil {
		return nil, err
	}
	problems = append(problems, is.problems...)
	s.checkFiles(is.target().Access, strings.ToUpper, &problems)
	routing, err := s.store.Routing(ctx)
	if err != nil {
		return nil, err
	}
	refused := slices.ContainsFunc(problems, func(p problem.Problem) bool { return p.Where == "MATOMO_URL" })
	if is.spec.MatomoURL == "" && !routing.Multi && !refused {
		problems.Refuse("MATOMO_URL", "", "is not set", "set it to the tracker URL, such as https://host/matomo.php")
	}
	return problems, nil
}

// changeConfig saves what change makes of the saved configuration, if it is in order. values are those that are given.
func (s *Service) changeConfig(ctx context.Context, revision int64, values map[string]any,
	change func(knobs, *problem.List)) (Config, error) {
	was, err := s.config(ctx)
	if err != nil {
		return Config{}, err
	}
	if revision != 0 && revision != was.revision {
		return Config{}, ErrStale
	}
	k := was.clone()
	var problems problem.List
	change(k, &problems)
	is := k.parse()
	if err := s.keepsPlaces(ctx, was, is, values, &problems); err != nil {
		return Config{}, err
	}
	s.checkFiles(is.target().Access, strings.ToUpper, &problems)
	if err := append(problems, is.problems...).Err(); err != nil {
		return Config{}, err
	}
	is = is.normalized()
	// Under the revision that was read, so that what came between is not lost.
	as, err := s.store.SaveConfig(ctx, store.Config{Revision: was.revision, Knobs: is.plain, Secrets: is.secrets})
	if err != nil {
		return Config{}, err
	}
	is = saved(as, is)
	s.parsed.Lock()
	defer s.parsed.Unlock()
	s.parsed.last = is
	out := is.shown()
	out.Warnings = append(problems.Warnings(), out.Warnings...)
	return out, nil
}
