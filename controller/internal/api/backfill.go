package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/puttrix/trafficinator/controller/internal/fault"
	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/run/job"
	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/textfile"
)

// Jobs are backfills, see package job.
type Jobs interface {
	Plan(ctx context.Context, values map[string]any) (job.Plan, error)
	MinDuration(ctx context.Context, p *job.Plan) time.Duration
	Run(ctx context.Context, name string, values map[string]any) (job.Job, problem.List, error)
	Jobs(ctx context.Context) ([]job.Job, error)
	Job(ctx context.Context, name string) (job.Job, error)
	Last(ctx context.Context) (job.Job, error)
	Cancel(ctx context.Context, name string) (job.Job, problem.List, error)
	Resume(ctx context.Context, name string) (job.Job, error)
	Settle(ctx context.Context, name string) (job.Job, error)
	CleanUp(ctx context.Context) (removed []string, failed []error, err error)
	Logs(ctx context.Context, id string, q launcher.LogQuery, each func(launcher.Line) error) error
}

// jobBody asks for a backfill. The loadgen's own rules, which tell all faults at once, read it.
type jobBody map[string]any

// Schema implements huma.SchemaProvider: the settings of the group Backfill.
func (jobBody) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeObject, AdditionalProperties: true,
		Description: "Settings of the group Backfill, with or without BACKFILL_ before their names, as texts or " +
			"numbers, and name, a text about the run. RUN_ONCE is taken and has no effect. Everything else is " +
			"as saved. Nothing is saved.",
	}
}

type jobRequest struct{ Body jobBody }

type cancelJobRequest struct {
	Body struct {
		RunID         string `json:"run_id,omitempty" maxLength:"64"`
		ContainerName string `json:"container_name,omitempty" maxLength:"200" doc:"Either of the two names the job."`
	}
}

var _ = routes((*server).backfill)

// backfill keeps the original's five paths and adds those it had no answer for.
func (s *server) backfill() {
	reply(s, about(begun(op(http.MethodPost, "/api/backfill/run", tagBackfill, "Send past days in a job of its own")),
		"It is queued, and started when no other job goes on; live traffic goes on beside it. 422 tells every fault "+
			"of window, caps and token."), s.runJob)
	reply(s, as(question, op(http.MethodPost, "/api/backfill/plan", tagBackfill,
		"What a backfill would send, day by day, without sending or saving anything")), s.planJob)
	reply(s, about(op(http.MethodGet, "/api/backfill/status", tagBackfill, "Backfill jobs and how far they have come"),
		"A snapshot that is at most about a second old, cheap enough to be asked for each second. The "+
			"log of a job is at GET /api/logs?job=."),
		func(ctx context.Context, _ *empty) (jobsResponse, error) {
			jobs, err := s.Jobs.Jobs(ctx)
			out := make([]jobStatus, len(jobs))
			for i, j := range jobs {
				out[i] = newJob(j)
			}
			return jobsResponse{true, counted(len(out), "job"), out}, err
		})
	get(s, "/api/backfill/last", tagBackfill, "What was asked for last", s.lastJob)
	reply(s, about(as(urgent, op(http.MethodPost, "/api/backfill/cancel", tagBackfill, "Cancel a backfill job")),
		"One that goes on drains: what is in flight gets its answer, and the rest can be sent later with "+
			"resume. 404 where there is no such job, 409 where it has ended."),
		func(ctx context.Context, in *cancelJobRequest) (jobResult, error) {
			j, warnings, err := s.Jobs.Cancel(context.WithoutCancel(ctx), cmp.Or(in.Body.RunID, in.Body.ContainerName))
			return newJobResult(j, "cancelled; what was not sent can be sent with resume", warnings), err
		})
	reply(s, about(op(http.MethodPost, "/api/backfill/cleanup", tagBackfill, "Remove ended backfill jobs"),
		"Their containers and files go, tokens with them; what they sent stays in the runs. What was "+
			"removed can no longer be resumed."),
		func(ctx context.Context, _ *empty) (cleanupResponse, error) {
			removed, failed, err := s.Jobs.CleanUp(context.WithoutCancel(ctx))
			a := cleanupResponse{len(failed) == 0, counted(len(removed), "job") + " removed",
				append([]string{}, removed...), []string{}}
			for _, f := range failed {
				a.Errors = append(a.Errors, f.Error())
			}
			if len(failed) > 0 {
				a.Message += ", " + strconv.Itoa(len(failed)) + " could not be removed"
			}
			return a, err
		})
	byRun(
		s,
		about(begun(op(http.MethodPost, "/api/backfill/{id}/resume", tagBackfill, "Go on with a job where it ended")),
			"By its journal: no visit is sent twice, unknown batches are not sent again. 404 where there is no "+
				"such job, 409 where nothing is left to send or it goes on."),
		func(ctx context.Context, id string) (jobResult, error) {
			j, err := s.Jobs.Resume(context.WithoutCancel(ctx), id)
			return newJobResult(j, "queued again; it goes on where it ended", nil), err
		},
	)
	byRun(s, about(op(http.MethodPost, "/api/backfill/{id}/settle", tagBackfill,
		"Count the unknown batches of a job as sent"),
		"For a person who has looked into Matomo. Its ledger stays as it is. 404 where there is no such "+
			"job, 409 where it has no unknown batch or goes on."),
		func(ctx context.Context, id string) (jobResult, error) {
			j, err := s.Jobs.Settle(ctx, id)
			return newJobResult(j, "the unknown batches count as sent", nil), err
		})
}

