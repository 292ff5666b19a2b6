package job

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/run"
	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/target"
)

// Plan describes the hits of a job.
type Plan struct {
	Days []calendar.Day
	Spec spec.Spec
	// Problems are warnings, and errors for which Run rejects the job although its days are known.
	Problems problem.List

	input plan.Input
}

// Plan returns the plan of a job with values, which are settings of a backfill by name. If its days cannot be
// determined, the error is a problem.List with every reason to reject it.
func (q *Queue) Plan(ctx context.Context, values map[string]any) (Plan, error) {
	input, s, problems, err := q.c.Setup.Backfill(ctx, values)
	if err != nil {
		return Plan{}, err
	}
	days, more := s.Backfill(q.c.Now())
	problems = append(problems, more...)
	invalid := problems.Err()
	q.checkToken(input, days, &problems)
	if invalid != nil {
		return Plan{}, problems.Errors()
	}
	return Plan{days, s, problems, input}, nil
}

// MinDuration returns the shortest duration of a job by BACKFILL_RPS_LIMIT, as the loadgen estimates it; 0 without the
// limit. A failed estimate adds a warning to the problems of p.
func (q *Queue) MinDuration(ctx context.Context, p *Plan) time.Duration {
	if p.Spec.BackfillRPS == 0 || p.Problems.Err() != nil {
		return 0
	}
	e, err := q.c.Estimate(ctx, p.input.WithoutAccess())
	if err != nil {
		p.Problems.Warn("loadgen", "", "could not estimate the duration: "+err.Error(), "check again")
	}
	if err != nil || e.End == nil {
		return 0
	}
	return time.Duration(e.End.Seconds * float64(time.Second))
}

// checkToken rejects old days if a target has no token: Matomo would reject all of their hits.
func (q *Queue) checkToken(in plan.Input, days []calendar.Day, problems *problem.List) {
	old := slices.IndexFunc(days, func(d calendar.Day) bool {
		return d.Visits > 0 && q.c.Now().Sub(d.Start) > target.MaxAgeWithoutToken
	})
	if old < 0 {
		return
	}
	missing := func(where string) {
		problems.Refuse(where, "", fmt.Sprintf("is not set, and without it Matomo rejects hits older than 24 hours, "+
			"such as those of %s", days[old].Date), "save the token of a user with write access, or send only today")
	}
	if in.Targets == nil && in.Settings["MATOMO_TOKEN_AUTH"] == "" {
		missing("MATOMO_TOKEN_AUTH")
	}
	if in.Targets == nil {
		return
	}
	for _, t := range in.Targets.Targets {
		if t.Enabled && t.Token == "" {
			missing(fmt.Sprintf("target %q: token_auth", t.Name))
		}
	}
}

// Run queues a job with values, see Plan; name describes it. It returns the job with its warnings, or a problem.List
// with every reason to reject it.
func (q *Queue) Run(ctx context.Context, name string, values map[string]any) (Job, problem.List, error) {
	p, err := q.Plan(ctx, values)
	if err != nil {
		return Job{}, nil, err
	}
	if err := p.Problems.Err(); err != nil {
		return Job{}, nil, err
	}
	if calendar.Total(p.Days) == 0 {
		var none problem.List
		none.Refuse("BACKFILL_*", "", "no day in the date range has visits: "+p.Days[0].Skipped,
			"choose other days, or raise TARGET_VISITS_PER_DAY")
		return Job{}, nil, none
	}
	id := q.c.NewIdentity()
	p.pin(&id)
	payload := map[string]any{}
	maps.Copy(payload, values)
	if name != "" {
		payload["name"] = name
	}
	if err := q.c.Setup.WriteJob(p.input, id); err != nil {
		return Job{}, nil, fmt.Errorf("publish the job: %w", err)
	}
	j := record.Job{RunID: id.ID, Name: name, Payload: payload, State: Queued, Queued: q.c.Now()}
	if err := q.c.Store.SaveJob(ctx, j); err != nil {
		return Job{}, nil, errors.Join(err, q.c.Setup.RemoveJob(j.RunID)) // its files contain tokens
	}
	q.c.Log.Info("backfill queued", "run_id", j.RunID, "days", len(p.Days), "visits", calendar.Total(p.Days))
	q.triggerPoll()
	return q.toJob(j), p.Problems.Warnings(), nil
}

// pin fixes the days, so that they do not depend on when the job starts, and the seed.
func (p Plan) pin(id *run.Identity) {
	k := p.input.Settings
	k["BACKFILL_START_DATE"], k["BACKFILL_END_DATE"] = p.Days[0].Date.String(), p.Days[len(p.Days)-1].Date.String()
	k["BACKFILL_DAYS_BACK"], k["BACKFILL_DURATION_DAYS"] = "", ""
	if seed := cmp.Or(p.Spec.BackfillSeed, p.Spec.RunSeed); seed != nil {
		id.Seed = *seed
	}
	k["RUN_SEED"], k["RUN_ID"] = strconv.FormatUint(id.Seed, 10), id.ID
}

// triggerPoll makes Watch poll at once.
func (q *Queue) triggerPoll() {
	select {
	case q.trigger <- struct{}{}:
	default: // it will anyway
	}
}
