package api

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"runtime/debug"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"github.com/puttrix/trafficinator/controller/internal/benchmark"
	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/reconcile"
	"github.com/puttrix/trafficinator/controller/internal/run"
	"github.com/puttrix/trafficinator/controller/internal/run/history"
	"github.com/puttrix/trafficinator/controller/internal/run/job"
	"github.com/puttrix/trafficinator/controller/internal/setup"
	"github.com/puttrix/trafficinator/controller/internal/setup/folder"
	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/problem"
)

// blocked finds the file in an error that cannot be written because a folder is in its place.
func blocked(err error) (path string, found bool) {
	var rename *os.LinkError
	if !errors.As(err, &rename) || !errors.Is(err, fs.ErrExist) {
		return "", false
	}
	return rename.New, true
}

// failure is the problem of an error. What nobody foresaw is 500, and only the log says more.
func (s *server) failure(ctx context.Context, err error) error {
	var told huma.StatusError
	var wall *echo.HTTPError
	var problems problem.List
	var busy *run.Busy
	var failed *run.Failed
	var deferred *run.Deferred
	var refused *job.Refused
	var lost *folder.Lost
	if conflict := edited(err); conflict != nil {
		return conflict
	}
	switch {
	case errors.As(err, &told):
		return err
	case errors.As(err, &wall):
		return turnedAway(wall)
	case errors.As(err, &problems):
		faults := details(problems.Errors())
		return refuse(http.StatusUnprocessableEntity, first(faults), faults...)
	case errors.As(err, &busy):
		return refuseAs(busyNow, http.StatusConflict, busy.Error())
	case errors.As(err, &deferred):
		return refuse(http.StatusServiceUnavailable, deferred.Error())
	case errors.As(err, &failed):
		return refuse(http.StatusConflict, failedTitle(failed), messages(failed.Messages)...)
	case errors.As(err, &lost):
		faults := details(lost.Problems)
		return refuse(http.StatusConflict, "the run cannot be started again as it was: "+first(faults), faults...)
	case errors.Is(err, run.ErrNoFiles), errors.Is(err, run.ErrJob), errors.Is(err, run.ErrNothingRuns),
		errors.Is(err, run.ErrStopped), errors.Is(err, store.ErrOpen),
		errors.Is(err, history.ErrNoLedger), errors.Is(err, reconcile.ErrNoLedger), errors.Is(err, reconcile.ErrNoTarget),
		errors.Is(err, benchmark.ErrBusy), errors.Is(err, benchmark.ErrNoBaseline):
		return refuse(http.StatusConflict, err.Error())
	case errors.As(err, &refused):
		return refuse(http.StatusConflict, refused.Error())
	case errors.Is(err, launcher.ErrUnavailable):
		return refuseAs(noEngine, http.StatusServiceUnavailable, err.Error())
	case errors.Is(err, launcher.ErrMissing), errors.Is(err, launcher.ErrForeign), errors.Is(err, launcher.ErrStuck),
		errors.Is(err, launcher.ErrHealthy):
		return refuse(http.StatusConflict, err.Error())
	case errors.Is(err, setup.ErrNotFound):
		return refuse(http.StatusNotFound, "there is none of that number or name")
	case errors.Is(err, setup.ErrNameTaken):
		return refuseAs(nameTaken, http.StatusConflict, "the name is taken",
			&fieldError{where: "name", message: "is the name of another one; names differ in more than case"})
	case errors.Is(err, setup.ErrStale):
		return refuse(http.StatusPreconditionFailed, "somebody else has changed it since you read it; read it again")
	case errors.Is(err, context.DeadlineExceeded):
		return refuse(http.StatusGatewayTimeout, "it took too long")
	case errors.Is(err, context.Canceled): // who asked has gone, so this is read by nobody and no fault of anybody
		return refuse(http.StatusServiceUnavailable, "the request was given up")
	}
	if path, found := blocked(err); found {
		return refuse(http.StatusConflict, path+" is a folder, and a file has to be there; move it away")
	}
	if fault, found := s.Disk.Remember(err); found {
		return refuse(http.StatusInsufficientStorage, fault.Error())
	}
	s.Log.ErrorContext(ctx, "request failed", "err", err)
	return refuse(http.StatusInternalServerError, "something went wrong here; the controller's log tells what")
}

