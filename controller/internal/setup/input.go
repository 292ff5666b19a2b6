package setup

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/controller/internal/stored"
	"github.com/puttrix/trafficinator/shared/doctor"
	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/target"
	"github.com/puttrix/trafficinator/shared/urllist"
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

// Draft returns a plan for a preview, which is never run: its tokens are placeholders, and it needs no saved target.
// body, unless it is nil, is a funnel as for CreateFunnel that every visit follows; name and probability may be
// missing. The error is a problem.List with the errors of both, those of the funnel under "funnel"; warnings are
// returned with the plan.
func (s *Service) Draft(ctx context.Context, overrides map[string]any, body []byte) (plan.Input, problem.List, error) {
	in, err := s.input(ctx, overrides, true)
	var problems problem.List
	if err != nil && !errors.As(err, &problems) {
		return plan.Input{}, nil, err
	}
	if body != nil {
		f, more := readFunnel(map[string]json.RawMessage{"name": json.RawMessage(`"draft"`),
			"probability": json.RawMessage("1")}, body)
		for i, p := range more {
			if p.Where != "funnel" {
				more[i].Where = "funnel." + p.Where
			}
		}
		problems = append(problems, more...)
		f.Probability, f.Enabled = 1, true
		in.Funnels = []funnel.Funnel{f}
	}
	if err := problems.Err(); err != nil {
		return plan.Input{}, nil, err
	}
	return in.WithoutAccess(), problems, nil
}

// Expected returns what the saved set-up with overrides, as SaveConfig takes them, sends, as far as Matomo's settings
// affect it. Networks and browsers of visitors are only known to the loadgen. Invalid settings are ignored: they are
// reported when they are saved.
func (s *Service) Expected(ctx context.Context, overrides map[string]any, now time.Time) (doctor.Expectation, error) {
	c, err := s.config(ctx)
	if err != nil {
		return doctor.Expectation{}, err
	}
	var ignored problem.List
	c = c.with(overrides, &ignored)
	saved, err := s.store.Funnels(ctx)
	if err != nil {
		return doctor.Expectation{}, err
	}
	funnels := make([]funnel.Funnel, len(saved))
	for i, f := range saved {
		funnels[i] = f.Funnel
	}
	e := doctor.NewExpectation(&c.spec, funnels)
	days, _ := c.spec.Backfill(now)
	e.AddBackfill(days)
	pages := urllist.Default(c.spec.SiteURL)
	switch own, err := s.store.List(ctx, stored.URLs); {
	case err == nil:
		pages, _ = urllist.Parse("urls.txt", bytes.NewReader(own))
	case !errors.Is(err, ErrNotFound):
		return e, err
	}
	for _, p := range pages {
		e.Pages = append(e.Pages, p.URL)
	}
	return e, nil
}