// counted is a number of things in words.
func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return strconv.Itoa(n) + " " + what
}

// maxName is the longest name of a job, in bytes.
const maxName = 200

// asked takes the name out of what a job is asked with. Where it is at fault, the error tells the faults of the rest
// too.
func (s *server) asked(ctx context.Context, r *jobRequest) (name string, values map[string]any, err error) {
	var problems problem.List
	values = map[string]any{}
	for key, v := range r.Body {
		if !strings.EqualFold(key, "name") {
			values[key] = v
			continue
		}
		text, ok := v.(string)
		if !ok && v != nil || len(text) > maxName {
			problems.Refuse("name", "", "is no text of at most 200 bytes", "describe the run in a few words")
		}
		name = strings.TrimSpace(text)
		if odd, found := textfile.FindInvisibleInLine(name); found {
			problems.Refuse("name", "", "has "+odd.String(), "type it again without that")
		}
	}
	if len(problems) == 0 {
		return name, values, nil
	}
	plan, err := s.Jobs.Plan(ctx, values)
	more := plan.Problems
	if err != nil && !errors.As(err, &more) {
		return "", nil, err
	}
	return "", nil, append(problems, more.Errors()...)
}

func (s *server) runJob(ctx context.Context, in *jobRequest) (a jobResult, err error) {
	name, values, err := s.asked(ctx, in)
	if err != nil {
		return a, err
	}
	j, warnings, err := s.Jobs.Run(context.WithoutCancel(ctx), name, values)
	return newJobResult(j, "queued; it begins when no other job goes on", warnings), err
}

func (s *server) planJob(ctx context.Context, in *jobRequest) (a jobPlanResponse, err error) {
	_, values, err := s.asked(ctx, in)
	if err != nil {
		return a, err
	}
	p, err := s.Jobs.Plan(ctx, values)
	if err != nil {
		return a, err
	}
	duration := s.Jobs.MinDuration(ctx, &p)
	a = jobPlanResponse{Calendar: make([]jobPlanDay, len(p.Days)), Total: calendar.Total(p.Days),
		Timezone: p.Spec.Timezone.String(), Warnings: faults(p.Problems)}
	for i, d := range p.Days {
		a.Calendar[i] = jobPlanDay{Date: d.Date.String(), Visits: d.Visits, Skipped: d.Skipped}
		if d.Visits > 0 && d.Skipped != "" {
			a.Calendar[i].Skipped = ""
			a.Warnings = append(a.Warnings, fieldProblem{d.Date.String(), d.Skipped, string(problem.Warning)})
		}
	}
	if least := duration.Seconds(); least > 0 {
		a.Estimated = &least
	}
	return a, nil
}

func (s *server) lastJob(ctx context.Context) (lastJobResponse, error) {
	j, err := s.Jobs.Last(ctx)
	if errors.Is(err, fault.NotFound) {
		return lastJobResponse{Success: true, Message: "no backfill was asked for yet", Payload: map[string]any{}}, nil
	}
	if err != nil {
		return lastJobResponse{}, err
	}
	a := newJob(j)
	out := lastJobResponse{
		Success:   true,
		Message:   "backfill " + a.RunID,
		Payload:   a.Payload,
		Timestamp: moment(j.Queued),
	}
	if j.State != "" {
		out.Result = &a
	}
	return out, nil
}
