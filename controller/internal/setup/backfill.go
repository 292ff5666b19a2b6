package setup

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/spec"
)

// backfillPrefix begins the names of all knobs of a backfill; who asks for one may leave it out.
const backfillPrefix = "BACKFILL_"

// Backfill is the saved set-up for a job that sends past days, with values laid over the knobs of group Backfill, and
// what the loadgen makes of its knobs. The problems are all that is wrong or doubtful with it but for what needs a
// clock; where one is an error the set-up is of no use.
func (l *Library) Backfill(ctx context.Context, values map[string]any) (SetUp, spec.Spec, problem.List, error) {
	c, err := l.store.Config(ctx)
	if err != nil {
		return SetUp{}, spec.Spec{}, nil, err
	}
	k := knobs{c.Knobs, c.Secrets}.clone()
	// The run of the kept loadgen has these for itself.
	delete(k.plain, "RUN_ID")
	delete(k.plain, "CAPACITY_SEARCH")
	var problems problem.List
	k.putBackfill(values, &problems)
	k.plain[backfillPrefix+"ENABLED"] = "true"
	s, more := k.check()
	problems = append(problems, more...)
	out := SetUp{Knobs: map[string]string{}}
	for _, f := range spec.Fields() {
		if where(f) == "" || f.Group == spec.BackfillGroup {
			out.Knobs[f.Key] = ""
		}
	}
	maps.Copy(out.Knobs, k.environ())
	if err := l.fill(ctx, &out); err != nil {
		return SetUp{}, spec.Spec{}, nil, err
	}
	if out.Targets == nil && s.MatomoURL == "" {
		problems.Refuse("MATOMO_URL", "", "is not set",
			"save the address of the tracker, https://host/matomo.php, or add targets")
	}
	return out, s, problems, nil
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
			problems.Refuse(key, "", "is given twice", "keep one of the two")
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
