package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"runtime/debug"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"github.com/puttrix/trafficinator/controller/internal/fault"
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

// answers are how an error of a kind is answered: the status, and a sentence for kinds that have one of their own.
var answers = map[fault.Kind]struct {
	status int
	detail string
	each   problem.List
}{
	fault.NotFound: {status: http.StatusNotFound, detail: "there is none of that number or name"},
	fault.Conflict: {status: http.StatusConflict},
	fault.Busy:     {status: http.StatusConflict},
	fault.Edited:   {status: http.StatusConflict},
	fault.NameTaken: {http.StatusConflict, "the name is taken", problem.List{{Where: "name",
		Message: "is the name of another one; names differ in more than case"}}},
	fault.Stale: {status: http.StatusPreconditionFailed,
		detail: "somebody else has changed it since you read it; read it again"},
	fault.Unavailable: {status: http.StatusServiceUnavailable},
	fault.NoEngine:    {status: http.StatusServiceUnavailable},
}

// failure is the answer to an error. What nobody foresaw is 500, and only the log says more.
func (s *server) failure(ctx context.Context, err error) error {
	var answered huma.StatusError
	var wall *echo.HTTPError
	var problems problem.List
	kind, _ := fault.Of(err)
	a, known := answers[kind]
	switch {
	case errors.As(err, &answered):
		return err
	case errors.As(err, &wall):
		return turnedAway(wall)
	case errors.As(err, &problems):
		problems = problems.Errors()
		return refuse(http.StatusUnprocessableEntity, problems.First(), details(problems)...)
	case known:
		var detailed fault.Detailed
		if errors.As(err, &detailed) {
			a.detail, a.each = detailed.Details()
		}
		return refuseAs(kind, a.status, cmp.Or(a.detail, err.Error()), details(a.each)...)
	case errors.Is(err, context.DeadlineExceeded):
		return refuse(http.StatusGatewayTimeout, "it took too long")
	case errors.Is(err, context.Canceled): // who asked has gone, so this is read by nobody and no fault of anybody
		return refuse(http.StatusServiceUnavailable, "the request was given up")
	}
	if path, found := blocked(err); found {
		return refuse(http.StatusConflict, path+" is a folder, and a file has to be there; move it away")
	}
	if fault, found := s.Disk.Report(err); found {
		return refuse(http.StatusInsufficientStorage, fault.Error())
	}
	s.Log.ErrorContext(ctx, "request failed", "err", err)
	return internal()
}

// internal is the answer to what nobody foresaw.
func internal() *Failure {
	return refuse(http.StatusInternalServerError, "something went wrong here; the controller's log tells what")
}

// details are problems as errors of a body.
func details(problems problem.List) []error {
	out := make([]error, len(problems))
	for i, p := range problems {
		out[i] = fieldError(p)
	}
	return out
}

// fieldError is a problem of one field: the place, and what is wrong with its cure. Its value is shown, because package
// problem leaves secrets out.
type fieldError problem.Problem

// Error implements error.
func (e fieldError) Error() string { return e.Where + ": " + problem.Problem(e).Advice() }

// shownValue marks a value that may be shown, see plain.
type shownValue string

// ErrorDetail implements huma.ErrorDetailer.
func (e fieldError) ErrorDetail() *huma.ErrorDetail {
	d := &huma.ErrorDetail{Location: e.Where, Message: problem.Problem(e).Advice()}
	if e.Value != "" {
		d.Value = shownValue(e.Value)
	}
	return d
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
	var faults problem.List
	for _, e := range m.Errors {
		faults.Refuse(e.Location, "", e.Message, "")
		if _, ok := e.Value.(shownValue); !ok {
			e.Value = nil
		}
	}
	if m.Detail == ofHuma {
		m.Detail = faults.First()
	}
	return m, nil
}

// answerError answers what middlewares and the router refuse, in the same form.
func (s *server) answerError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	p := internal()
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
