package setup

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/stored"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/target"
)

// Config is the saved configuration as users see it.
type Config struct {
	// Revision grows with each change.
	Revision int64     `json:"revision"`
	Updated  time.Time `json:"updated_at"`
	// Values are all of Fields by env key: string, int, int64, uint64, float64, bool or []float64; nil if a setting
	// without a default is not set. Secrets are secret.String, which is encoded as a mask.
	Values map[string]any `json:"config"`
	// Set names the settings that have a saved value; the others have their default.
	Set []string `json:"set"`
	// Warnings are those that the loadgen would print.
	Warnings problem.List `json:"warnings"`
}

// config is a parsed configuration. It is shared and must not be changed; see clone.
type config struct {
	settings
	spec spec.Spec
	// problems are those that the loadgen finds.
	problems problem.List
	// revision and updated are those of the saved configuration.
	revision int64
	updated  time.Time
}

// parse parses v by the rules of the loadgen.
func (v settings) parse() config {
	environ := v.environ()
	environ["STATE_DIR"] = "state" // there always is one if a controller starts the loadgen
	s, problems := spec.Parse(environ, nil)
	return config{settings: v, spec: s, problems: slices.Clip(problems)}
}

// with returns v overridden by values, see put.
func (v settings) with(values map[string]any, problems *problem.List) config {
	v = v.clone()
	v.put(values, problems)
	return v.parse()
}

// with is settings.with, without a parse if there are no values.
func (c config) with(values map[string]any, problems *problem.List) config {
	if len(values) == 0 {
		return c
	}
	return c.settings.with(values, problems)
}

// target is the single target of c.
func (c config) target() target.Target { return c.spec.Target() }

// of returns c as the saved configuration as.
func (c config) of(as stored.Config) config {
	c.revision, c.updated = as.Revision, as.Updated
	return c
}

func (c config) public() Config {
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

// config returns the saved configuration. It is parsed once per revision.
func (s *Service) config(ctx context.Context) (config, error) {
	c, err := s.store.Config(ctx)
	if err != nil {
		return config{}, err
	}
	s.parsed.Lock()
	defer s.parsed.Unlock()
	if s.parsed.last.revision != c.Revision {
		s.parsed.last = settings{c.Values, c.Secrets}.parse().of(c)
	}
	return s.parsed.last, nil
}

// Config returns the saved configuration.
func (s *Service) Config(ctx context.Context) (Config, error) {
	c, err := s.config(ctx)
	if err != nil {
		return Config{}, err
	}
	return c.public(), nil
}

// SaveConfig replaces the saved configuration. A setting missing in values gets its default; a secret that is missing
// or masked stays, unless an address that it is sent to changes: then it must be given. Keys are env names in any case;
// null or "" clears. revision is the one the caller has seen, or 0 for any; the error is ErrStale if it is no longer
// current, or a problem.List.
func (s *Service) SaveConfig(ctx context.Context, values map[string]any, revision int64) (Config, error) {
	return change(ctx, s, func(ctx context.Context) (Config, error) {
		return s.changeConfig(ctx, revision, values, replacement(values))
	}, exchange.EnvFile)
}

// replacement returns a change that keeps only the secrets and sets values.
func replacement(values map[string]any) func(settings, *problem.List) {
	return func(v settings, problems *problem.List) {
		clear(v.plain)
		v.put(values, problems)
	}
}

// FullOverrides returns overrides for Start that have the effect of SaveConfig with values.
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

// MergeConfig is SaveConfig for some settings: those missing in values stay unchanged.
func (s *Service) MergeConfig(ctx context.Context, values map[string]any, revision int64) (Config, error) {
	return change(ctx, s, func(ctx context.Context) (Config, error) {
		return s.mergeConfig(ctx, values, revision)
	}, exchange.EnvFile)
}

func (s *Service) mergeConfig(ctx context.Context, values map[string]any, revision int64) (Config, error) {
	return s.changeConfig(ctx, revision, values, func(v settings, problems *problem.List) { v.put(values, problems) })
}

// ValidateConfig returns the errors and warnings that SaveConfig would find in values, and saves nothing. Package
// preview checks the complete plan with files and targets.
func (s *Service) ValidateConfig(ctx context.Context, values map[string]any) (problem.List, error) {
	_, is, problems, err := s.changed(ctx, 0, values, replacement(values))
	if err != nil {
		return nil, err
	}
	routing, err := s.store.Routing(ctx)
	isRefused := func(p problem.Problem) bool { return p.Where == "MATOMO_URL" }
	if is.spec.MatomoURL == "" && routing.Mode != stored.Multi && !slices.ContainsFunc(problems, isRefused) {
		refuseMissingURL(&problems)
	}
	return problems, err
}

// changed returns the saved configuration before and after change, with the problems of that. values are the submitted
// ones.
func (s *Service) changed(ctx context.Context, revision int64, values map[string]any,
	change func(settings, *problem.List)) (was, is config, problems problem.List, err error) {
	if was, err = s.config(ctx); err != nil {
		return was, is, nil, err
	}
	if revision != 0 && revision != was.revision {
		return was, is, nil, ErrStale
	}
	v := was.clone()
	change(v, &problems)
	is = v.parse()
	if err := s.keepDestinations(ctx, was, is, values, &problems); err != nil {
		return was, is, nil, err
	}
	s.checkFiles(is.target().Access, strings.ToUpper, &problems)
	return was, is, append(problems, is.problems...), nil
}

// changeConfig applies change to the saved configuration and saves it, if it is valid.
func (s *Service) changeConfig(ctx context.Context, revision int64, values map[string]any,
	change func(settings, *problem.List)) (Config, error) {
	was, is, problems, err := s.changed(ctx, revision, values, change)
	if err != nil {
		return Config{}, err
	}
	if err := problems.Err(); err != nil {
		return Config{}, err
	}
	is = is.normalized()
	// With the revision that was read, so that no change in between is lost.
	as, err := s.store.SaveConfig(ctx, stored.Config{Revision: was.revision, Values: is.plain, Secrets: is.secrets})
	if err != nil {
		return Config{}, err
	}
	s.parsed.Lock()
	defer s.parsed.Unlock()
	s.parsed.last = is.of(as)
	out := s.parsed.last.public()
	out.Warnings = problems.Warnings()
	return out, nil
}
