package setup

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/puttrix/trafficinator/controller/internal/stored"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/target"
)

// secretField is a secret of a target: its name in targets.json, its setting, and its field.
type secretField struct {
	name, key string
	of        func(*target.Target) *secret.String
}

var secretFields = []secretField{
	{"token_auth", "MATOMO_TOKEN_AUTH", func(t *target.Target) *secret.String { return &t.Token }},
	{"read_token", "MATOMO_READ_TOKEN", func(t *target.Target) *secret.String { return &t.ReadToken }},
	{"http_auth", "MATOMO_HTTP_AUTH", func(t *target.Target) *secret.String { return &t.HTTPAuth }},
	{"headers", "MATOMO_HEADERS", func(t *target.Target) *secret.String { return &t.Headers }},
	{proxyField, "PROXY_URL", func(t *target.Target) *secret.String { return &t.Proxy }},
}

const proxyField = "proxy_url"

// Message and fix for a secret that was saved for another address.
const (
	otherAddress = "was saved for another address, API address or proxy"
	enterAgain   = "enter it again, or clear it to send none"
)

// sameDestination reports whether requests to both targets go to the same addresses through the same proxy.
func sameDestination(a, b target.Target) bool {
	return a.URL == b.URL && a.API() == b.API() && a.Proxy == b.Proxy
}

// takeMasks removes the masked secrets from the fields of a target and returns their names.
func takeMasks(fields map[string]any) (masked []string) {
	for _, f := range secretFields {
		if fields[f.name] == secret.Mask {
			masked = append(masked, f.name)
			delete(fields, f.name)
		}
	}
	return masked
}

// keepSecrets copies the secrets missing in given, the fields of t, from old if their destinations are the same, and
// returns the others. A proxy is a destination itself: its address, with its password, is always kept.
func keepSecrets(t *target.Target, old target.Target, given map[string]any) (lost []secretField) {
	var missing []secretField
	for _, f := range secretFields {
		if _, ok := given[f.name]; ok || *f.of(t) != "" || *f.of(&old) == "" {
			continue
		}
		if f.name == proxyField {
			t.Proxy = old.Proxy
		} else {
			missing = append(missing, f)
		}
	}
	if !sameDestination(*t, old) {
		return missing
	}
	for _, f := range missing {
		*f.of(t) = *f.of(&old)
	}
	return nil
}

// keepDestinations refuses to send a saved secret anywhere else than where it was saved for: values, which changed the
// saved configuration from before to after, have to give or clear it then.
func (s *Service) keepDestinations(ctx context.Context, before, after config, values map[string]any,
	problems *problem.List) error {
	was, is := before.target(), after.target()
	if is.URL != "" && !sameDestination(was, is) {
		for _, f := range secretFields {
			if f.name != proxyField && after.secrets[f.key] != "" && !givesSecret(values, f.key) {
				problems.Refuse(f.key, "", otherAddress, enterAgain)
			}
		}
	}
	if was.Proxy == is.Proxy {
		return nil
	}
	saved, err := s.store.Targets(ctx)
	for _, t := range saved {
		isSet := func(f secretField) bool { return *f.of(&t.Target) != "" }
		if t.Proxy == "" && slices.ContainsFunc(secretFields, isSet) {
			problems.Refuse("PROXY_URL", "", "is different from the proxy that the secrets of target "+
				strconv.Quote(t.Name)+" were saved for",
				"set proxy_url of that target and enter its secrets again, or remove them first")
		}
	}
	return err
}

// checkFiles refuses unusable certificate and key files. named returns the name of a field of targets.json in the
// input.
func (s *Service) checkFiles(a target.Access, named func(field string) string, problems *problem.List) {
	read := func(path string) ([]byte, error) { return exchange.Read(s.fs, path) }
	a.RelativeTo(s.dir).CheckFiles(read, func(field, shown, message, cure string) {
		problems.Refuse(named(field), shown, message, strings.ReplaceAll(cure, "tls_key_file", named("tls_key_file")))
	})
}

// absolute returns path relative to dir.
func absolute(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// SingleTarget returns the target of the saved configuration; its address may be empty.
func (s *Service) SingleTarget(ctx context.Context) (target.Target, error) {
	c, err := s.config(ctx)
	t := c.target()
	t.Access = t.RelativeTo(s.dir)
	return t, err
}

// TargetWith returns the single target of the saved configuration with overrides, values as SaveConfig takes them.
// Saved secrets are sent nowhere else: with another address the missing ones are empty. The problems are those of the
// target's own settings, including masked secrets for another address.
func (s *Service) TargetWith(ctx context.Context, overrides map[string]any) (target.Target, problem.List, error) {
	saved, err := s.config(ctx)
	if err != nil {
		return target.Target{}, nil, err
	}
	var problems problem.List
	c := saved.with(overrides, &problems)
	problems = slices.DeleteFunc(append(problems, c.problems...), func(p problem.Problem) bool {
		return !isOfTarget(p.Where)
	})
	t := c.target()
	if !sameDestination(saved.target(), t) {
		for _, f := range secretFields {
			if f.name == proxyField || givesSecret(overrides, f.key) || c.secrets[f.key] == "" {
				continue
			}
			if *f.of(&t) = ""; hasMask(overrides, f.key) {
				problems.Refuse(f.key, "", otherAddress, enterAgain)
			}
		}
	}
	s.checkFiles(t.Access, strings.ToUpper, &problems)
	t.Access = t.RelativeTo(s.dir)
	return t, problems, nil
}

// SavedTargets returns all saved targets in the order of their creation, with what the configuration sets for all of
// them and absolute paths of certificate and key files.
func (s *Service) SavedTargets(ctx context.Context) ([]stored.Target, error) {
	c, err := s.config(ctx)
	if err != nil {
		return nil, err
	}
	all, err := s.store.Targets(ctx)
	for i := range all {
		all[i].Access = all[i].WithDefaults(c.spec.SharedAccess()).RelativeTo(s.dir)
	}
	return all, err
}

// TargetsByID returns the SavedTargets with these IDs, all if there are none. The error is ErrNotFound if one is
// missing.
func (s *Service) TargetsByID(ctx context.Context, ids ...int64) ([]stored.Target, error) {
	all, err := s.SavedTargets(ctx)
	if err != nil || len(ids) == 0 {
		return all, err
	}
	for _, id := range ids {
		if !slices.ContainsFunc(all, func(t stored.Target) bool { return t.ID == id }) {
			return nil, fmt.Errorf("read target %d: %w", id, ErrNotFound)
		}
	}
	return slices.DeleteFunc(all, func(t stored.Target) bool { return !slices.Contains(ids, t.ID) }), nil
}

// ReportingTargets returns the targets whose reports can be read: the single one, named as the loadgen names it, if its
// address is saved, and all others.
func (s *Service) ReportingTargets(ctx context.Context) ([]target.Target, error) {
	single, err := s.SingleTarget(ctx)
	if err != nil {
		return nil, err
	}
	var out []target.Target
	if single.URL != "" {
		out = append(out, single)
	}
	saved, err := s.SavedTargets(ctx)
	for _, t := range saved {
		out = append(out, t.Target)
	}
	return out, err
}
