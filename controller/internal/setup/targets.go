package setup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/target"
)

// Target is a saved target; its secrets print as masks. Its fields are those of targets.json, see shared/target.
type Target struct {
	ID        int64         `json:"id"`
	Name      string        `json:"name"`
	URL       string        `json:"url"`
	SiteID    int           `json:"site_id"`
	Token     secret.String `json:"token_auth"`
	ReadToken secret.String `json:"read_token"`
	Weight    int           `json:"weight"`
	Enabled   bool          `json:"enabled"`
	APIURL    string        `json:"api_url"`
	HTTPAuth  secret.String `json:"http_auth"`
	Headers   secret.String `json:"headers"`
	CAFile    string        `json:"tls_ca_file"`
	CertFile  string        `json:"tls_cert_file"`
	KeyFile   string        `json:"tls_key_file"`
	Proxy     secret.String `json:"proxy_url"`
	Created   time.Time     `json:"created_at"`
	Updated   time.Time     `json:"updated_at"`
}

// Mode says where visits go.
type Mode string

// The modes.
const (
	// Single: to MATOMO_URL of the configuration.
	Single Mode = "single"
	// Multi: to the enabled targets.
	Multi Mode = "multi"
)

// Routing is how targets are used.
type Routing struct {
	Mode     Mode            `json:"mode"`
	Strategy target.Strategy `json:"distribution_strategy"`
}

// Targets are all targets in the order in which they were made, and how they are used.
func (s *Service) Targets(ctx context.Context) ([]Target, Routing, error) {
	saved, err := s.store.Targets(ctx)
	if err != nil {
		return nil, Routing{}, err
	}
	out := make([]Target, len(saved))
	for i, t := range saved {
		out[i] = shownTarget(t)
	}
	r, err := s.store.Routing(ctx)
	return out, shownRouting(r), err
}

func shownTarget(t store.Target) Target {
	return Target{
		t.ID, t.Name, t.URL, t.SiteID, t.Token, t.ReadToken, t.Weight, t.Enabled,
		t.APIURL, t.HTTPAuth, t.Headers, t.CAFile, t.CertFile, t.KeyFile, t.Proxy, t.Created, t.Updated,
	}
}

func shownRouting(r store.Routing) Routing {
	if r.Multi {
		return Routing{Multi, r.Strategy}
	}
	return Routing{Single, r.Strategy}
}

// Target is one, or ErrNotFound.
func (s *Service) Target(ctx context.Context, id int64) (Target, error) {
	t, err := s.target(ctx, id)
	return shownTarget(t), err
}

func (s *Service) target(ctx context.Context, id int64) (store.Target, error) {
	all, err := s.store.Targets(ctx)
	if err != nil {
		return store.Target{}, err
	}
	i := slices.IndexFunc(all, func(t store.Target) bool { return t.ID == id })
	if i < 0 {
		return store.Target{}, fmt.Errorf("read target %d: %w", id, ErrNotFound)
	}
	return all[i], nil
}

// CreateTarget saves a new one from a JSON object of targets.json. The error is ErrNameTaken or a problem.List.
func (s *Service) CreateTarget(ctx context.Context, body []byte) (Target, error) {
	return change(ctx, s, func(ctx context.Context) (Target, error) {
		return s.saveTarget(ctx, store.Target{}, map[string]any{}, body)
	}, exchange.TargetsFile)
}

// UpdateTarget changes the fields of one that body names; a secret that is masked or left out stays, unless an address
// changes, and "" removes it. The error is ErrNotFound, ErrNameTaken or a problem.List.
func (s *Service) UpdateTarget(ctx context.Context, id int64, body []byte) (Target, error) {
	return change(ctx, s, func(ctx context.Context) (Target, error) { return s.updateTarget(ctx, id, body) },
		exchange.TargetsFile)
}

func (s *Service) updateTarget(ctx context.Context, id int64, body []byte) (Target, error) {
	t, err := s.target(ctx, id)
	if err != nil {
		return Target{}, err
	}
	return s.saveTarget(ctx, t, map[string]any{
		"name": t.Name, "url": t.URL, "site_id": t.SiteID, "weight": t.Weight, "enabled": t.Enabled,
		"api_url": t.APIURL, "tls_ca_file": t.CAFile, "tls_cert_file": t.CertFile, "tls_key_file": t.KeyFile,
	}, body)
}

