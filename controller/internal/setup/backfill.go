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

// backfillPrefix begins the names of all knobs of a backfill; who asks for one may leave it out.
const backfillPrefix = "BACKFILL_"

// Backfill is the saved set-up for a job that sends past days, with values laid over the knobs of group Backfill, and
// what the loadgen makes of its knobs. The problems are all that is wrong or doubtful with it but for what needs a
// clock; where one is an error the set-up is of no use.
func (s *Service) Backfill(ctx context.Context, values map[string]any) (plan.Input, spec.Spec, problem.List, error) {
	saved, err := s.config(ctx)
	if err != nil {
		return plan.Input{}, spec.Spec{}, nil, err
	}
	k := saved.clone()
	// The run of the kept loadgen has these for itself.
	delete(k.plain, "RUN_ID")
	delete(k.plain, "CAPACITY_SEARCH")
	var problems problem.List
	k.putBackfill(values, &problems)
	k.plain[backfillPrefix+"ENABLED"] = "true"
	c := k.parse()
	problems = append(problems, c.problems...)
	out := plan.Input{Knobs: map[string]string{}}
	for _, f := range spec.Fields() {
		if where(f) == "" || f.Group == spec.BackfillGroup {
			out.Knobs[f.Key] = ""
		}
	}
	maps.Copy(out.Knobs, k.environ())
	if err := s.fill(ctx, &out); err != nil {
		return plan.Input{}, spec.Spec{}, nil, err
	}
	if out.Targets == nil && c.spec.MatomoURL == "" {
		problems.Refuse("MATOMO_URL", "", "is not set",
			"save the address of the tracker, https://host/matomo.php, or add targets")
	}
	return out, c.spec, problems, nil
}

// putBackfill lays values over the knobs of a backfill. Keys are env names in any case, with or without their
// beginning.
func (k knobs) putBackfill(values map[string]any, problems *problem.List) {
	fields := map[string]spec.Field{}
	for _, f := range spec.Fields() {
		if f.Group == spec.BackfillGroup && f.Key != backfillPrefix+"ENABLED" {
			fields[f.Key] = f
		}
	}
	seen := map[string]bool{}
	for _, given := range slices.Sorted(maps.Keys(values)) {
		key := backfillPrefix + strings.TrimPrefix(strings.ToUpper(given), backfillPrefix)
		f, known := fields[key]
		v, ok := text(values[given])
		switch {
		case key == backfillPrefix+"RUN_ONCE", key == backfillPrefix+"ENABLED": // a job ends, and is one
		case !known:
			problems.Refuse(given, "", "is not a setting of a backfill",
				"use one of "+strings.Join(slices.Sorted(maps.Keys(fields)), ", ")+"; everything else is as saved")
		case seen[key]:
			problems.Refuse(key, "", "is given twice", "keep only one")
		case !ok:
			problems.Refuse(key, "", "is neither a text nor a number", "write a "+string(f.Kind))
		case strings.ContainsAny(v, "\r\n\x00"):
			problems.Refuse(key, "", "has a line break or a null", "write it in one line")
		case strings.TrimSpace(v) != "":
			k.plain[key] = strings.TrimSpace(v)
		}
		seen[key] = true
	}
}

// WriteJob writes the files of a job, tokens included, into a folder of its own. What is there of it is written over.
func (s *Service) WriteJob(in plan.Input, id plan.Identity) error {
	files, err := in.Files(s.fs, id.Keys())
	if err != nil {
		return err
	}
	return s.Folder.WriteJob(id.ID, files)
}

// RenewJob writes how the targets are reached now, tokens included, into the files of a job, where that is saved for
// the same addresses: what ended it may have been its token. One that is no longer saved stays as it was.
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
	var missing *plan.MissingSecrets
	if errors.As(err, &missing) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.Folder.WriteJob(id, renewed)
}
