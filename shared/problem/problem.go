// Package problem owns how a fault of an input is told: where it is, what is wrong, and the cure.
// It knows no rule of any input; the packages that own a format or a knob do.
package problem

import (
	"fmt"
	"strings"

	"github.com/puttrix/trafficinator/shared/textfile"
)

// Severity says whether a problem stops the program.
type Severity string

// The two severities: an Error refuses the input, a Warning is told and the program goes on.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Problem is one fault of an input.
type Problem struct {
	// Where names the setting or the place: an env key, "urls.txt line 7", "funnels.json: [2].steps[0].url".
	Where string `json:"where"`
	// Value is the offending value as the person wrote it; empty for secrets and where there is none.
	Value string `json:"value,omitempty"`
	// Message says what is wrong and Cure what to do, both as sentence fragments in lower case.
	Message  string   `json:"message"`
	Cure     string   `json:"cure,omitempty"`
	Severity Severity `json:"severity"`
}

// maxValue is how much of a value is shown, in bytes: enough to recognise it, little enough for a log line.
const maxValue = 80

// String is the one line a person reads: `KEY="value": message; cure`.
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

// Advice is what is wrong and what to do: "message; cure".
func (p Problem) Advice() string {
	if p.Cure == "" {
		return p.Message
	}
	return p.Message + "; " + p.Cure
}

// List collects all problems of an input, in the order they stand in it.
type List []Problem

// Refuse adds a problem that refuses the input.
func (l *List) Refuse(where, value, message, cure string) {
	*l = append(*l, Problem{where, value, message, cure, Error})
}

// Warn adds a problem that does not refuse the input.
func (l *List) Warn(where, value, message, cure string) {
	*l = append(*l, Problem{where, value, message, cure, Warning})
}

// Errors are the refusing problems.
func (l List) Errors() List { return l.only(Error) }

// Warnings are the problems that are told and nothing more.
func (l List) Warnings() List { return l.only(Warning) }

// Err is nil where nothing refuses the input, else an error that lists all refusing problems, a line each.
func (l List) Err() error {
	if errs := l.Errors(); len(errs) > 0 {
		return errs
	}
	return nil
}

// First is the first problem without its value, and how many more there are: enough to know where to begin.
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

// Error lists the problems, a line each.
func (l List) Error() string {
	lines := make([]string, len(l))
	for i, p := range l {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// only is never nil, so that JSON has an empty list where there is nothing.
func (l List) only(s Severity) List {
	out := List{}
	for _, p := range l {
		if p.Severity == s {
			out = append(out, p)
		}
	}
	return out
}
