package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/run"
	"github.com/puttrix/trafficinator/shared/problem"
)

// Runs is the life of a run, see package run.
type Runs interface {
	Status() run.Status
	Start(context.Context, run.Request) (run.Result, error)
	Stop(context.Context, time.Duration) (run.Result, error)
	Restart(context.Context, time.Duration) (run.Result, error)
	Apply(context.Context) (run.Result, error)
	Heal(context.Context) (run.Result, error)
}

type startRequest struct {
	Body *struct {
		Config           map[string]any `json:"config,omitempty" doc:"Settings for this run alone, by their names; they are not saved."`
		RestartIfRunning bool           `json:"restart_if_running,omitempty"`
	}
}

type timeoutRequest struct {
	Timeout int `query:"timeout" minimum:"1" maximum:"60" default:"10" doc:"Seconds for draining, then it is killed."`
}

// resultAnswer is what an operation came to.
type resultAnswer struct {
	Success   bool    `json:"success" doc:"Always true; failures have a status of their own."`
	Message   string  `json:"message"`
	State     string  `json:"state"`
	Restarted bool    `json:"restarted"`
	RunID     *string `json:"run_id"`
}

func newResult(r run.Result) *body[resultAnswer] {
	a := resultAnswer{Success: true, Message: r.Message, State: string(r.Status.Loadgen.State), Restarted: r.Restarted}
	if r.Status.Run != nil {
		a.RunID = &r.Status.Run.ID
	}
	return answer(a)
}

func (s *server) control() {
	route(s, op(http.MethodGet, "/api/status", tagRun, "What runs, how it stands, and what it has done"), s.status)
	route(s, op(http.MethodPost, "/api/start", tagRun, "Start traffic"), func(ctx context.Context, in *startRequest) (*body[resultAnswer], error) {
		var q run.Request
		if in.Body != nil {
			overrides, problems := texts(in.Body.Config)
			if problems.Err() != nil {
				return nil, problems.Err()
			}
			q = run.Request{Overrides: overrides, RestartIfRunning: in.Body.RestartIfRunning}
		}
		return result(s.Runs.Start(context.WithoutCancel(ctx), q))
	})
	// A person who goes away must not leave a loadgen half stopped, so operations do not end with their requests.
	route(s, op(http.MethodPost, "/api/stop", tagRun, "Stop traffic: drain, then kill"), func(ctx context.Context, in *timeoutRequest) (*body[resultAnswer], error) {
		return result(s.Runs.Stop(context.WithoutCancel(ctx), time.Duration(in.Timeout)*time.Second))
	})
	route(s, op(http.MethodPost, "/api/restart", tagRun, "Stop and start with the saved configuration"), func(ctx context.Context, in *timeoutRequest) (*body[resultAnswer], error) {
		return result(s.Runs.Restart(context.WithoutCancel(ctx), time.Duration(in.Timeout)*time.Second))
	})
	route(s, op(http.MethodPost, "/api/heal", tagRun, "Put right a loadgen that is stuck, orphaned or missing"), func(ctx context.Context, _ *empty) (*body[resultAnswer], error) {
		return result(s.Runs.Heal(context.WithoutCancel(ctx)))
	})
}

func result(r run.Result, err error) (*body[resultAnswer], error) {
	if err != nil {
		return nil, err
	}
	return newResult(r), nil
}

// texts are settings as the environment has them; JSON's numbers, yes and no are written as texts.
func texts(config map[string]any) (map[string]string, problem.List) {
	out := make(map[string]string, len(config))
	var problems problem.List
	for key, v := range config {
		switch v := v.(type) {
		case nil:
		case string:
			out[key] = v
		case bool:
			out[key] = strconv.FormatBool(v)
		case float64:
			out[key] = strconv.FormatFloat(v, 'f', -1, 64)
		default:
			problems.Refuse(key, "", "is a list or an object", "write a text, a number, true or false")
		}
	}
	return out, problems
}
