package setup

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/spec"
)

// backfillPrefix starts the names of all backfill settings; requests may omit it.
const backfillPrefix = "BACKFILL_"

// Backfill returns the saved set-up for a backfill job, with values for the settings of group Backfill, and its parsed
// settings. The problems are all errors and warnings except those that need a clock; with an error the set-up is
// unusable.
func (s *Service) Backfill(ctx context.Context, values map[string]any) (plan.Input, spec.Spec, problem.List, error) {
	saved, err := s.config(ctx)
	if err != nil {
		return plan.Input{}, spec.Spec{}, nil, err
	}
	v := saved.clone()
	// These are for other runs.
	delete(v.plain, "RUN_ID")
	delete(v.plain, "CAPACITY_SEARCH")
	var problems problem.List
	v.putBackfill(values, &problems)
	v.plain[backfillPrefix+"ENABLED"] = "true"
	c := v.parse()
	problems = append(problems, c.problems...)
	out := plan.Input{Settings: map[string]string{}}
	for _, f := range spec.Fields() {
		if f.Instead == "" {
			out.Settings[f.Key] = ""
		}
	}
	maps.Copy(out.Settings, v.environ())
	if err := s.addContent(ctx, &out); err != nil {
		return plan.Input{}, spec.Spec{}, nil, err
	}
	if out.Targets == nil && c.spec.MatomoURL == "" {
		refuseMissingURL(&problems)
	}
	return out, c.spec, problems, nil
}

// putBackfill sets backfill settings. Keys are env names in any case, with or without their prefix.
func (v settings) putBackfill(values map[string]any, problems *problem.List) {
	always := []string{backfillPrefix + "ENABLED", backfillPrefix + "RUN_ONCE"} // for a job
	fields := slices.DeleteFunc(spec.Fields(), func(f spec.Field) bool {
		return f.Group != spec.BackfillGroup || slices.Contains(always, f.Key)
	})
	keyOf := func(given string) string {
		return backfillPrefix + strings.TrimPrefix(strings.ToUpper(given), backfillPrefix)
	}
	v.putFields(fields, values, keyOf, func(given string, _ bool) {
		if slices.Contains(always, keyOf(given)) {
			return
		}
		keys := make([]string, len(fields))
		for i, f := range fields {
			keys[i] = f.Key
		}
		slices.Sort(keys)
		problems.Refuse(given, "", "is not a backfill setting", "use one of "+strings.Join(keys, ", ")+
			"; everything else comes from the saved configuration")
	}, problems)
}

// WriteJob writes the files of a job, tokens included, into its own folder, replacing those already there.
func (s *Service) WriteJob(in plan.Input, id plan.Identity) error {
	files, err := in.Files(s.fs, id.Keys())
	if err != nil {
		return err
	}
	return s.Folder.WriteJob(id.ID, files)
}

// RenewJob updates the tokens and addresses in the files of a job to those saved now, if they are saved for the same
// targets: a rejected token may have ended it. What is no longer saved stays.
func (s *Service) RenewJob(ctx context.Context, id string) error {
	files, err := s.JobFiles(id)
	if err != nil || len(files) == 0 {
		return err
	}
	keys, err := plan.RunKeys(files[exchange.EnvFile])
	if err != nil {
		return err
	}
	archive, err := plan.Archive(files)
	if err != nil {
		return err
	}
	access, err := s.access(ctx)
	if err != nil {
		return err
	}
	renewed, err := access.Files(s.fs, archive, keys)
	if _, ok := errors.AsType[*plan.MissingSecrets](err); ok {
		return nil
	}
	if err != nil {
		return err
	}
	return s.Folder.WriteJob(id, renewed)
}
