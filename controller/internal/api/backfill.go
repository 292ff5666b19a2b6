package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// jobRequest asks for a backfill.
type jobRequest struct {
	Body map[string]any `doc:"Settings of the group Backfill, with or without BACKFILL_ before their names, as texts or numbers, and name, a text about the run. RUN_ONCE is taken and has no effect. Everything else is as saved. Nothing is saved."`
}

type oneJob struct {
	Body struct {
		RunID         string `json:"run_id,omitempty" maxLength:"64"`
		ContainerName string `json:"container_name,omitempty" maxLength:"200" doc:"Either of the two names the job."`
	}
}

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
	Runs []jobAnswer `json:"runs" doc:"The latest first. One at a time goes on, the others wait in the order in which they came."`
}

type jobAnswer struct {
	RunID         string         `json:"run_id"`
	Name          string         `json:"name"`
	ContainerName string         `json:"container_name"`
	ContainerID   *string        `json:"container_id" doc:"null until it has started."`
	State         string         `json:"state" enum:"queued,running,cancelling,exited"`
	Container     string         `json:"container_state" doc:"What the runtime says of it: missing before it has started."`
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
	Skipped  string `json:"skipped" doc:"Why nothing is sent of it; empty where something is."`
}

type jobBatch struct {
	Number     uint64 `json:"number"`
	Date       string `json:"date"`
	Target     string `json:"target"`
	FirstVisit uint64 `json:"first_visit"`
	Visits     uint64 `json:"visits"`
	Hits       uint64 `json:"hits"`
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
	Removed []string `json:"removed" doc:"The containers' names."`
	Errors  []string `json:"errors"`
}

type lastJobAnswer struct {
	Payload   map[string]any `json:"payload" doc:"What was asked for last; null where nothing was."`
	Result    *jobAnswer     `json:"result" doc:"How that job stands; null where it was cleaned up."`
	Timestamp *time.Time     `json:"timestamp" doc:"When it was asked for."`
}

// backfill keeps the original's five paths and adds those it had no answer for.
func (s *server) backfill() {
	queued := func(path, summary, description string) huma.Operation {
		o := op(http.MethodPost, path, tagBackfill, summary)
		o.DefaultStatus, o.Description = http.StatusAccepted, description
		return o
	}
	none := func(context.Context) error { return refuse(http.StatusNotImplemented, "not there yet") }
	route(s, queued("/api/backfill/run", "Send past days in a job of its own",
		"It is queued, and started when no other job goes on; live traffic goes on beside it. 422 tells every fault of window, caps and token."),
		func(ctx context.Context, _ *jobRequest) (*body[jobResult], error) { return nil, none(ctx) })
	route(s, op(http.MethodPost, "/api/backfill/plan", tagBackfill, "What a backfill would send, day by day, without sending or saving anything"),
		func(ctx context.Context, _ *jobRequest) (*body[jobPlanAnswer], error) { return nil, none(ctx) })
	o := op(http.MethodGet, "/api/backfill/status", tagBackfill, "Backfill jobs and how far they have come")
	o.Description = "A snapshot that is at most about a second old, cheap enough to be asked for each second. The log of a job is at GET /api/logs?job=."
	route(s, o, func(ctx context.Context, _ *empty) (*body[jobsAnswer], error) { return nil, none(ctx) })
	o = op(http.MethodPost, "/api/backfill/cancel", tagBackfill, "Cancel a backfill job")
	o.Description = "One that goes on drains: what is in flight gets its answer, and the rest can be sent later with resume. 404 where there is no such job, 409 where it has ended."
	route(s, o, func(ctx context.Context, _ *oneJob) (*body[jobResult], error) { return nil, none(ctx) })
	o = op(http.MethodPost, "/api/backfill/cleanup", tagBackfill, "Remove ended backfill jobs")
	o.Description = "Their containers and files go, tokens with them; what they sent stays in the runs. What was removed can no longer be resumed."
	route(s, o, func(ctx context.Context, _ *empty) (*body[cleanupAnswer], error) { return nil, none(ctx) })
	route(s, op(http.MethodGet, "/api/backfill/last", tagBackfill, "What was asked for last"),
		func(ctx context.Context, _ *empty) (*body[lastJobAnswer], error) { return nil, none(ctx) })
	route(s, queued("/api/backfill/{id}/resume", "Go on with a job where it ended",
		"By its journal: no visit is sent twice, unknown batches are not sent again. 404 where there is no such job, 409 where nothing is left to send or it goes on."),
		func(ctx context.Context, _ *ByRun) (*body[jobResult], error) { return nil, none(ctx) })
	o = op(http.MethodPost, "/api/backfill/{id}/settle", tagBackfill, "Count the unknown batches of a job as sent")
	o.Description = "For a person who has looked into Matomo. Its ledger stays as it is. 404 where there is no such job, 409 where it has no unknown batch or goes on."
	route(s, o, func(ctx context.Context, _ *ByRun) (*body[jobResult], error) { return nil, none(ctx) })
}
