// Package problem owns the form of validation errors: where, what is wrong, and how to fix it.
package problem

import (
	"fmt"
	"strings"

	"github.com/puttrix/trafficinator/shared/textfile"
)

// Severity says whether a problem stops the program.
type Severity string

// An Error rejects the input, a Warning does not.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Problem is a fault of an input.
type Problem struct {
	Where string `json:"where"` // the location: an env key, "urls.txt line 7", "funnels.json: [2].steps[0].url".
	// Value is the offending value as given; empty for secrets.
	Value    string   `json:"value,omitempty"`
	Message  string   `json:"message"`        // what is wrong, as a lower-case sentence fragment
	Cure     string   `json:"cure,omitempty"` // how to fix it, likewise
	Severity Severity `json:"severity"`
}

// maxValue is how many bytes of a value are shown.
const maxValue = 80

// String formats the problem as `KEY="value": message; cure`.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.Where)
	if p.Value != "" {
		v := p.Value
		if len(v) > maxValue {
			v = textfile.Truncate(v, maxValue) + "…"
		}
		fmt.Fprintf(&b, "=%q", v)
	}
	b.WriteString(": ")
	b.WriteString(p.Advice())
	return b.String()
}

// Advice formats the problem without its location: "message; cure".
func (p Problem) Advice() string {
	if p.Cure == "" {
		return p.Message
	}
	return p.Message + "; " + p.Cure
}

// List is the problems of an input, in its order.
type List []Problem

// Refuse adds an error.
func (l *List) Refuse(where, value, message, cure string) {
	*l = append(*l, Problem{where, value, message, cure, Error})
}

// Warn adds a warning.
func (l *List) Warn(where, value, message, cure string) {
	*l = append(*l, Problem{where, value, message, cure, Warning})
}

// Errors returns the errors; it is never nil.
func (l List) Errors() List { return l.only(Error) }

// Warnings returns the warnings; it is never nil.
func (l List) Warnings() List { return l.only(Warning) }

// Err returns an error that lists the errors, one per line, or nil if there are none.
func (l List) Err() error {
	if errs := l.Errors(); len(errs) > 0 {
		return errs
	}
	return nil
}

// First formats the first problem without its value, and the number of others.
func (l List) First() string {
	if len(l) == 0 {
		return "the input is invalid"
	}
	text := l[0].Where + ": " + l[0].Advice()
	if more := len(l) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return text
}

// Error lists the problems, one per line.
func (l List) Error() string {
	lines := make([]string, len(l))
	for i, p := range l {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// only is never nil, so that JSON has an empty list.
func (l List) only(s Severity) List {
	out := List{}
	for _, p := range l {
		if p.Severity == s {
			out = append(out, p)
		}
	}
	return out
}