// first is what the detail of an answer says of faults, which its errors list: who shows the detail alone knows where
// to begin.
func first(faults []error) string {
	if len(faults) == 0 {
		return "the input has faults"
	}
	text := faults[0].Error()
	if more := len(faults) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return text
}

// details are problems as errors of a body: the place, and what is wrong with its cure.
func details(problems problem.List) []error {
	out := make([]error, len(problems))
	for i, p := range problems {
		out[i] = detail(p)
	}
	return out
}

func detail(p problem.Problem) *fieldError {
	message := p.Message
	if p.Cure != "" {
		message += "; " + p.Cure
	}
	return &fieldError{p.Where, message, p.Value}
}

// fieldError is a fault of one field. Its value is shown, because package problem leaves secrets out.
type fieldError struct{ where, message, value string }

// Error implements error.
func (e *fieldError) Error() string { return e.where + ": " + e.message }

// shownValue marks a value that may be shown, see plain.
type shownValue string

// ErrorDetail implements huma.ErrorDetailer.
func (e *fieldError) ErrorDetail() *huma.ErrorDetail {
	d := &huma.ErrorDetail{Location: e.where, Message: e.message}
	if e.value != "" {
		d.Value = shownValue(e.value)
	}
	return d
}

func messages(lines []string) []error {
	out := make([]error, len(lines))
	for i, l := range lines {
		out[i] = &fieldError{where: "loadgen", message: l}
	}
	return out
}

func failedTitle(f *run.Failed) string {
	short := *f
	short.Messages = short.Messages[:min(1, len(short.Messages))]
	return short.Error()
}

// ofHuma is the detail of what huma itself has found wrong with an input.
const ofHuma = "validation failed"

// plain makes the detail of errors that huma itself has found say the first of them, and takes the values out of them:
// one may be a secret.
func plain(_ huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*Failure)
	if !ok {
		return v, nil
	}
	faults := make([]error, len(m.Errors))
	for i, e := range m.Errors {
		faults[i] = &fieldError{where: e.Location, message: e.Message}
		if _, ok := e.Value.(shownValue); !ok {
			e.Value = nil
		}
	}
	if m.Detail == ofHuma {
		m.Detail = first(faults)
	}
	return m, nil
}

// answerError answers what middlewares and the router refuse, in the same form.
func (s *server) answerError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	p := refuseAs(codeOf(http.StatusInternalServerError), http.StatusInternalServerError,
		"something went wrong here; the controller's log tells what")
	var told *echo.HTTPError
	if errors.As(err, &told) {
		p = turnedAway(told)
	} else {
		s.Log.ErrorContext(c.Request().Context(), "request failed", "err", err)
	}
	c.Response().Header().Set(echo.HeaderContentType, "application/problem+json")
	if err := c.JSON(p.Status, p); err != nil {
		s.Log.DebugContext(c.Request().Context(), "answer not written", "err", err)
	}
}

// turnedAway is the answer to what the guard or the router refuses.
func turnedAway(err *echo.HTTPError) *Failure {
	detail := fmt.Sprint(err.Message)
	if err.Message == nil || detail == http.StatusText(err.Code) {
		detail = fallback(err.Code)
	}
	code := codeOf(err.Code)
	errors.As(err, &code)
	return refuseAs(code, err.Code, detail)
}

func fallback(status int) string {
	switch status {
	case http.StatusNotFound:
		return "there is nothing at this path"
	case http.StatusMethodNotAllowed:
		return "this path does not take that method"
	}
	return http.StatusText(status)
}

// recovered makes a panic a 500 and a line in the log.
func (s *server) recovered(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			if r := recover(); r != nil && r != http.ErrAbortHandler { //nolint:errorlint // it is that very value
				s.Log.ErrorContext(c.Request().Context(), "handler panicked", "panic", r, "stack",
					string(debug.Stack()))
				err = errors.New("panic")
			}
		}()
		return next(c)
	}
}
