// Package fault owns the kinds of errors that somebody who asked can do something about. A package gives an error its
// kind where it is born; package api alone knows which status and which answer a kind has. It knows nothing of HTTP.
package fault

import (
	"errors"

	"github.com/puttrix/trafficinator/shared/problem"
)

// Kind is why something is refused: a word that stays, while sentences may change. It is an error, so that errors.Is
// finds it in those that it was given to.
type Kind string

// The kinds. An error without one, and without problems of an input, is a fault of the program or its machine.
const (
	// NotFound: there is no such thing.
	NotFound Kind = "not_found"
	// Conflict: the state of things does not allow it now.
	Conflict Kind = "conflict"
	// Busy: another operation is under way.
	Busy Kind = "busy"
	// NameTaken: another thing has the name.
	NameTaken Kind = "name_taken"
	// Edited: it would overwrite what a person has written by hand.
	Edited Kind = "edited_by_hand"
	// Stale: it was changed since whoever asks has read it.
	Stale Kind = "changed_meanwhile"
	// Unavailable: it cannot be done now; asking again later helps.
	Unavailable Kind = "unavailable"
	// NoEngine: the container engine does not answer.
	NoEngine Kind = "engine_unavailable"
)

// Error implements error.
func (k Kind) Error() string { return string(k) }

// New is an error of this kind.
func (k Kind) New(text string) error { return &kinded{text, k} }

// Of is the kind that an error was given, the outermost where several of them were; false where it has none.
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

// Unwrap is the kind.
func (e *kinded) Unwrap() error { return e.kind }

// Detailed is an error that lists what is wrong.
type Detailed interface {
	error
	// Details are a sentence that stands for everything, and each part.
	Details() (string, problem.List)
}
