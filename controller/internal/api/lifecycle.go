package api

import (
	"context"
	"net/http"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/run"
	"github.com/puttrix/trafficinator/controller/internal/run/history"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
)

// Runs is the life of a run, see package run.
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
		Config map[string]any `json:"config,omitempty" doc:"Settings for this run alone, as PUT /api/config takes them; those left out are as saved. Nothing is saved. CAPACITY_SEARCH=true searches the highest rate."`
		Description
	}
}

// Description is what a person says of a run that begins. It is exported because huma leaves out what an unexported
// struct embeds.
type Description struct {
	Note             string   `json:"note,omitempty" maxLength:"2000"`
	Labels           []string `json:"labels,omitempty" maxItems:"20" doc:"Each of at most 50 characters."`
	RestartIfRunning bool     `json:"restart_if_running,omitempty" doc:"End the run that goes on; without it nothing is started beside it."`
}

type rerunRequest struct {
	ByRun
	Body *struct{ Description }
}

type stopRequest struct {
	Timeout int `query:"timeout" minimum:"1" maximum:"3600" doc:"Seconds that open visits have to end, 60 unless given; with the mode now those until it is killed, 10 unless given."`
	Body    *struct {
		Mode string `json:"mode,omitempty" enum:"finish,now" doc:"finish, the default: no visit begins and open ones are finished. now: open visits are cut off."`
	}
}

type restartRequest struct {
	Timeout int `query:"timeout" minimum:"1" maximum:"3600" default:"60" doc:"Seconds that open visits of the current run have to end."`
}

// ResultResponse is what an operation came to.
type ResultResponse struct {
	Success   bool    `json:"success" doc:"Always true; failures have a status of their own."`
	Message   string  `json:"message"`
	State     string  `json:"state"`
	Restarted bool    `json:"restarted"`
	RunID     *string `json:"run_id"`
	// CutVisits and Warnings are of what was ended.
	CutVisits uint64       `json:"cut_visits" doc:"Open visits that a stop cut off."`
	Warnings  problem.List `json:"warnings" doc:"What failed beside, with the cure."`
}

// result is the answer to an operation.
func result(r run.Result, err error) (ResultResponse, error) {
	a := ResultResponse{Success: true, Message: r.Message, State: stateWord(r.Status.Loadgen.State),
		Restarted: r.Restarted, CutVisits: r.VisitsCutOff, Warnings: append(problem.List{}, r.Warnings...)}
	if r.Status.Run != nil {
		a.RunID = &r.Status.Run.ID
	}
	return a, err
}

var _ = routes((*server).control)

// control registers what changes the life of a run. A person who goes away must not leave a loadgen half stopped, so
// operations do not end with their requests.
func (s *server) control() {
	get(s, "/api/status", tagRun, "What runs, how it stands, and what it has done", s.status)
	reply(s, op(http.MethodPost, "/api/start", tagRun, "Start traffic"),
		func(ctx context.Context, in *startRequest) (ResultResponse, error) {
			var q run.Request
			if in.Body != nil {
				var err error
				if q, err = in.Body.request(); err != nil {
					return ResultResponse{}, err
				}
				q.Overrides = in.Body.Config
			}
			return result(s.Runs.Start(context.WithoutCancel(ctx), q))
		})
	reply(s, about(op(http.MethodPost, "/api/runs/{id}/rerun", tagRun,
		"Start the very same again: its files, its seed, a new id"),
		"409 where the files of the run are not kept, or a token that it was sent with is no longer saved."),
		func(ctx context.Context, in *rerunRequest) (ResultResponse, error) {
			var q run.Request
			if in.Body != nil {
				var err error
				if q, err = in.Body.request(); err != nil {
					return ResultResponse{}, err
				}
			}
			return result(s.Runs.Rerun(context.WithoutCancel(ctx), in.ID, q))
		})
	reply(s, about(as(urgent, op(http.MethodPost, "/api/stop", tagRun,
		"Stop traffic, its open visits finished or cut off")),
		"Answers when the run has ended; the status counts down meanwhile. A second stop shortens the "+
			"first. It interrupts whatever else is being done, needs no budget, "+
			"and reports what fails beside as a warning. 503 where the engine does not answer within 5 s: "+
			"then no visit "+
			"begins, and the stop is carried out when the engine answers."),
		func(ctx context.Context, in *stopRequest) (ResultResponse, error) {
			how := run.StopOptions{Timeout: time.Duration(in.Timeout) * time.Second}
			how.Now = in.Body != nil && in.Body.Mode == "now"
			return result(s.Runs.Stop(context.WithoutCancel(ctx), how))
		})
	reply(s, op(http.MethodPost, "/api/restart", tagRun,
		"Finish the current run and start another with the saved configuration"),
		func(ctx context.Context, in *restartRequest) (ResultResponse, error) {
			return result(s.Runs.Restart(context.WithoutCancel(ctx), time.Duration(in.Timeout)*time.Second))
		})
	reply(s, op(http.MethodPost, "/api/heal", tagRun, "Put right a loadgen that is stuck, orphaned or missing"),
		func(ctx context.Context, _ *empty) (ResultResponse, error) {
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