func (s *Service) saveTarget(ctx context.Context, t store.Target, fields map[string]any, body []byte) (Target, error) {
	var given map[string]any
	if problems := decodeInto("target", body, &given); problems != nil {
		return Target{}, problems
	}
	maps.Copy(fields, given)
	var old *target.Target
	if t.ID != 0 {
		old = &t.Target
	}
	read, left, err := readTarget(fields, old)
	var problems problem.List
	if err != nil && !errors.As(err, &problems) {
		return Target{}, err
	}
	for _, name := range left {
		problems.Refuse(name, "", otherAddress, giveAgain)
	}
	s.checkFiles(read.Access, func(field string) string { return field }, &problems)
	if err := problems.Err(); err != nil {
		return Target{}, err
	}
	t.Target = read
	if err := s.keepsOne(ctx, t.ID, read.Enabled); err != nil {
		return Target{}, err
	}
	id, err := s.store.SaveTarget(ctx, t)
	if err != nil {
		return Target{}, err
	}
	return s.Target(ctx, id)
}

// readTarget reads the fields by the rules of shared/target, for which a set needs an enabled one. Secrets that are
// masked or left out are those of old, which may be nil; left are the names of those that are left out and go elsewhere
// now, so that they are not kept. The error is a problem.List; t has then what could be read.
func readTarget(fields map[string]any, old *target.Target) (t target.Target, left []string, err error) {
	fields = maps.Clone(fields)
	enabled, isFlag := fields["enabled"].(bool)
	if isFlag {
		fields["enabled"] = true
	}
	var masked []string
	if old != nil {
		masked = takeMasks(fields)
	}
	data, err := json.Marshal(map[string]any{"targets": []any{fields}})
	if err != nil {
		return t, nil, fmt.Errorf("read target: %w", err)
	}
	set, problems := target.Decode(document, data)
	strip(problems, "targets[0]", "target")
	if len(set.Targets) > 0 {
		t = set.Targets[0]
	}
	if err := problems.Err(); err != nil {
		return t, nil, err
	}
	t.Name = strings.TrimSpace(t.Name)
	checkText("", t.Name, "", &problems)
	if err := problems.Err(); err != nil {
		return t, nil, err
	}
	t.Enabled = enabled || !isFlag
	if old == nil {
		return t, nil, nil
	}
	for _, name := range keepSecrets(&t, *old, fields) {
		if slices.Contains(masked, name) {
			problems.Refuse(name, "", otherAddress, giveAgain)
		} else {
			left = append(left, name)
		}
	}
	return t, left, problems.Err()
}

// DeleteTarget removes one. The error is ErrNotFound, or a problem.List where visits go to targets and it is the last
// enabled one.
func (s *Service) DeleteTarget(ctx context.Context, id int64) error {
	return s.remove(ctx, id, func(ctx context.Context, id int64) error {
		if err := s.keepsOne(ctx, id, false); err != nil {
			return err
		}
		return s.store.DeleteTarget(ctx, id)
	}, exchange.TargetsFile)
}

// keepsOne refuses a change that leaves no enabled target while visits go to targets.
func (s *Service) keepsOne(ctx context.Context, id int64, enabled bool) error {
	r, err := s.store.Routing(ctx)
	if err != nil || !r.Multi || enabled {
		return err
	}
	all, err := s.store.Targets(ctx)
	if err != nil {
		return err
	}
	others := slices.ContainsFunc(all, func(t store.Target) bool { return t.ID != id && t.Enabled })
	was := slices.ContainsFunc(all, func(t store.Target) bool { return t.ID == id && t.Enabled })
	var problems problem.List
	if was && !others {
		problems.Refuse("enabled", "false", "leaves no enabled target",
			"enable another one, or go back to a single target, first")
	}
	return problems.Err()
}

// SaveRouting changes where visits go. The error is a problem.List.
func (s *Service) SaveRouting(ctx context.Context, r Routing) error {
	_, err := change(ctx, s, func(ctx context.Context) (struct{}, error) { return struct{}{}, s.saveRouting(ctx, r) },
		exchange.TargetsFile, exchange.EnvFile)
	return err
}

func (s *Service) saveRouting(ctx context.Context, r Routing) error {
	var problems problem.List
	checkRouting(r, &problems)
	if r.Mode == Multi {
		all, err := s.store.Targets(ctx)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(all, func(t store.Target) bool { return t.Enabled }) {
			problems.Refuse("mode", string(r.Mode), "needs an enabled target", "add one or enable one first")
		}
	}
	if err := problems.Err(); err != nil {
		return err
	}
	return s.store.SaveRouting(ctx, store.Routing{Multi: r.Mode == Multi, Strategy: r.Strategy})
}

func checkRouting(r Routing, problems *problem.List) {
	if r.Mode != Single && r.Mode != Multi {
		problems.Refuse("mode", string(r.Mode), "is not a mode", "use single or multi")
	}
	if r.Strategy != target.RoundRobin && r.Strategy != target.Weighted && r.Strategy != target.Random {
		problems.Refuse("distribution_strategy", string(r.Strategy), "is not a strategy",
			"use round-robin, weighted or random")
	}
}
