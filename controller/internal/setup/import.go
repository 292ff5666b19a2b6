package setup

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/target"
)

// importFile takes a file of the exchange folder, edited by hand, over into the saved set-up. Funnels and targets are
// replaced by name; enabled ones that the file does not hold are disabled, because it holds all that take part. The
// error is a problem.List where the file has faults. dir is the exchange folder, as an absolute path: relative names of
// files in it begin there.
func (s *Service) importFile(ctx context.Context, dir, file string, data []byte) error {
	switch file {
	case exchange.EnvFile:
		return s.importKnobs(ctx, dir, data)
	case exchange.URLsFile:
		_, err := s.saveURLs(ctx, data)
		return err
	case exchange.EventsFile:
		_, err := s.saveEvents(ctx, data)
		return err
	case exchange.FunnelsFile:
		return s.importFunnels(ctx, data)
	case exchange.TargetsFile:
		return s.importTargets(ctx, dir, data)
	}
	return fmt.Errorf("import %s: is no file of the exchange folder", file)
}

func (s *Service) importKnobs(ctx context.Context, dir string, data []byte) error {
	environ, problems := exchange.ParseEnv(exchange.EnvFile, data)
	if err := problems.Err(); err != nil {
		return err
	}
	values := map[string]any{}
	for key, v := range environ {
		// What belongs to the place, to the stack or to a run is no part of the saved configuration.
		if elsewhere(key) == "" && !spec.IsStackSetting(key) && key != "RUN_ID" && key != "RUN_SEED" {
			values[key] = v
		}
	}
	was, err := s.config(ctx)
	if err != nil {
		return err
	}
	_, err = s.changeConfig(ctx, 0, values, func(k knobs, problems *problem.List) {
		for _, f := range Fields() {
			if f.Path {
				values[f.Key] = meant(dir, environ[f.Key], k.plain[f.Key])
			}
		}
		kept := map[string]string{"RUN_ID": k.plain["RUN_ID"], "RUN_SEED": k.plain["RUN_SEED"]}
		clear(k.plain)
		for key, v := range kept {
			if v != "" {
				k.plain[key] = v
			}
		}
		k.put(values, problems)
		if !sameWay(was.target(), k.parse().target()) {
			delete(k.secrets, "MATOMO_READ_TOKEN") // which no file of the exchange folder holds
		}
	})
	return err
}

// meant is the path that a file of the exchange folder dir means: where it names the controller's copy the saved one
// stays.
func meant(dir, path, saved string) string {
	switch {
	case saved != "" && filepath.Dir(path) == exchange.TLSFolder:
		return saved
	case path == "" || filepath.IsAbs(path):
		return path
	}
	return filepath.Join(dir, path)
}

func (s *Service) importFunnels(ctx context.Context, data []byte) error {
	funnels, problems := funnel.Decode(exchange.FunnelsFile, data)
	if err := problems.Err(); err != nil {
		return err
	}
	saved, err := s.store.Funnels(ctx)
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
		if _, err := s.store.SaveFunnel(ctx, old); err != nil {
			return err
		}
	}
	for _, f := range funnels {
		if _, err := s.store.SaveFunnel(ctx, store.Funnel{Funnel: f}); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) importTargets(ctx context.Context, dir string, data []byte) error {
	saved, err := s.store.Targets(ctx)
	if err != nil {
		return err
	}
	read, strategy, problems := s.readTargets(dir, data, saved)
	for i := range problems { // a value could be a token in a wrong place
		problems[i].Value = ""
	}
	if err := problems.Err(); err != nil {
		return err
	}
	return s.store.SaveTargets(ctx, alone(read, saved), store.Routing{Multi: true, Strategy: strategy})
}

// alone are targets and, disabled, the enabled ones of saved that are not among them.
func alone(targets, saved []store.Target) []store.Target {
	for _, old := range saved {
		if slices.ContainsFunc(targets, func(t store.Target) bool { return t.ID == old.ID }) || !old.Enabled {
			continue
		}
		old.Enabled = false
		targets = append(targets, old)
	}
	return targets
}

// readTargets reads targets.json, each target with the number and, where they are masked or left out and go to the same
// places, the secrets of the saved one of its name: the token to read with is never in the file.
func (s *Service) readTargets(dir string, data []byte, saved []store.Target) ([]store.Target, target.Strategy,
	problem.List) {
	set, problems := target.Decode(exchange.TargetsFile,
		bytes.ReplaceAll(data, []byte(`"`+secret.Mask+`"`), []byte(`""`)))
	var given struct {
		Targets []map[string]any `json:"targets"`
	}
	if err := json.Unmarshal(data, &given); err != nil || problems.Err() != nil {
		return nil, set.Strategy, problems // the problems say why
	}
	out := make([]store.Target, len(set.Targets))
	for i, t := range set.Targets {
		fields, old := given.Targets[i], store.Target{}
		if at := slices.IndexFunc(saved, func(o store.Target) bool {
			return strings.EqualFold(o.Name, t.Name)
		}); at >= 0 {
			old = saved[at]
		}
		masked := takeMasks(fields)
		t.CAFile, t.CertFile, t.KeyFile = meant(dir, t.CAFile, old.CAFile), meant(dir, t.CertFile, old.CertFile),
			meant(dir, t.KeyFile, old.KeyFile)
		at := fmt.Sprintf("%s: targets[%d].", exchange.TargetsFile, i)
		lost := keepSecrets(&t, old.Target, fields)
		if old.ID == 0 {
			lost = masked // no target of that name is saved
		}
		for _, name := range lost {
			if slices.Contains(masked, name) {
				problems.Refuse(at+name, "", otherAddress, giveAgain)
			}
		}
		s.checkFiles(t.Access, func(field string) string { return at + field }, &problems)
		old.Target = t
		out[i] = old
	}
	return out, set.Strategy, problems
}
