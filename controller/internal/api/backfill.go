package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/puttrix/trafficinator/controller/internal/fault"
	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/run/job"
	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/textfile"
)

// Jobs manages backfill jobs, see package job.
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

// jobBody has the settings of a backfill. The loadgen's rules check them, which report all problems at once.
type jobBody map[string]any

// Schema implements huma.SchemaProvider.
func (jobBody) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type:                 huma.TypeObject,
		AdditionalProperties: true,
		Description: "Settings of the group Backfill, with or without the prefix BACKFILL_, as strings or numbers, and " +
			"an optional name. All other settings are as saved; RUN_ONCE is ignored. Nothing is saved.",
	}
}

type jobRequest struct{ Body jobBody }

type cancelJobRequest struct {
	Body struct {
		RunID         string `json:"run_id,omitempty" maxLength:"64" doc:"Id of the job. Required unless container_name is set."`
		ContainerName string `json:"container_name,omitempty" maxLength:"200" doc:"Name of the job's container, instead of run_id."`
	}
}

// jobResult is a job after an operation.
type jobResult struct {
	Done
	RunID         string         `json:"run_id" doc:"Id of the job."`
	ContainerName string         `json:"container_name" doc:"Name of the job's container."`
	ContainerID   *string        `json:"container_id" doc:"Id of the container; null until it has started."`
	State         string         `json:"state" enum:"queued,running,cancelling,exited" doc:"State of the job."`
	Warnings      []fieldProblem `json:"warnings" doc:"Problems that did not prevent the operation."`
}

type jobsResponse struct {
	Done
	Runs []jobStatus `json:"runs" doc:"Newest first. Jobs run one at a time, in the order in which they were queued."`
}

type jobStatus struct {
	record.Job
	ContainerName string       `json:"container_name" doc:"Name of the job's container."`
	ContainerID   *string      `json:"container_id" doc:"Id of the container; null until it has started."`
	Container     string       `json:"container_state" doc:"See container.state of GET /api/status; not_found until the container has started."`
	Resumable     bool         `json:"resumable" doc:"Whether there is something left to send with POST /api/backfill/{id}/resume."`
	Progress      *jobProgress `json:"progress" doc:"From the run summary; null until there is one."`
}

type jobProgress struct {
	runsummary.Backfill
	VisitsSent     uint64     `json:"visits_sent" doc:"Visits of batches that Matomo accepted."`
	VisitsUnknown  uint64     `json:"visits_unknown" doc:"Visits of batches with an unknown outcome; never sent again."`
	VisitsRejected uint64     `json:"visits_rejected" doc:"Visits of batches that Matomo rejected."`
	EstimatedEnd   *time.Time `json:"estimated_end" doc:"null while unknown and after the end."`
}

type jobPlanResponse struct {
	Calendar  []jobPlanDay   `json:"calendar" doc:"The days to fill, oldest first."`
	Total     uint64         `json:"total" doc:"Number of visits on all days."`
	Timezone  string         `json:"timezone" doc:"Time zone of the site, in which the days are."`
	Estimated *float64       `json:"estimated_seconds" doc:"Minimum duration, from BACKFILL_RPS_LIMIT; null without a limit."`
	Warnings  []fieldProblem `json:"warnings" doc:"Problems with the severity error would prevent the backfill."`
}

type jobPlanDay struct {
	Date    string `json:"date" doc:"YYYY-MM-DD in the site's time zone."`
	Visits  uint64 `json:"visits" doc:"Number of visits to send."`
	Skipped string `json:"skipped" doc:"Why nothing is sent for this day; empty otherwise."`
}

type cleanupResponse struct {
	Success bool     `json:"success" doc:"false if a job could not be removed; see errors."`
	Message string   `json:"message" doc:"The result in a sentence."`
	Removed []string `json:"removed" doc:"Names of the removed containers."`
	Errors  []string `json:"errors" doc:"Why jobs could not be removed."`
}

type lastJobResponse struct {
	Done
	Payload   map[string]any `json:"payload" doc:"The last request; empty if there was none."`
	Result    *jobStatus     `json:"result" doc:"The job of that request; null if it was removed."`
	Timestamp *time.Time     `json:"timestamp" doc:"Time of that request."`
}

