package setup

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/puttrix/trafficinator/controller/internal/stored"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/target"
)

// importFile imports a file of the exchange folder that was edited by hand into the saved set-up. Funnels and targets
// are replaced by name; enabled ones that the file does not contain are disabled, because it contains all that are
// used. The error is a problem.List if the file is invalid. dir is the absolute exchange folder: relative file names in
// it are relative to that.
func (s *Service) importFile(ctx context.Context, dir, file string, data []byte) error {
	switch file {
	case exchange.EnvFile:
		return s.importSettings(ctx, dir, data)
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
	return fmt.Errorf("import %s: not a file of the exchange folder", file)
}

func (s *Service) importSettings(ctx context.Context, dir string, data []byte) error {
	environ, problems := exchange.ParseEnv(exchange.EnvFile, data)
	if err := problems.Err(); err != nil {
		return err
	}
	values := map[string]any{}
	for key, v := range environ {
		// Settings of the machine, the stack or a run are not part of the saved configuration.
		if !isElsewhere(key) && !spec.IsStackSetting(key) && spec.RoleOf(key) != spec.OfRun {
			values[key] = v
		}
	}
	was, err := s.config(ctx)
	if err != nil {
		return err
	}
	_, err = s.changeConfig(ctx, 0, values, func(v settings, problems *problem.List) {
		for _, f := range Fields() {
			if f.Path {
				values[f.Key] = importedPath(dir, environ[f.Key], v.plain[f.Key])
			}
		}
		maps.DeleteFunc(v.plain, func(key, _ string) bool { return spec.RoleOf(key) != spec.OfRun })
		v.put(values, problems)
		if !sameDestination(was.target(), v.parse().target()) {
			delete(v.secrets, "MATOMO_READ_TOKEN") // it is in no file of the exchange folder
		}
	})
	return err
}

// importedPath returns the path that a file of the exchange folder dir refers to; for the controller's own copy that is
// the saved path.
func importedPath(dir, path, saved string) string {
	if saved != "" && filepath.Dir(path) == exchange.TLSFolder {
		return saved
	}
	return absolute(dir, path)
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
		if _, err := s.store.SaveFunnel(ctx, stored.Funnel{Funnel: f}); err != nil {
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
	read, strategy, problems := s.decodeTargets(dir, data, saved)
	for i := range problems { // a value could be a token in the wrong field
		problems[i].Value = ""
	}
	if err := problems.Err(); err != nil {
		return err
	}
	return s.store.SaveTargets(ctx, disableOthers(read, saved), stored.Routing{Mode: stored.Multi, Strategy: strategy})
}

// disableOthers returns targets and, disabled, the enabled ones of saved that are not among them.
func disableOthers(targets, saved []stored.Target) []stored.Target {
	for _, old := range saved {
		if slices.ContainsFunc(targets, func(t stored.Target) bool { return t.ID == old.ID }) || !old.Enabled {
			continue
		}
		old.Enabled = false
		targets = append(targets, old)
	}
	return targets
}

// decodeTargets decodes targets.json. Each target gets the ID of the saved one of its name and, if its addresses are
// unchanged, the secrets that are masked or missing: the read token is never in the file.
func (s *Service) decodeTargets(dir string, data []byte, saved []stored.Target) ([]stored.Target, target.Strategy,
	problem.List) {
	set, problems := target.Decode(exchange.TargetsFile,
		bytes.ReplaceAll(data, []byte(`"`+secret.Mask+`"`), []byte(`""`)))
	var given struct {
		Targets []map[string]any `json:"targets"`
	}
	if err := json.Unmarshal(data, &given); err != nil || problems.Err() != nil {
		return nil, set.Strategy, problems // the problems say why
	}
	out := make([]stored.Target, len(set.Targets))
	for i, t := range set.Targets {
		at := fmt.Sprintf("%s: targets[%d].", exchange.TargetsFile, i)
		var old stored.Target
		if found := findTarget(saved, t.Name); found != nil {
			old = *found
		}
		masked := takeMasks(given.Targets[i])
		for _, path := range []struct {
			now *string
			old string
		}{{&t.CAFile, old.CAFile}, {&t.CertFile, old.CertFile}, {&t.KeyFile, old.KeyFile}} {
			*path.now = importedPath(dir, *path.now, path.old)
		}
		var lost []string
		for _, f := range keepSecrets(&t, old.Target, given.Targets[i]) {
			lost = append(lost, f.name)
		}
		for _, name := range masked {
			if old.ID == 0 || slices.Contains(lost, name) {
				problems.Refuse(at+name, "", otherAddress, enterAgain)
			}
		}
		s.checkFiles(t.Access, func(field string) string { return at + field }, &problems)
		old.Target = t
		out[i] = old
	}
	return out, set.Strategy, problems
}
