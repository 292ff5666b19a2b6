package library

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/target"
)

// Target is a saved target; the token prints as a mask.
type Target struct {
	ID     int64         `json:"id"`
	Name   string        `json:"name"`
	URL    string        `json:"url"`
	SiteID int           `json:"site_id"`
	Token  secret.String `json:"token_auth"`
	// ReadToken is for the Reporting API, see shared/target.
	ReadToken secret.String `json:"read_token"`
	Weight    int           `json:"weight"`
	Enabled   bool          `json:"enabled"`
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
func (l *Library) Targets(ctx context.Context) ([]Target, Routing, error) {
	saved, err := l.store.Targets(ctx)
	if err != nil {
		return nil, Routing{}, err
	}
	out := make([]Target, len(saved))
	for i, t := range saved {
		out[i] = shownTarget(t)
	}
	r, err := l.store.Routing(ctx)
	return out, shownRouting(r), err
}

func shownTarget(t store.Target) Target {
	return Target{t.ID, t.Name, t.URL, t.SiteID, t.Token, t.ReadToken, t.Weight, t.Enabled, t.Created, t.Updated}
}

func shownRouting(r store.Routing) Routing {
	if r.Multi {
		return Routing{Multi, r.Strategy}
	}
	return Routing{Single, r.Strategy}
}

// Target is one, or ErrNotFound.
func (l *Library) Target(ctx context.Context, id int64) (Target, error) {
	t, err := l.target(ctx, id)
	return shownTarget(t), err
}

func (l *Library) target(ctx context.Context, id int64) (store.Target, error) {
	all, err := l.store.Targets(ctx)
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
func (l *Library) CreateTarget(ctx context.Context, body []byte) (Target, error) {
	return l.saveTarget(ctx, store.Target{}, map[string]any{}, body)
}

// UpdateTarget changes the fields of one that body names; a masked token stays, unless the address changes, and "" removes
// it. The error is ErrNotFound, ErrNameTaken or a problem.List.
func (l *Library) UpdateTarget(ctx context.Context, id int64, body []byte) (Target, error) {
	t, err := l.target(ctx, id)
	if err != nil {
		return Target{}, err
	}
	return l.saveTarget(ctx, t, map[string]any{
		"name": t.Name, "url": t.URL, "site_id": t.SiteID, "token_auth": t.Token.Reveal(), "read_token": t.ReadToken.Reveal(), "weight": t.Weight, "enabled": t.Enabled,
	}, body)
}

func (l *Library) saveTarget(ctx context.Context, t store.Target, fields map[string]any, body []byte) (Target, error) {
	var given map[string]any
	if problems := decodeInto("target", body, &given); problems != nil {
		return Target{}, problems
	}
	var kept []string
	for _, token := range []string{"token_auth", "read_token"} {
		if v, there := given[token]; t.ID != 0 && (!there || v == secret.Mask) {
			delete(given, token)
			if fields[token] != "" {
				kept = append(kept, token)
			}
		}
	}
	maps.Copy(fields, given)
	read, err := readTarget(fields)
	if err != nil {
		return Target{}, err
	}
	if read.URL != t.URL && len(kept) > 0 {
		var problems problem.List
		for _, token := range kept {
			problems.Refuse(token, "", otherAddress, "give the token itself, or an empty one to send none")
		}
		return Target{}, problems
	}
	t.Target = read
	if err := l.keepsOne(ctx, t.ID, read.Enabled); err != nil {
		return Target{}, err
	}
	id, err := l.store.SaveTarget(ctx, t)
	if err != nil {
		return Target{}, err
	}
	return l.Target(ctx, id)
}

// readTarget reads the fields by the rules of shared/target, for which a set needs an enabled one.
func readTarget(fields map[string]any) (target.Target, error) {
	enabled, isFlag := fields["enabled"].(bool)
	if isFlag {
		fields["enabled"] = true
	}
	data, err := json.Marshal(map[string]any{"targets": []any{fields}})
	if err != nil {
		return target.Target{}, fmt.Errorf("read target: %w", err)
	}
	set, problems := target.Decode(document, data)
	strip(problems, "targets[0]", "target")
	if err := problems.Err(); err != nil {
		return target.Target{}, err
	}
	out := set.Targets[0]
	out.Name = strings.TrimSpace(out.Name)
	out.Enabled = enabled || !isFlag
	return out, nil
}

// DeleteTarget removes one. The error is ErrNotFound, or a problem.List where visits go to targets and it is the last
// enabled one.
func (l *Library) DeleteTarget(ctx context.Context, id int64) error {
	if err := l.keepsOne(ctx, id, false); err != nil {
		return err
	}
	return l.store.DeleteTarget(ctx, id)
}

// keepsOne refuses a change that leaves no enabled target while visits go to targets.
func (l *Library) keepsOne(ctx context.Context, id int64, enabled bool) error {
	r, err := l.store.Routing(ctx)
	if err != nil || !r.Multi || enabled {
		return err
	}
	all, err := l.store.Targets(ctx)
	if err != nil {
		return err
	}
	others := slices.ContainsFunc(all, func(t store.Target) bool { return t.ID != id && t.Enabled })
	was := slices.ContainsFunc(all, func(t store.Target) bool { return t.ID == id && t.Enabled })
	var problems problem.List
	if was && !others {
		problems.Refuse("enabled", "false", "leaves no enabled target", "enable another one, or go back to a single target, first")
	}
	return problems.Err()
}

// SaveRouting changes where visits go. The error is a problem.List.
func (l *Library) SaveRouting(ctx context.Context, r Routing) error {
	var problems problem.List
	checkRouting(r, &problems)
	if r.Mode == Multi {
		all, err := l.store.Targets(ctx)
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
	return l.store.SaveRouting(ctx, store.Routing{Multi: r.Mode == Multi, Strategy: r.Strategy})
}

func checkRouting(r Routing, problems *problem.List) {
	if r.Mode != Single && r.Mode != Multi {
		problems.Refuse("mode", string(r.Mode), "is not a mode", "use single or multi")
	}
	if r.Strategy != target.RoundRobin && r.Strategy != target.Weighted && r.Strategy != target.Random {
		problems.Refuse("distribution_strategy", string(r.Strategy), "is not a strategy", "use round-robin, weighted or random")
	}
}

// SingleTarget is the saved target of a configuration without several; its address may be empty.
func (l *Library) SingleTarget(ctx context.Context) (target.Target, error) {
	c, err := l.store.Config(ctx)
	if err != nil {
		return target.Target{}, err
	}
	s, _ := knobs{c.Knobs, c.Secrets}.check() // what is wrong with other settings is told when they are saved
	return s.Target(), nil
}

// Readers are the targets that can be asked what they recorded: the single one, called matomo as the loadgen does, where
// its address is saved, and all others.
func (l *Library) Readers(ctx context.Context) ([]target.Target, error) {
	single, err := l.SingleTarget(ctx)
	if err != nil {
		return nil, err
	}
	var out []target.Target
	if single.URL != "" {
		out = append(out, single)
	}
	saved, err := l.store.Targets(ctx)
	for _, t := range saved {
		out = append(out, t.Target)
	}
	return out, err
}
