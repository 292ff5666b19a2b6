package setup

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/puttrix/trafficinator/controller/internal/stored"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/target"
)

const defaultStrategy = target.RoundRobin

// Targets returns all targets in the order of their creation, and how they are used.
func (s *Service) Targets(ctx context.Context) ([]stored.Target, stored.Routing, error) {
	all, err := s.store.Targets(ctx)
	if err != nil {
		return nil, stored.Routing{}, err
	}
	r, err := s.store.Routing(ctx)
	return all, r, err
}

// Target returns one target, or ErrNotFound.
func (s *Service) Target(ctx context.Context, id int64) (stored.Target, error) {
	all, err := s.store.Targets(ctx)
	return find(all, err, "target", id, func(t stored.Target) int64 { return t.ID })
}

// findTarget returns the target of that name, ignoring case, nil if there is none.
func findTarget(list []stored.Target, name string) *stored.Target {
	i := slices.IndexFunc(list, func(t stored.Target) bool { return lower(t.Name) == lower(name) })
	if i < 0 {
		return nil
	}
	return &list[i]
}

// CreateTarget saves a new target from a JSON object as in targets.json. The error is ErrNameTaken or a problem.List.
func (s *Service) CreateTarget(ctx context.Context, body []byte) (stored.Target, error) {
	return change(ctx, s, func(ctx context.Context) (stored.Target, error) {
		return s.saveTarget(ctx, nil, map[string]any{}, body)
	}, exchange.TargetsFile)
}

// UpdateTarget changes the fields of a target that body contains. A secret that is masked or missing stays, unless an
// address changes, and "" removes it. The error is ErrNotFound, ErrNameTaken or a problem.List.
func (s *Service) UpdateTarget(ctx context.Context, id int64, body []byte) (stored.Target, error) {
	return change(ctx, s, func(ctx context.Context) (stored.Target, error) {
		t, err := s.Target(ctx, id)
		if err != nil {
			return t, err
		}
		return s.saveTarget(ctx, &t, map[string]any{
			"name": t.Name, "url": t.URL, "site_id": t.SiteID, "weight": t.Weight, "enabled": t.Enabled,
			"api_url": t.APIURL, "tls_ca_file": t.CAFile, "tls_cert_file": t.CertFile, "tls_key_file": t.KeyFile,
		}, body)
	}, exchange.TargetsFile)
}

// saveTarget saves fields overridden by body, as a new target or over old.
func (s *Service) saveTarget(ctx context.Context, old *stored.Target, fields map[string]any,
	body []byte) (t stored.Target, err error) {
	var given map[string]any
	if problems := decodeInto("target", body, &given); problems != nil {
		return t, problems
	}
	maps.Copy(fields, given)
	read, lost, problems := readTarget(fields, old)
	for _, f := range lost {
		problems.Refuse(f.name, "", otherAddress, enterAgain)
	}
	s.checkFiles(read.Access, func(field string) string { return field }, &problems)
	if err := problems.Err(); err != nil {
		return t, err
	}
	if old != nil {
		t = *old
	}
	t.Target = read
	if err := s.keepOneEnabled(ctx, t.ID, read.Enabled); err != nil {
		return t, err
	}
	id, err := s.store.SaveTarget(ctx, t)
	if err != nil {
		return t, err
	}
	return s.Target(ctx, id)
}

// readTarget reads fields by the rules of shared/target. Secrets that are masked or missing are those of old, unless it
// is nil; lost are the missing ones that are not kept because an address changed. t is what could be read.
func readTarget(fields map[string]any, old *stored.Target) (t target.Target, lost []secretField,
	problems problem.List) {
	fields = maps.Clone(fields)
	enabled, isBool := fields["enabled"].(bool)
	if isBool {
		fields["enabled"] = true // a set needs an enabled target
	}
	var masked []string
	if old != nil {
		masked = takeMasks(fields)
	}
	data, err := json.Marshal(map[string]any{"targets": []any{fields}})
	if err != nil {
		problems.Refuse("target", "", err.Error(), "")
		return t, nil, problems
	}
	set, problems := target.Decode(document, data)
	trimPlace(problems, "targets[0]", "target")
	if len(set.Targets) > 0 {
		t = set.Targets[0]
	}
	if problems.Err() == nil {
		t.Name = strings.TrimSpace(t.Name)
		checkText("", t.Name, "", &problems)
	}
	if problems.Err() != nil {
		return t, nil, problems
	}
	t.Enabled = enabled || !isBool
	if old == nil {
		return t, nil, problems
	}
	for _, f := range keepSecrets(&t, old.Target, fields) {
		if slices.Contains(masked, f.name) {
			problems.Refuse(f.name, "", otherAddress, enterAgain)
		} else {
			lost = append(lost, f)
		}
	}
	return t, lost, problems
}

// DeleteTarget deletes a target. The error is ErrNotFound, or a problem.List if it is the last enabled one in multi
// mode.
func (s *Service) DeleteTarget(ctx context.Context, id int64) error {
	return s.update(ctx, func(ctx context.Context) error {
		if err := s.keepOneEnabled(ctx, id, false); err != nil {
			return err
		}
		return s.store.DeleteTarget(ctx, id)
	}, exchange.TargetsFile)
}

// keepOneEnabled refuses a change of a target that leaves none enabled in multi mode.
func (s *Service) keepOneEnabled(ctx context.Context, id int64, enabled bool) error {
	all, r, err := s.Targets(ctx)
	if err != nil || r.Mode != stored.Multi || enabled {
		return err
	}
	all = slices.DeleteFunc(all, func(t stored.Target) bool { return !t.Enabled })
	if len(all) == 1 && all[0].ID == id {
		var problems problem.List
		problems.Refuse("enabled", "false", "leaves no enabled target",
			"enable another target or switch to single mode first")
		return problems.Err()
	}
	return nil
}

// SaveRouting changes where visits are sent. The error is a problem.List.
func (s *Service) SaveRouting(ctx context.Context, r stored.Routing) error {
	return s.update(ctx, func(ctx context.Context) error {
		var problems problem.List
		all, err := s.store.Targets(ctx)
		if err != nil {
			return err
		}
		checkRouting(r, slices.ContainsFunc(all, func(t stored.Target) bool { return t.Enabled }), &problems)
		if err := problems.Err(); err != nil {
			return err
		}
		return s.store.SaveRouting(ctx, r)
	}, exchange.TargetsFile, exchange.EnvFile)
}

func checkRouting(r stored.Routing, hasEnabled bool, problems *problem.List) {
	if r.Mode != stored.Single && r.Mode != stored.Multi {
		problems.Refuse("mode", string(r.Mode), "is not a mode", "use single or multi")
	}
	if r.Strategy != target.RoundRobin && r.Strategy != target.Weighted && r.Strategy != target.Random {
		problems.Refuse("distribution_strategy", string(r.Strategy), "is not a strategy",
			"use round-robin, weighted or random")
	}
	if r.Mode == stored.Multi && !hasEnabled {
		problems.Refuse("mode", string(r.Mode), "needs an enabled target", "add or enable a target first")
	}
}