func newJobResult(j job.Job, message string, warnings problem.List) jobResult {
	a := newJob(j)
	return jobResult{done(message), a.RunID, a.ContainerName, a.ContainerID, a.State, fieldProblems(warnings)}
}

func newJob(j job.Job) jobStatus {
	a := jobStatus{Job: j.Job, ContainerName: j.Container.Name, Container: stateName(j.Container.State),
		Resumable: j.Resumable()}
	if a.Payload == nil {
		a.Payload = map[string]any{}
	}
	if j.Container.ID != "" {
		a.ContainerID = &j.Container.ID
	}
	if j.Progress != nil {
		a.Progress = newProgress(*j.Progress)
	}
	return a
}

func newProgress(b runsummary.Backfill) *jobProgress {
	p := &jobProgress{Backfill: b, EstimatedEnd: optionalTime(b.EstimatedEnd)}
	p.Days, p.Unknown = slices.Clone(b.Days), append([]runsummary.Batch{}, b.Unknown...)
	for i, d := range p.Days {
		if d.Planned > 0 {
			p.Days[i].Skipped = "" // it explains only why the day has fewer visits
		}
		p.VisitsSent += d.Sent
		p.VisitsUnknown += d.Unknown
		p.VisitsRejected += d.Rejected
	}
	return p
}

var _ = addRoutes((*server).backfill)

// backfill registers the original's five routes and more.
func (s *server) backfill() {
	const path, one = "/api/backfill", "/api/backfill/{id}"
	handle(s, post(path+"/run", tagBackfill, "Start a backfill job").status(http.StatusAccepted).
		describe("The job is queued until no other job is running; live traffic continues. Returns 422 with every "+
			"invalid setting."), s.runJob)
	handle(s, post(path+"/plan", tagBackfill, "Plan a backfill").allow(readOnly).
		describe("Returns how many visits would be sent on each day. Nothing is sent or saved."), s.planJob)
	handlePlain(s, get(path+"/status", tagBackfill, "List backfill jobs and their progress").
		describe("The progress is at most about a second old, so polling every second is fine. GET /api/logs?job={id} "+
			"returns the log of a job."), s.listJobs)
	handlePlain(s, get(path+"/last", tagBackfill, "Get the last backfill request"), s.lastJob)
	handle(s, post(path+"/cancel", tagBackfill, "Cancel a backfill job").allow(unmetered).
		describe("Completes requests in flight; resume the job to send the rest. Returns 404 if there is no such job and "+
			"409 if it has ended. Not rate-limited."),
		func(ctx context.Context, in *cancelJobRequest) (jobResult, error) {
			j, warnings, err := s.Jobs.Cancel(context.WithoutCancel(ctx), cmp.Or(in.Body.RunID, in.Body.ContainerName))
			return newJobResult(j, "cancelled; resume it to send the rest", warnings), err
		})
	handlePlain(s, post(path+"/cleanup", tagBackfill, "Remove ended backfill jobs").
		describe("Removes their containers and files, including tokens. Their runs are kept, but the jobs cannot be "+
			"resumed."), s.cleanUpJobs)
	handleRun(s, post(one+"/resume", tagBackfill, "Resume a backfill job").status(http.StatusAccepted).
		describe("Continues from the job's journal: no visit is sent twice, and batches with an unknown outcome are not "+
			"sent again. Returns 404 if there is no such job and 409 if it is running or complete."),
		func(ctx context.Context, id string) (jobResult, error) {
			j, err := s.Jobs.Resume(context.WithoutCancel(ctx), id)
			return newJobResult(j, "queued; it resumes where it ended", nil), err
		})
	handleRun(s, post(one+"/settle", tagBackfill, "Count batches with an unknown outcome as sent").
		describe("Use this after you have checked in Matomo that they arrived. The run summary stays unchanged. Returns "+
			"404 if there is no such job and 409 if it is running or has no such batches."),
		func(ctx context.Context, id string) (jobResult, error) {
			j, err := s.Jobs.Settle(ctx, id)
			return newJobResult(j, "the unknown batches count as sent", nil), err
		})
}

