package setup

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/controller/internal/stored"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/target"
)

// input returns the saved set-up with overrides, values as SaveConfig takes them, as the input of a plan. If nothing is
// sent, saved tokens may be used with another address. The error is a problem.List if an override is invalid, or
// changes an address without giving the token for it.
func (s *Service) input(ctx context.Context, overrides map[string]any, anyAddress bool) (plan.Input, error) {
	saved, err := s.config(ctx)
	if err != nil {
		return plan.Input{}, err
	}
	var problems problem.List
	c := saved.with(overrides, &problems)
	if !anyAddress {
		if err := s.keepDestinations(ctx, saved, c, overrides, &problems); err != nil {
			return plan.Input{}, err
		}
	}
	if err := append(problems, c.problems...).Err(); err != nil {
		return plan.Input{}, err
	}
	out := plan.Input{Settings: map[string]string{}}
	for _, f := range Fields() {
		out.Settings[f.Key] = ""
	}
	maps.Copy(out.Settings, c.normalized().environ())
	return out, s.addContent(ctx, &out)
}

// addContent adds everything that is not a setting. In multi mode the settings of the single target are cleared.
func (s *Service) addContent(ctx context.Context, out *plan.Input) (err error) {
	s.makeAbsolute(out.Settings)
	if out.URLs, err = s.store.List(ctx, stored.URLs); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	funnels, err := s.sortedFunnels(ctx)
	if err != nil {
		return err
	}
	for _, f := range funnels {
		if f.Enabled {
			out.Funnels = append(out.Funnels, f.Funnel)
		}
	}
	events, source, err := s.Events(ctx)
	if err != nil {
		return err
	}
	if source == Custom {
		out.Events = &events
	}
	routing, err := s.store.Routing(ctx)
	if err != nil || routing.Mode != stored.Multi {
		return err
	}
	out.Targets = &target.Set{Strategy: routing.Strategy}
	if out.Targets.Targets, err = s.absoluteTargets(ctx); err != nil {
		return err
	}
	for _, f := range Fields() {
		if f.Role == spec.OfTarget && !slices.Contains(spec.SharedSettings, f.Key) {
			out.Settings[f.Key] = ""
		}
	}
	return nil
}

// absoluteTargets returns the saved targets with absolute paths of certificate and key files.
func (s *Service) absoluteTargets(ctx context.Context) ([]target.Target, error) {
	saved, err := s.store.Targets(ctx)
	var out []target.Target
	for _, t := range saved {
		t.Access = t.RelativeTo(s.dir)
		out = append(out, t.Target)
	}
	return out, err
}

// makeAbsolute makes the paths in settings absolute.
func (s *Service) makeAbsolute(settings map[string]string) {
	for _, f := range Fields() {
		if f.Path {
			settings[f.Key] = absolute(s.dir, settings[f.Key])
		}
	}
}

// access returns how the saved targets are reached.
func (s *Service) access(ctx context.Context) (out plan.Access, err error) {
	c, err := s.config(ctx)
	if err != nil {
		return out, err
	}
	out.Settings = c.environ()
	s.makeAbsolute(out.Settings)
	maps.DeleteFunc(out.Settings, func(key, _ string) bool { return !isOfTarget(key) })
	out.Targets, err = s.absoluteTargets(ctx)
	return out, err
}
