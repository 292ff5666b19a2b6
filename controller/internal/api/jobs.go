package api

import (
	"encoding/json"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/run/job"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/record"
)

// jobResult is what was done with a job.
type jobResult struct {
	Success       bool          `json:"success" doc:"Always true; failures have a status of their own."`
	Message       string        `json:"message"`
	RunID         string        `json:"run_id"`
	ContainerName string        `json:"container_name"`
	ContainerID   *string       `json:"container_id" doc:"null until it has started."`
	State         string        `json:"state" enum:"queued,running,cancelling,exited"`
	Warnings      []faultAnswer `json:"warnings"`
}

type jobsAnswer struct {
	Success bool        `json:"success" doc:"Always true; failures have a status of their own."`
	Message string      `json:"message"`
	Runs    []jobAnswer `json:"runs" doc:"The latest first. One at a time goes on, the others wait in the order in which they came."`
}

type jobAnswer struct {
	RunID         string         `json:"run_id"`
	Name          string         `json:"name"`
	ContainerName string         `json:"container_name"`
	ContainerID   *string        `json:"container_id" doc:"null until it has started."`
	State         string         `json:"state" enum:"queued,running,cancelling,exited"`
	Container     string         `json:"container_state" doc:"What the runtime says of it, as container.state of GET /api/status; not_found before it has started."`
	Payload       map[string]any `json:"payload" doc:"What was asked for."`
	Queued        time.Time      `json:"queued_at"`
	Started       *time.Time     `json:"started_at"`
	Finished      *time.Time     `json:"finished_at"`
	ExitCode      *int           `json:"exit_code"`
	Reason        string         `json:"reason" doc:"Why it ended, in the loadgen's word; empty until then."`
	Error         *string        `json:"error" doc:"What it told of a bad end; null where there was none."`
	Restarts      int            `json:"restarts" doc:"Starts after crashes; it goes on where it was."`
	Resumable     bool           `json:"resumable" doc:"Something is left to send, so that POST …/resume does something."`
	Settled       bool           `json:"settled" doc:"A person has counted its unknown batches as sent."`
	Progress      *jobProgress   `json:"progress" doc:"From its ledger of record; null until there is one."`
}

// jobProgress is how far a job has come.
type jobProgress struct {
	VisitsPlanned  uint64        `json:"visits_planned"`
	VisitsSent     uint64        `json:"visits_sent" doc:"Of the batches that Matomo said to have taken."`
	VisitsUnknown  uint64        `json:"visits_unknown" doc:"Of the batches of which nobody knows; never sent again."`
	VisitsRejected uint64        `json:"visits_rejected"`
	BatchesPlanned uint64        `json:"batches_planned"`
	BatchesDone    uint64        `json:"batches_done"`
	Days           []jobDay      `json:"days"`
	Unknown        []jobBatch    `json:"unknown_batches"`
	EstimatedEnd   *time.Time    `json:"estimated_end" doc:"null where it cannot be said yet, and once it has ended."`
	Invalidation   *invalidation `json:"invalidation" doc:"What became of the reports of the days; null until it has ended."`
}

type jobDay struct {
	Date     string `json:"date" doc:"YYYY-MM-DD in the site's zone."`
	Planned  uint64 `json:"planned"`
	Sent     uint64 `json:"sent"`
	Unknown  uint64 `json:"unknown"`
	Rejected uint64 `json:"rejected"`
	Unsent   uint64 `json:"unsent,omitempty" doc:"Visits that are longer than what has passed of the day."`
	Skipped  string `json:"skipped" doc:"Why nothing is sent of it; empty where something is."`
}

type jobBatch struct {
	Number     uint64 `json:"number"`
	Date       string `json:"date"`
	Target     string `json:"target"`
	FirstVisit uint64 `json:"first_visit"`
	Visits     uint64 `json:"visits"`
	Hits       uint64 `json:"hits"`
	Why        string `json:"why,omitempty" doc:"What is known of it."`
}

