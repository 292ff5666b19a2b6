package setup

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/target"
)

// PresetTargets are the targets of a preset and how they are used, without secrets.
type PresetTargets struct {
	Mode     Mode             `json:"mode"`
	Strategy target.Strategy  `json:"distribution_strategy"`
	Targets  []ExportedTarget `json:"targets"`
}

// input are the targets as a set-up holds them.
func (t PresetTargets) input() (importedSetup, error) {
	in := importedSetup{Mode: t.Mode, Strategy: t.Strategy}
	for _, w := range t.Targets {
		raw, err := json.Marshal(w)
		if err != nil {
			return in, err
		}
		in.Targets = append(in.Targets, raw)
	}
	return in, nil
}

// presetTargets are t as a preset keeps them: nothing where there is none.
func (s *Service) presetTargets(t PresetTargets, problems *problem.List) string {
	if len(t.Targets) == 0 {
		return ""
	}
	in, err := t.input()
	if err != nil {
		problems.Refuse("targets", "", err.Error(), "")
		return ""
	}
	routing := shownRouting(in.routing(problems))
	kept := PresetTargets{Mode: routing.Mode, Strategy: routing.Strategy}
	for _, read := range s.importedTargets(in.Targets, nil, problems) {
		kept.Targets = append(kept.Targets, exportTarget(shownTarget(read)))
	}
	body, err := json.Marshal(kept)
	if err != nil {
		problems.Refuse("targets", "", err.Error(), "")
	}
	return string(body)
}

func shownTargets(saved string) *PresetTargets {
	if saved == "" {
		return nil
	}
	var t PresetTargets
	_ = json.Unmarshal([]byte(saved), &t) // it was in order when it was saved
	return &t
}

// loadTargets saves the knobs of a preset and puts its targets in place of those that are used: one of the same name is
// replaced and keeps its secrets where its addresses stay the same, the others are disabled. The warnings name the
// targets without a token.
func (s *Service) loadTargets(ctx context.Context, t PresetTargets, values map[string]any,
	revision int64) (Config, error) {
	saved, err := s.store.Targets(ctx)
	if err != nil {
		return Config{}, err
	}
	in, err := t.input()
	if err != nil {
		return Config{}, err
	}
	var problems problem.List
	routing := in.routing(&problems)
	read := s.importedTargets(in.Targets, saved, &problems)
	if err := problems.Err(); err != nil {
		return Config{}, err
	}
	for i, r := range read {
		if at := slices.IndexFunc(saved, func(o store.Target) bool {
			return strings.EqualFold(o.Name, r.Name)
		}); at >= 0 {
			read[i].ID = saved[at].ID
		}
		if r.Enabled && r.Token == "" {
			problems.Warn("targets", r.Name, "has no token saved for its address",
				"give it on the page of targets, unless it needs none")
		}
	}
	c, err := s.mergeConfig(ctx, values, revision)
	if err != nil {
		return Config{}, err
	}
	c.Warnings = append(problems, c.Warnings...)
	return c, s.store.SaveTargets(ctx, alone(read, saved), routing)
}
