package api

import (
	"context"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/run"
	"github.com/puttrix/trafficinator/controller/internal/run/history"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
)

// Runs starts, stops and controls runs, see package run.
type Runs interface {
	Status() run.Status
	Start(context.Context, run.Request) (run.Result, error)
	Stop(context.Context, run.StopOptions) (run.Result, error)
	Restart(context.Context, time.Duration) (run.Result, error)
	Apply(context.Context, time.Duration, *run.Draft) (run.Result, error)
	Heal(context.Context) (run.Result, error)
	Rerun(ctx context.Context, id string, q run.Request) (run.Result, error)
	Steer(ctx context.Context, paused *bool, scale *float64) (exchange.Control, error)
}

type startRequest struct {
	Body *struct {
		Config map[string]any `json:"config,omitempty" doc:"Settings of this run that replace saved ones, as for PUT /api/config. Nothing is saved. CAPACITY_SEARCH=true searches for the highest rate that the target handles."`
		Description
	}
}

// Description describes a new run. It is exported because huma ignores embedded structs that are not.
type Description struct {
	Note             string   `json:"note,omitempty" maxLength:"2000" doc:"Free text."`
	Labels           []string `json:"labels,omitempty" maxItems:"20" doc:"At most 50 characters each."`
	RestartIfRunning bool     `json:"restart_if_running,omitempty" doc:"Stop the current run first. Default: return 409 if there is one."`
}

type rerunRequest struct {
	ByRun
	Body *struct{ Description }
}

type stopRequest struct {
	Timeout int `query:"timeout" minimum:"1" maximum:"3600" doc:"Seconds until open visits are cut off, 60 by default. With mode now: seconds until the loadgen is killed, 10 by default."`
	Body    *struct {
		Mode string `json:"mode,omitempty" enum:"finish,now" doc:"finish (default): start no new visits and finish open ones. now: cut off open visits."`
	}
}

type restartRequest struct {
	Timeout int `query:"timeout" minimum:"1" maximum:"3600" default:"60" doc:"Seconds that open visits of the current run have to finish."`
}

// ResultResponse is the result of an operation.
type ResultResponse struct {
	Done
	State     string       `json:"state" doc:"See container.state of GET /api/status."`
	Restarted bool         `json:"restarted" doc:"Whether a run was stopped first."`
	RunID     *string      `json:"run_id" doc:"Id of the run; null if there is none."`
	CutVisits uint64       `json:"cut_visits" doc:"Number of open visits that were cut off."`
	Warnings  problem.List `json:"warnings" doc:"Problems that did not prevent the operation, with their fixes."`
}

func result(r run.Result, err error) (ResultResponse, error) {
	a := ResultResponse{Done: done(r.Message), State: stateName(r.Status.Loadgen.State), Restarted: r.Restarted,
		CutVisits: r.VisitsCutOff, Warnings: append(problem.List{}, r.Warnings...)}
	if r.Status.Run != nil {
		a.RunID = &r.Status.Run.ID
	}
	return a, err
}

var _ = addRoutes((*server).lifecycle)

// lifecycle registers the operations that start and end runs. They outlive their requests: a client that disconnects
// must not leave a loadgen half stopped.
func (s *server) lifecycle() {
	handlePlain(s, get("/api/status", tagRuns, "Get the status of the loadgen and the current run"), s.status)
	handle(s, post("/api/start", tagRuns, "Start a run"),
		func(ctx context.Context, in *startRequest) (ResultResponse, error) {
			if in.Body == nil {
				return result(s.Runs.Start(context.WithoutCancel(ctx), run.Request{}))
			}
			q, err := in.Body.request()
			if err != nil {
				return ResultResponse{}, err
			}
			q.Overrides = in.Body.Config
			return result(s.Runs.Start(context.WithoutCancel(ctx), q))
		})
	handle(s, post("/api/runs/{id}/rerun", tagRuns, "Repeat a run").
		describe("Starts a new run with the files and the seed of this one. Returns 409 if its files have been deleted or a "+
			"token it used is no longer saved."),
		func(ctx context.Context, in *rerunRequest) (ResultResponse, error) {
			if in.Body == nil {
				in.Body = &struct{ Description }{}
			}
			q, err := in.Body.request()
			if err != nil {
				return ResultResponse{}, err
			}
			return result(s.Runs.Rerun(context.WithoutCancel(ctx), in.ID, q))
		})
	handle(s, post("/api/stop", tagRuns, "Stop the current run").allow(unmetered).
		describe("Responds when the run has ended. Interrupts any other operation; a second request shortens the first. "+
			"Problems that do not prevent the stop are warnings. Returns 503 if the container engine does not respond "+
			"within 5 s: no more visits start, and the loadgen is stopped as soon as the engine responds. Not rate-limited."),
		func(ctx context.Context, in *stopRequest) (ResultResponse, error) {
			o := run.StopOptions{Timeout: time.Duration(in.Timeout) * time.Second}
			o.Now = in.Body != nil && in.Body.Mode == "now"
			return result(s.Runs.Stop(context.WithoutCancel(ctx), o))
		})
	handle(s, post("/api/restart", tagRuns, "Restart with the saved configuration").
		describe("Finishes the current run and starts another."),
		func(ctx context.Context, in *restartRequest) (ResultResponse, error) {
			return result(s.Runs.Restart(context.WithoutCancel(ctx), time.Duration(in.Timeout)*time.Second))
		})
	handlePlain(s, post("/api/heal", tagRuns, "Repair a stuck, orphaned or missing loadgen"),
		func(ctx context.Context) (ResultResponse, error) {
			return result(s.Runs.Heal(context.WithoutCancel(ctx)))
		})
}

func (d Description) request() (run.Request, error) {
	labels, err := history.NormalizeLabels(d.Labels)
	if err == nil {
		err = history.CheckNote(d.Note)
	}
	return run.Request{Note: d.Note, Labels: labels, RestartIfRunning: d.RestartIfRunning}, err
}