type invalidation struct {
	Done    bool   `json:"done" doc:"Matomo makes the reports of these days anew."`
	Command string `json:"command" doc:"What to run on the server of Matomo where it was not done; empty else."`
	Why     string `json:"why" doc:"Why it was not done; empty else."`
}

type jobPlanAnswer struct {
	Calendar  []jobPlanDay  `json:"calendar"`
	Total     uint64        `json:"total" doc:"Visits of all days."`
	Timezone  string        `json:"timezone" doc:"The site's, in which the days are."`
	Estimated *float64      `json:"estimated_seconds" doc:"How long sending takes at least, by BACKFILL_RPS_LIMIT; null without it."`
	Warnings  []faultAnswer `json:"warnings" doc:"Those with severity error would refuse the run."`
}

type jobPlanDay struct {
	Date    string `json:"date" doc:"YYYY-MM-DD in the site's zone."`
	Visits  uint64 `json:"visits"`
	Skipped string `json:"skipped" doc:"Why nothing is sent of it; empty where something is."`
}

type cleanupAnswer struct {
	Success bool     `json:"success" doc:"false where a job could not be removed; errors says why."`
	Message string   `json:"message"`
	Removed []string `json:"removed" doc:"The containers' names."`
	Errors  []string `json:"errors"`
}

type lastJobAnswer struct {
	Success   bool           `json:"success" doc:"Always true; failures have a status of their own."`
	Message   string         `json:"message"`
	Payload   map[string]any `json:"payload" doc:"What was asked for last; empty where nothing was."`
	Result    *jobAnswer     `json:"result" doc:"How that job stands; null where it was cleaned up."`
	Timestamp *time.Time     `json:"timestamp" doc:"When it was asked for."`
}

func newJobResult(j job.Job, message string, warnings problem.List) jobResult {
	a := newJob(j)
	return jobResult{true, message, a.RunID, a.ContainerName, a.ContainerID, a.State, faults(warnings)}
}

func newJob(j job.Job) jobAnswer {
	a := jobAnswer{
		RunID: j.RunID, Name: j.Name, ContainerName: j.Container.Name, State: j.State,
		Container: stateWord(j.Container.State),
		Queued:    j.Queued, Started: moment(j.Started), Finished: moment(j.Ended), ExitCode: j.ExitCode,
		Reason:   j.Reason,
		Restarts: j.Restarts, Resumable: j.Resumable(), Settled: j.Settled, Payload: map[string]any{},
	}
	_ = json.Unmarshal(j.Payload, &a.Payload) // it was written by the queue
	if j.Container.ID != "" {
		a.ContainerID = &j.Container.ID
	}
	if j.Error != "" {
		a.Error = &j.Error
	}
	if j.Progress != nil {
		a.Progress = newProgress(*j.Progress)
	}
	return a
}

func newProgress(b record.Backfill) *jobProgress {
	p := &jobProgress{
		VisitsPlanned: b.Visits, BatchesPlanned: b.Batches, BatchesDone: b.BatchesDone,
		Days: make([]jobDay, len(b.Days)), Unknown: make([]jobBatch, len(b.Unknown)),
		EstimatedEnd: moment(b.EstimatedEnd),
	}
	for i, d := range b.Days {
		p.Days[i] = jobDay(d)
		if d.Planned > 0 {
			p.Days[i].Skipped = "" // it says why there are not more
		}
		p.VisitsSent, p.VisitsUnknown, p.VisitsRejected = p.VisitsSent+d.Sent, p.VisitsUnknown+d.Unknown,
			p.VisitsRejected+d.Rejected
	}
	for i, u := range b.Unknown {
		p.Unknown[i] = jobBatch{u.Number, u.Date, u.Target, u.FirstVisit, uint64(u.Visits), uint64(u.Hits), u.Why}
	}
	if v := b.Invalidation; v != nil {
		p.Invalidation = &invalidation{v.Done, v.Command, v.Why}
	}
	return p
}
