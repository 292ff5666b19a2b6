package setup

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/eventset"
	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/target"
)

// SetUp is all that a run is made of, secrets included: what publishing turns into files. Certificate and key files
// have whole paths.
type SetUp struct {
	// Knobs are all of Knobs by env key; an empty value means the default. In Multi mode those of the single target are
	// empty.
	Knobs map[string]string
	// URLs is the saved list, nil for the built-in one.
	URLs []byte
	// Funnels are the enabled ones in the order in which they are tried.
	Funnels []funnel.Funnel
	// Events are nil for the built-in ones.
	Events *eventset.Set
	// Targets are nil in Single mode.
	Targets *target.Set
}

// SetUp is the saved set-up with overrides, values as SaveConfig takes them, laid over its knobs. The error is a
// problem.List where an override has faults, or changes the address and does not say which token goes there.
func (l *Library) SetUp(ctx context.Context, overrides map[string]any) (SetUp, error) {
	return l.setUp(ctx, overrides, false)
}

// setUp is SetUp. Where nothing is sent, saved tokens may follow to another address.
func (l *Library) setUp(ctx context.Context, overrides map[string]any, follow bool) (SetUp, error) {
	c, err := l.store.Config(ctx)
	if err != nil {
		return SetUp{}, err
	}
	k := knobs{c.Knobs, c.Secrets}.clone()
	var problems problem.List
	k.put(overrides, &problems)
	if !follow {
		if err := l.keepsPlaces(ctx, c, k, overrides, &problems); err != nil {
			return SetUp{}, err
		}
	}
	s, more := k.check()
	if err := append(problems, more...).Err(); err != nil {
		return SetUp{}, err
	}
	k.settle(s)
	out := SetUp{Knobs: map[string]string{}}
	for _, f := range Knobs() {
		out.Knobs[f.Key] = ""
	}
	maps.Copy(out.Knobs, k.environ())
	return out, l.fill(ctx, &out)
}

func (l *Library) fill(ctx context.Context, out *SetUp) (err error) {
	for _, f := range Knobs() {
		if f.Path {
			out.Knobs[f.Key] = l.abs(out.Knobs[f.Key])
		}
	}
	if out.URLs, err = l.store.Content(ctx, store.URLs); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	funnels, err := l.sortedFunnels(ctx)
	if err != nil {
		return err
	}
	for _, f := range funnels {
		if f.Enabled {
			out.Funnels = append(out.Funnels, f.Funnel)
		}
	}
	events, source, err := l.Events(ctx)
	if err != nil {
		return err
	}
	if source == Custom {
		out.Events = &events
	}
	routing, err := l.store.Routing(ctx)
	if err != nil || !routing.Multi {
		return err
	}
	saved, err := l.store.Targets(ctx)
	if err != nil {
		return err
	}
	out.Targets = &target.Set{Strategy: routing.Strategy}
	for _, t := range saved {
		t.Access = t.In(l.folder)
		out.Targets.Targets = append(out.Targets.Targets, t.Target)
	}
	for _, key := range single {
		out.Knobs[key] = ""
	}
	return nil
}

// Ways are how the saved targets are reached, with their secrets and the whole paths of certificate and key files.
type Ways struct {
	// Knobs are MATOMO_URL, MATOMO_TOKEN_AUTH, ReachKnobs and SharedKnobs of the configuration by env key.
	Knobs   map[string]string
	Targets []target.Target
}

// Ways reads how the saved targets are reached.
func (l *Library) Ways(ctx context.Context) (Ways, error) {
	c, err := l.store.Config(ctx)
	if err != nil {
		return Ways{}, err
	}
	out := Ways{Knobs: knobs{c.Knobs, c.Secrets}.environ()}
	for _, f := range Knobs() {
		switch {
		case f.Key != "MATOMO_URL" && f.Key != "MATOMO_TOKEN_AUTH" && !slices.Contains(ReachKnobs, f.Key) &&
			!slices.Contains(SharedKnobs, f.Key):
			delete(out.Knobs, f.Key)
		case f.Path:
			out.Knobs[f.Key] = l.abs(out.Knobs[f.Key])
		}
	}
	saved, err := l.store.Targets(ctx)
	for _, t := range saved {
		t.Access = t.In(l.folder)
		out.Targets = append(out.Targets, t.Target)
	}
	return out, err
}
