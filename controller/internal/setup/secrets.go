package setup

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/target"
)

// secretField is a secret of a target, by its name in targets.json and as a knob.
type secretField struct {
	name, knob string
	of         func(*target.Target) *secret.String
}

var secretFields = []secretField{
	{"token_auth", "MATOMO_TOKEN_AUTH", func(t *target.Target) *secret.String { return &t.Token }},
	{"read_token", "MATOMO_READ_TOKEN", func(t *target.Target) *secret.String { return &t.ReadToken }},
	{"http_auth", "MATOMO_HTTP_AUTH", func(t *target.Target) *secret.String { return &t.HTTPAuth }},
	{"headers", "MATOMO_HEADERS", func(t *target.Target) *secret.String { return &t.Headers }},
	{proxyField, "PROXY_URL", func(t *target.Target) *secret.String { return &t.Proxy }},
}

const proxyField = "proxy_url"

// What is wrong with a masked secret whose target is reached elsewhere, and what to do about it.
const (
	otherAddress = "was saved for another address, API address or proxy"
	giveAgain    = "enter it again, or clear it to send none"
)

// sameWay reports whether what goes to one target goes to the same places as what goes to the other.
func sameWay(a, b target.Target) bool {
	return a.URL == b.URL && a.API() == b.API() && a.Proxy == b.Proxy
}

// takeMasks removes the secrets that are masked from the fields of a target, and returns their names.
func takeMasks(fields map[string]any) (masked []string) {
	for _, f := range secretFields {
		if fields[f.name] == secret.Mask {
			masked = append(masked, f.name)
			delete(fields, f.name)
		}
	}
	return masked
}

// keepSecrets takes the secrets that given, the fields of t, leaves out from old, where they go to the same places.
// lost are the names of the others. A proxy is a place itself: its address, with its password, stays.
func keepSecrets(t *target.Target, old target.Target, given map[string]any) (lost []string) {
	var kept []secretField
	for _, f := range secretFields {
		if _, there := given[f.name]; there || *f.of(t) != "" || *f.of(&old) == "" {
			continue
		}
		if f.name == proxyField {
			t.Proxy = old.Proxy
		} else {
			kept = append(kept, f)
		}
	}
	same := sameWay(*t, old)
	for _, f := range kept {
		if same {
			*f.of(t) = *f.of(&old)
		} else {
			lost = append(lost, f.name)
		}
	}
	return lost
}

// keepsPlaces refuses to let a saved secret follow to other places than those that it was saved for: values, which were
// put over the saved configuration before and made after of it, must give it then, or clear it.
func (s *Service) keepsPlaces(ctx context.Context, before, after config, values map[string]any,
	problems *problem.List) error {
	was, is := before.target(), after.target()
	if is.URL != "" && !sameWay(was, is) {
		for _, f := range secretFields {
			if f.name != proxyField && after.secrets[f.knob] != "" && !gives(values, f.knob) {
				problems.Refuse(f.knob, "", otherAddress, giveAgain)
			}
		}
	}
	if was.Proxy == is.Proxy {
		return nil
	}
	saved, err := s.store.Targets(ctx)
	for _, t := range saved {
		if t.Proxy == "" && slices.ContainsFunc(secretFields, func(f secretField) bool {
			return *f.of(&t.Target) != ""
		}) {
			problems.Refuse("PROXY_URL", "", "changes, and the secrets of target "+strconv.Quote(t.Name)+
				" were saved for the proxy before",
				"give that target a proxy_url of its own, and its secrets again, or remove them first")
		}
	}
	return err
}

// checkFiles refuses certificate and key files that cannot be used. named tells what a field of targets.json is called
// where it was given.
func (s *Service) checkFiles(a target.Access, named func(field string) string, problems *problem.List) {
	read := func(path string) ([]byte, error) { return exchange.Read(s.fs, path) }
	a.RelativeTo(s.dir).CheckFiles(read, func(field, shown, message, cure string) {
		problems.Refuse(named(field), shown, message, strings.ReplaceAll(cure, "tls_key_file", named("tls_key_file")))
	})
}

// abs is where a file is that a setting names.
func (s *Service) abs(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(s.dir, path)
}

// SingleTarget is the saved target of a configuration without several; its address may be empty.
func (s *Service) SingleTarget(ctx context.Context) (target.Target, error) {
	c, err := s.config(ctx)
	t := c.target()
	t.Access = t.RelativeTo(s.dir)
	return t, err
}

// TargetWith is the single target of the saved configuration with overrides, values as SaveConfig takes them, laid over
// it. Saved secrets go to no other place: those that are left out are not sent there. The problems are those of the
// target's own settings, among them secrets that are masked and would go elsewhere.
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
	if !sameWay(saved.target(), t) {
		for _, f := range secretFields {
			if f.name == proxyField || gives(overrides, f.knob) || c.secrets[f.knob] == "" {
				continue
			}
			if *f.of(&t) = ""; masks(overrides, f.knob) {
				problems.Refuse(f.knob, "", otherAddress, giveAgain)
			}
		}
	}
	s.checkFiles(t.Access, strings.ToUpper, &problems)
	t.Access = t.RelativeTo(s.dir)
	return t, problems, nil
}

// SavedTargets are all saved targets in the order in which they were made, as they are reached: with what the
// configuration says of all of them, and the whole paths of certificate and key files.
func (s *Service) SavedTargets(ctx context.Context) ([]store.Target, error) {
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

// TargetsByID are the SavedTargets of these numbers, all where there are none. The error is ErrNotFound where one is not
// there.
func (s *Service) TargetsByID(ctx context.Context, ids ...int64) ([]store.Target, error) {
	all, err := s.SavedTargets(ctx)
	if err != nil || len(ids) == 0 {
		return all, err
	}
	for _, id := range ids {
		if !slices.ContainsFunc(all, func(t store.Target) bool { return t.ID == id }) {
			return nil, fmt.Errorf("read target %d: %w", id, ErrNotFound)
		}
	}
	return slices.DeleteFunc(all, func(t store.Target) bool { return !slices.Contains(ids, t.ID) }), nil
}

// ReportingTargets are the targets that can be asked what they recorded: the single one, called matomo as the loadgen does,
// where its address is saved, and all others.
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
