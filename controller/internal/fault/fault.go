// Package fault has the kinds of errors that a caller can do something about. An error gets its kind where it is
// created; package api maps kinds to HTTP responses.
package fault

import (
	"errors"

	"github.com/puttrix/trafficinator/shared/problem"
)

// Kind is why something is refused: a stable code, while messages may change. It is an error, so that errors.Is finds
// it in errors of this kind.
type Kind string

// The kinds. An error without one, and without problems of an input, is a fault of the program or its machine.
const (
	NotFound Kind = "not_found"
	// Conflict: the current state does not allow it.
	Conflict Kind = "conflict"
	// Busy: another operation is in progress.
	Busy      Kind = "busy"
	NameTaken Kind = "name_taken"
	// Edited: it would overwrite a file that was edited by hand.
	Edited Kind = "edited_by_hand"
	// Stale: it was changed since the caller read it.
	Stale Kind = "changed_meanwhile"
	// Unavailable: it cannot be done now; a later request may succeed.
	Unavailable Kind = "unavailable"
	// NoEngine: the container engine does not answer.
	NoEngine Kind = "engine_unavailable"
)

// Error implements error.
func (k Kind) Error() string { return string(k) }

// New returns an error of this kind.
func (k Kind) New(text string) error { return &kinded{text, k} }

// Of returns the kind of an error, the outermost of several; false if it has none.
func Of(err error) (Kind, bool) {
	var k Kind
	return k, errors.As(err, &k)
}

type kinded struct {
	text string
	kind Kind
}

// Error implements error.
func (e *kinded) Error() string { return e.text }

// Unwrap returns the kind.
func (e *kinded) Unwrap() error { return e.kind }

// Detailed is an error that lists what is wrong.
type Detailed interface {
	error
	// Details are a summary, and each problem.
	Details() (string, problem.List)
}
