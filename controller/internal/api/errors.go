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
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"github.com/puttrix/trafficinator/controller/internal/fault"
	"github.com/puttrix/trafficinator/shared/problem"
)

// Failure is the body of every error response (RFC 9457), with a stable code.
type Failure struct {
	huma.ErrorModel
	Code fault.Kind `json:"code,omitempty" doc:"Stable error code, such as wrong_origin, code_used or name_taken; otherwise derived from the status, such as not_found. Messages may change, codes do not."`
}

// statusCodes are the error codes of statuses; others use the name of the status.
var statusCodes = map[int]fault.Kind{
	http.StatusPreconditionFailed:    "changed_meanwhile",
	http.StatusRequestEntityTooLarge: "too_large",
	http.StatusUnprocessableEntity:   "invalid",
	http.StatusInternalServerError:   "internal",
	http.StatusServiceUnavailable:    "unavailable",
	http.StatusGatewayTimeout:        "timeout",
	http.StatusInsufficientStorage:   "storage_failed",
}

// newFailure returns a Failure with the code of its status.
func newFailure(status int, detail string, errs ...error) *Failure {
	code, ok := statusCodes[status]
	if !ok {
		code = fault.Kind(strings.ReplaceAll(strings.ToLower(http.StatusText(status)), " ", "_"))
	}
	f := &Failure{huma.ErrorModel{Title: http.StatusText(status), Status: status, Detail: detail}, code}
	for _, err := range errs {
		f.Add(err)
	}
	return f
}

// withCode replaces the code of f.
func (f *Failure) withCode(code fault.Kind) *Failure {
	f.Code = code
	return f
}

// setErrorFormat makes huma respond with and document Failures for its own errors. Its hook is a package variable.
var setErrorFormat = sync.OnceFunc(func() {
	huma.NewError = func(status int, detail string, errs ...error) huma.StatusError {
		return newFailure(status, detail, errs...)
	}
})

// responses are the status of each kind of error, and its detail where that does not come from the error.
var responses = map[fault.Kind]struct {
	status   int
	detail   string
	problems problem.List
}{
	fault.NotFound: {status: http.StatusNotFound, detail: "no resource has this id or name"},
	fault.Conflict: {status: http.StatusConflict},
	fault.Busy:     {status: http.StatusConflict},
	fault.Edited:   {status: http.StatusConflict},
	fault.NameTaken: {http.StatusConflict, "the name is taken", problem.List{{Where: "name",
		Message: "is already taken; names are not case-sensitive"}}},
	fault.Stale: {status: http.StatusPreconditionFailed,
		detail: "the resource has changed since you read it; read it again"},
	fault.Unavailable: {status: http.StatusServiceUnavailable},
	fault.NoEngine:    {status: http.StatusServiceUnavailable},
}

// failure returns the response to an error. Unexpected errors are 500 and logged.
func (s *server) failure(ctx context.Context, err error) error {
	var humaErr huma.StatusError
	var echoErr *echo.HTTPError
	var problems problem.List
	kind, _ := fault.Of(err)
	r, known := responses[kind]
	switch {
	case errors.As(err, &humaErr):
		return err
	case errors.As(err, &echoErr):
		return fromEcho(echoErr)
	case errors.As(err, &problems):
		problems = problems.Errors()
		return newFailure(http.StatusUnprocessableEntity, problems.First(), fieldErrors(problems)...)
	case known:
		var detailed fault.Detailed
		if errors.As(err, &detailed) {
			r.detail, r.problems = detailed.Details()
		}
		return newFailure(r.status, cmp.Or(r.detail, err.Error()), fieldErrors(r.problems)...).withCode(kind)
	case errors.Is(err, context.DeadlineExceeded):
		return newFailure(http.StatusGatewayTimeout, "the request timed out")
	case errors.Is(err, context.Canceled): // the client is gone and reads no response
		return newFailure(http.StatusServiceUnavailable, "the request was cancelled")
	}
	var rename *os.LinkError
	if errors.As(err, &rename) && errors.Is(err, fs.ErrExist) {
		return newFailure(http.StatusConflict, rename.New+" is a folder where a file is needed; move it away")
	}
	if fault, found := s.Disk.Report(err); found {
		return newFailure(http.StatusInsufficientStorage, fault.Error())
	}
	s.Log.ErrorContext(ctx, "request failed", "err", err)
	return internalError()
}

// internalError is the response to an unexpected error.
func internalError() *Failure {
	return newFailure(http.StatusInternalServerError, "internal error; see the controller's log")
}

// fieldErrors returns problems as errors of fields.
func fieldErrors(problems problem.List) []error {
	out := make([]error, len(problems))
	for i, p := range problems {
		out[i] = fieldError(p)
	}
	return out
}

// fieldError is the problem of a field. Its value is shown, because package problem leaves out secrets.
type fieldError problem.Problem

// Error implements error.
func (e fieldError) Error() string { return e.Where + ": " + problem.Problem(e).Advice() }

// shownValue marks a value that hideValues keeps.
type shownValue string

// ErrorDetail implements huma.ErrorDetailer.
func (e fieldError) ErrorDetail() *huma.ErrorDetail {
	d := &huma.ErrorDetail{Location: e.Where, Message: problem.Problem(e).Advice()}
	if e.Value != "" {
		d.Value = shownValue(e.Value)
	}
	return d
}

// validationFailed is the detail of huma's own validation errors.
const validationFailed = "validation failed"

// hideValues removes the values from huma's own validation errors, which may be secrets, and uses the first error as
// the detail.
func hideValues(_ huma.Context, _ string, v any) (any, error) {
	f, ok := v.(*Failure)
	if !ok {
		return v, nil
	}
	var problems problem.List
	for _, e := range f.Errors {
		problems.Refuse(e.Location, "", e.Message, "")
		if _, ok := e.Value.(shownValue); !ok {
			e.Value = nil
		}
	}
	if f.Detail == validationFailed {
		f.Detail = problems.First()
	}
	return f, nil
}

// handleEchoError responds to errors of middleware and router in the same format.
func (s *server) handleEchoError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	f := internalError()
	var echoErr *echo.HTTPError
	if errors.As(err, &echoErr) {
		f = fromEcho(echoErr)
	} else {
		s.Log.ErrorContext(c.Request().Context(), "request failed", "err", err)
	}
	c.Response().Header().Set(echo.HeaderContentType, "application/problem+json")
	if err := c.JSON(f.Status, f); err != nil {
		s.Log.DebugContext(c.Request().Context(), "write response failed", "err", err)
	}
}

// fromEcho returns the response to an error of the guard or the router.
func fromEcho(err *echo.HTTPError) *Failure {
	detail := fmt.Sprint(err.Message)
	if err.Message == nil || detail == http.StatusText(err.Code) {
		switch detail = http.StatusText(err.Code); err.Code {
		case http.StatusNotFound:
			detail = "no resource at this path"
		case http.StatusMethodNotAllowed:
			detail = "method not allowed at this path"
		}
	}
	f := newFailure(err.Code, detail)
	errors.As(err, &f.Code)
	return f
}

// recoverPanics turns a panic into a 500 and logs it.
func (s *server) recoverPanics(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			if r := recover(); r != nil && r != http.ErrAbortHandler { //nolint:errorlint // exactly that value
				ctx := c.Request().Context()
				s.Log.ErrorContext(ctx, "handler panicked", "panic", r, "stack", string(debug.Stack()))
				err = errors.New("panic")
			}
		}()
		return next(c)
	}
}