// plural returns a number with a noun.
func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}

// maxName is the maximum length of a job's name, in bytes.
const maxName = 200

// splitName separates the name of a job from its settings. If the name is invalid, the error also has the problems of
// the settings.
func (s *server) splitName(ctx context.Context, body jobBody) (name string, settings map[string]any, err error) {
	var problems problem.List
	settings = map[string]any{}
	for key, v := range body {
		if !strings.EqualFold(key, "name") {
			settings[key] = v
			continue
		}
		text, ok := v.(string)
		if !ok && v != nil || len(text) > maxName {
			problems.Refuse("name", "", "is not a string of at most 200 bytes", "shorten it")
		}
		name = strings.TrimSpace(text)
		if invisible, found := textfile.FindInvisibleInLine(name); found {
			problems.Refuse("name", "", "has "+invisible.String(), "remove it")
		}
	}
	if len(problems) == 0 {
		return name, settings, nil
	}
	plan, err := s.Jobs.Plan(ctx, settings)
	more := plan.Problems
	if err != nil && !errors.As(err, &more) {
		return "", nil, err
	}
	return "", nil, append(problems, more.Errors()...)
}

func (s *server) runJob(ctx context.Context, in *jobRequest) (a jobResult, err error) {
	name, settings, err := s.splitName(ctx, in.Body)
	if err != nil {
		return a, err
	}
	j, warnings, err := s.Jobs.Run(context.WithoutCancel(ctx), name, settings)
	return newJobResult(j, "queued; it starts when no other job is running", warnings), err
}

func (s *server) planJob(ctx context.Context, in *jobRequest) (a jobPlanResponse, err error) {
	_, settings, err := s.splitName(ctx, in.Body)
	if err != nil {
		return a, err
	}
	p, err := s.Jobs.Plan(ctx, settings)
	if err != nil {
		return a, err
	}
	duration := s.Jobs.MinDuration(ctx, &p)
	a = jobPlanResponse{Calendar: make([]jobPlanDay, len(p.Days)), Total: calendar.Total(p.Days),
		Timezone: p.Spec.Timezone.String(), Warnings: fieldProblems(p.Problems)}
	for i, d := range p.Days {
		a.Calendar[i] = jobPlanDay{Date: d.Date.String(), Visits: d.Visits, Skipped: d.Skipped}
		if d.Visits > 0 && d.Skipped != "" {
			a.Calendar[i].Skipped = ""
			a.Warnings = append(a.Warnings, fieldProblem{d.Date.String(), d.Skipped, string(problem.Warning)})
		}
	}
	if seconds := duration.Seconds(); seconds > 0 {
		a.Estimated = &seconds
	}
	return a, nil
}

func (s *server) listJobs(ctx context.Context) (jobsResponse, error) {
	jobs, err := s.Jobs.Jobs(ctx)
	out := make([]jobStatus, len(jobs))
	for i, j := range jobs {
		out[i] = newJob(j)
	}
	return jobsResponse{done(plural(len(out), "job")), out}, err
}

func (s *server) lastJob(ctx context.Context) (lastJobResponse, error) {
	j, err := s.Jobs.Last(ctx)
	if errors.Is(err, fault.NotFound) {
		return lastJobResponse{Done: done("no backfill was requested yet"), Payload: map[string]any{}}, nil
	}
	if err != nil {
		return lastJobResponse{}, err
	}
	a := newJob(j)
	out := lastJobResponse{Done: done("backfill " + a.RunID), Payload: a.Payload, Timestamp: optionalTime(j.Queued)}
	if j.State != "" {
		out.Result = &a
	}
	return out, nil
}

func (s *server) cleanUpJobs(ctx context.Context) (cleanupResponse, error) {
	removed, failed, err := s.Jobs.CleanUp(context.WithoutCancel(ctx))
	a := cleanupResponse{len(failed) == 0, plural(len(removed), "job") + " removed", append([]string{}, removed...),
		[]string{}}
	for _, f := range failed {
		a.Errors = append(a.Errors, f.Error())
	}
	if len(failed) > 0 {
		a.Message += ", " + strconv.Itoa(len(failed)) + " could not be removed"
	}
	return a, err
}
