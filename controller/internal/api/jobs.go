package api

import (
	"slices"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/run/job"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// jobResult is what was done with a job.
type jobResult struct {
	Success       bool           `json:"success" doc:"Always true; failures have a status of their own."`
	Message       string         `json:"message"`
	RunID         string         `json:"run_id"`
	ContainerName string         `json:"container_name"`
	ContainerID   *string        `json:"container_id" doc:"null until it has started."`
	State         string         `json:"state" enum:"queued,running,cancelling,exited"`
	Warnings      []fieldProblem `json:"warnings"`
}

type jobsResponse struct {
	Success bool        `json:"success" doc:"Always true; failures have a status of their own."`
	Message string      `json:"message"`
	Runs    []jobStatus `json:"runs" doc:"The latest first. One at a time goes on, the others wait in the order in which they came."`
}

type jobStatus struct {
	record.Job
	ContainerName string       `json:"container_name"`
	ContainerID   *string      `json:"container_id" doc:"null until it has started."`
	Container     string       `json:"container_state" doc:"What the runtime says of it, as container.state of GET /api/status; not_found before it has started."`
	Resumable     bool         `json:"resumable" doc:"Something is left to send, so that POST …/resume does something."`
	Progress      *jobProgress `json:"progress" doc:"From its ledger of record; null until there is one."`
}

// jobProgress is how far a job has come.
type jobProgress struct {
	runsummary.Backfill
	VisitsSent     uint64     `json:"visits_sent" doc:"Of the batches that Matomo said to have taken."`
	VisitsUnknown  uint64     `json:"visits_unknown" doc:"Of the batches of which nobody knows; never sent again."`
	VisitsRejected uint64     `json:"visits_rejected"`
	EstimatedEnd   *time.Time `json:"estimated_end" doc:"null where it cannot be said yet, and once it has ended."`
}

type jobPlanResponse struct {
	Calendar  []jobPlanDay   `json:"calendar"`
	Total     uint64         `json:"total" doc:"Visits of all days."`
	Timezone  string         `json:"timezone" doc:"The site's, in which the days are."`
	Estimated *float64       `json:"estimated_seconds" doc:"How long sending takes at least, by BACKFILL_RPS_LIMIT; null without it."`
	Warnings  []fieldProblem `json:"warnings" doc:"Those with severity error would refuse the run."`
}

type jobPlanDay struct {
	Date    string `json:"date" doc:"YYYY-MM-DD in the site's zone."`
	Visits  uint64 `json:"visits"`
	Skipped string `json:"skipped" doc:"Why nothing is sent of it; empty where something is."`
}

type cleanupResponse struct {
	Success bool     `json:"success" doc:"false where a job could not be removed; errors says why."`
	Message string   `json:"message"`
	Removed []string `json:"removed" doc:"The containers' names."`
	Errors  []string `json:"errors"`
}

type lastJobResponse struct {
	Success   bool           `json:"success" doc:"Always true; failures have a status of their own."`
	Message   string         `json:"message"`
	Payload   map[string]any `json:"payload" doc:"What was asked for last; empty where nothing was."`
	Result    *jobStatus     `json:"result" doc:"How that job stands; null where it was cleaned up."`
	Timestamp *time.Time     `json:"timestamp" doc:"When it was asked for."`
}

func newJobResult(j job.Job, message string, warnings problem.List) jobResult {
	a := newJob(j)
	return jobResult{true, message, a.RunID, a.ContainerName, a.ContainerID, a.State, faults(warnings)}
}

func newJob(j job.Job) jobStatus {
	a := jobStatus{Job: j.Job, ContainerName: j.Container.Name, Container: stateWord(j.Container.State),
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
	p := &jobProgress{Backfill: b, EstimatedEnd: moment(b.EstimatedEnd)}
	p.Days, p.Unknown = slices.Clone(b.Days), append([]runsummary.Batch{}, b.Unknown...)
	for i, d := range p.Days {
		if d.Planned > 0 {
			p.Days[i].Skipped = "" // it says why there are not more
		}
		p.VisitsSent, p.VisitsUnknown, p.VisitsRejected = p.VisitsSent+d.Sent, p.VisitsUnknown+d.Unknown,
			p.VisitsRejected+d.Rejected
	}
	return p
}
