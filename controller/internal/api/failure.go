package api

import (
	"net/http"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/puttrix/trafficinator/controller/internal/fault"
)

// Failure is the body of every failure (RFC 9457) with a code that stays while sentences may change.
type Failure struct {
	huma.ErrorModel
	Code fault.Kind `json:"code,omitempty" doc:"Why, as a word that stays, such as wrong_origin, code_used or name_taken; else a word for the status, such as not_found."`
}

// statusCodes are the words for a status; the others have their name in HTTP.
var statusCodes = map[int]fault.Kind{
	http.StatusPreconditionFailed:    "changed_meanwhile",
	http.StatusRequestEntityTooLarge: "too_large",
	http.StatusUnprocessableEntity:   "invalid",
	http.StatusInternalServerError:   "internal",
	http.StatusServiceUnavailable:    "unavailable",
	http.StatusGatewayTimeout:        "timeout",
	http.StatusInsufficientStorage:   "storage_failed",
}

func codeOf(status int) fault.Kind {
	if code, ok := statusCodes[status]; ok {
		return code
	}
	return fault.Kind(strings.ReplaceAll(strings.ToLower(http.StatusText(status)), " ", "_"))
}

// refuse is a problem of one status with a sentence.
func refuse(status int, detail string, errs ...error) *Failure {
	return refuseAs(codeOf(status), status, detail, errs...)
}

// refuseAs is refuse with a code of its own.
func refuseAs(code fault.Kind, status int, detail string, errs ...error) *Failure {
	p := &Failure{huma.ErrorModel{Title: http.StatusText(status), Status: status, Detail: detail}, code}
	for _, err := range errs {
		p.Add(err)
	}
	return p
}

// asFailures has huma answer and document its own errors as problems too. Its way of saying so is a variable of its
// package.
var asFailures = sync.OnceFunc(func() {
	huma.NewError = func(status int, detail string, errs ...error) huma.StatusError {
		return refuseAs(codeOf(status), status, detail, errs...)
	}
})
