package library

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/target"
)

// Import takes a file of the exchange folder, edited by hand, over into the saved set-up. Funnels and targets are
// replaced by name; enabled ones that the file does not hold are disabled, because it holds all that take part. The
// error is a problem.List where the file has faults.
func (l *Library) Import(ctx context.Context, file string, data []byte) error {
	switch file {
	case exchange.EnvFile:
		return l.importKnobs(ctx, data)
	case exchange.URLsFile:
		_, err := l.SaveURLs(ctx, data)
		return err
	case exchange.EventsFile:
		_, err := l.SaveEvents(ctx, data)
		return err
	case exchange.FunnelsFile:
		return l.importFunnels(ctx, data)
	case exchange.TargetsFile:
		return l.importTargets(ctx, data)
	}
	return fmt.Errorf("import %s: is no file of the exchange folder", file)
}

func (l *Library) importKnobs(ctx context.Context, data []byte) error {
	environ, problems := exchange.ParseEnv(exchange.EnvFile, data)
	if err := problems.Err(); err != nil {
		return err
	}
	_, err := l.changeConfig(ctx, 0, func(k knobs, problems *problem.List) {
		values := map[string]any{}
		for key, v := range environ {
			// What belongs to the place or to a run is no part of the saved configuration.
			if elsewhere[key] == "" && key != "RUN_ID" && key != "RUN_SEED" {
				values[key] = v
			}
		}
		if environ["MATOMO_URL"] != k.plain["MATOMO_URL"] {
			clear(k.secrets) // the file holds those that go to its address
		}
		kept := map[string]string{"RUN_ID": k.plain["RUN_ID"], "RUN_SEED": k.plain["RUN_SEED"]}
		clear(k.plain)
		for key, v := range kept {
			if v != "" {
				k.plain[key] = v
			}
		}
		k.put(values, problems)
	})
	return err
}

func (l *Library) importFunnels(ctx context.Context, data []byte) error {
	funnels, problems := funnel.Decode(exchange.FunnelsFile, data)
	if err := problems.Err(); err != nil {
		return err
	}
	saved, err := l.store.Funnels(ctx)
	if err != nil {
		return err
	}
	for _, old := range saved {
		i := slices.IndexFunc(funnels, func(f funnel.Funnel) bool { return strings.EqualFold(f.Name, old.Name) })
		switch {
		case i >= 0:
			old.Funnel = funnels[i]
			funnels = slices.Delete(funnels, i, i+1)
		case old.Enabled:
			old.Enabled = false
		default:
			continue
		}
		if _, err := l.store.SaveFunnel(ctx, old); err != nil {
			return err
		}
	}
	for _, f := range funnels {
		if _, err := l.store.SaveFunnel(ctx, store.Funnel{Funnel: f}); err != nil {
			return err
		}
	}
	return nil
}

func (l *Library) importTargets(ctx context.Context, data []byte) error {
	set, problems := target.Decode(exchange.TargetsFile, data)
	for i := range problems { // a value could be a token in a wrong place
		problems[i].Value = ""
	}
	if err := problems.Err(); err != nil {
		return err
	}
	saved, err := l.store.Targets(ctx)
	if err != nil {
		return err
	}
	for _, old := range saved {
		i := slices.IndexFunc(set.Targets, func(t target.Target) bool { return strings.EqualFold(t.Name, old.Name) })
		switch {
		case i >= 0:
			if t := &set.Targets[i]; t.URL == old.URL {
				t.ReadToken = old.ReadToken // which no file of the exchange folder holds
			}
			old.Target = set.Targets[i]
			set.Targets = slices.Delete(set.Targets, i, i+1)
		case old.Enabled:
			old.Enabled = false
		default:
			continue
		}
		if _, err := l.store.SaveTarget(ctx, old); err != nil {
			return err
		}
	}
	for _, t := range set.Targets {
		if _, err := l.store.SaveTarget(ctx, store.Target{Target: t}); err != nil {
			return err
		}
	}
	return l.store.SaveRouting(ctx, store.Routing{Multi: true, Strategy: set.Strategy})
}
