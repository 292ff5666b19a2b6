package setup

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/target"
)

// input is what a plan is made of: the saved set-up with overrides, values as SaveConfig takes them, laid over its
// knobs. Where nothing is sent, saved tokens may follow to another address. The error is a problem.List where an
// override has faults, or changes the address and does not say which token goes there.
func (s *Service) input(ctx context.Context, overrides map[string]any, follow bool) (plan.Input, error) {
	saved, err := s.config(ctx)
	if err != nil {
		return plan.Input{}, err
	}
	var problems problem.List
	c := saved.with(overrides, &problems)
	if !follow {
		if err := s.keepsPlaces(ctx, saved, c, overrides, &problems); err != nil {
			return plan.Input{}, err
		}
	}
	if err := append(problems, c.problems...).Err(); err != nil {
		return plan.Input{}, err
	}
	out := plan.Input{Knobs: map[string]string{}}
	for _, f := range Fields() {
		out.Knobs[f.Key] = ""
	}
	maps.Copy(out.Knobs, c.normalized().environ())
	return out, s.fill(ctx, &out)
}

// fill adds all that is no setting. In Multi mode the settings of the single target become empty.
func (s *Service) fill(ctx context.Context, out *plan.Input) (err error) {
	for _, f := range Fields() {
		if f.Path {
			out.Knobs[f.Key] = s.abs(out.Knobs[f.Key])
		}
	}
	if out.URLs, err = s.store.Content(ctx, store.URLs); err != nil && !errors.Is(err, ErrNotFound) {
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
	if err != nil || !routing.Multi {
		return err
	}
	saved, err := s.store.Targets(ctx)
	if err != nil {
		return err
	}
	out.Targets = &target.Set{Strategy: routing.Strategy}
	for _, t := range saved {
		t.Access = t.RelativeTo(s.dir)
		out.Targets.Targets = append(out.Targets.Targets, t.Target)
	}
	for _, f := range Fields() {
		if f.Role == spec.OfTarget && !slices.Contains(spec.SharedSettings, f.Key) {
			out.Knobs[f.Key] = ""
		}
	}
	return nil
}

// access is how the saved targets are reached.
func (s *Service) access(ctx context.Context) (plan.Access, error) {
	c, err := s.config(ctx)
	if err != nil {
		return plan.Access{}, err
	}
	out := plan.Access{Knobs: c.environ()}
	for _, f := range Fields() {
		switch {
		case f.Role != spec.OfTarget:
			delete(out.Knobs, f.Key)
		case f.Path:
			out.Knobs[f.Key] = s.abs(out.Knobs[f.Key])
		}
	}
	saved, err := s.store.Targets(ctx)
	for _, t := range saved {
		t.Access = t.RelativeTo(s.dir)
		out.Targets = append(out.Targets, t.Target)
	}
	return out, err
}
