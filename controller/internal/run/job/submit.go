package job

import (
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

// Plan is what a job would send.
type Plan struct {
	Days []calendar.Day
	// Spec is the parsed settings.
	Spec spec.Spec
	// Problems are warnings, and errors for which Run rejects the job although its days are known.
	Problems problem.List

	input plan.Input
}

// Plan returns what a job with values would send; values are settings of a backfill by name. The error is a
// problem.List with every reason to reject the job, if its days cannot be determined.
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

// MinDuration returns how long a job takes at least, by BACKFILL_RPS_LIMIT; 0 without it. A loadgen that cannot be asked
// is a warning among the problems of p.
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

// checkToken refuses old days where a target has no token: Matomo would refuse every hit of them.
func (q *Queue) checkToken(in plan.Input, days []calendar.Day, problems *problem.List) {
	old := slices.IndexFunc(days, func(d calendar.Day) bool {
		return d.Visits > 0 && q.c.Now().Sub(d.Start) > target.MaxAgeWithoutToken
	})
	if old < 0 {
		return
	}
	why := fmt.Sprintf("is not set, and Matomo takes nothing older than 24 hours without it, such as of %s",
		days[old].Date)
	const cure = "save the token of a user with write access, or send nothing but today"
	if in.Targets == nil {
		if in.Settings["MATOMO_TOKEN_AUTH"] == "" {
			problems.Refuse("MATOMO_TOKEN_AUTH", "", why, cure)
		}
		return
	}
	for _, t := range in.Targets.Targets {
		if t.Enabled && t.Token == "" {
			problems.Refuse(fmt.Sprintf("target %q: token_auth", t.Name), "", why, cure)
		}
	}
}

// Run queues a job of values, as Plan has them. name describes it. The warnings are returned beside the job; the error
// is a problem.List of everything for which it is refused.
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
		none.Refuse("BACKFILL_*", "", "no day of the window has a visit: "+p.Days[0].Skipped,
			"choose other days, or raise TARGET_VISITS_PER_DAY")
		return Job{}, nil, none
	}
	id := q.c.NewIdentity()
	p.pin(&id)
	payload := maps.Clone(values)
	if payload == nil {
		payload = map[string]any{}
	}
	if name != "" {
		payload["name"] = name
	}
	if err := q.c.Setup.WriteJob(p.input, id); err != nil {
		return Job{}, nil, fmt.Errorf("publish the job: %w", err)
	}
	j := record.Job{RunID: id.ID, Name: name, Payload: payload, State: Queued, Queued: q.c.Now()}
	if err := q.c.Store.SaveJob(ctx, j); err != nil {
		return Job{}, nil, errors.Join(err, q.c.Setup.RemoveJob(j.RunID)) // its files hold tokens
	}
	q.c.Log.Info("backfill queued", "run_id", j.RunID, "days", len(p.Days), "visits", calendar.Total(p.Days))
	q.triggerPoll()
	return q.toJob(j), p.Problems.Warnings(), nil
}

// fix makes the days those that were planned, whenever the job's turn comes, and the seed that of the settings.
func (p Plan) pin(id *run.Identity) {
	k := p.input.Settings
	k["BACKFILL_START_DATE"], k["BACKFILL_END_DATE"] = p.Days[0].Date.String(), p.Days[len(p.Days)-1].Date.String()
	k["BACKFILL_DAYS_BACK"], k["BACKFILL_DURATION_DAYS"] = "", ""
	for _, seed := range []*uint64{p.Spec.BackfillSeed, p.Spec.RunSeed} {
		if seed != nil {
			id.Seed = *seed
			break
		}
	}
	k["RUN_SEED"], k["RUN_ID"] = strconv.FormatUint(id.Seed, 10), id.ID
}

// wakeUp has Watch look at once.
func (q *Queue) triggerPoll() {
	select {
	case q.trigger <- struct{}{}:
	default: // it was told already
	}
}
