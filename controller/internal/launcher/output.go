package launcher

import (
	"bytes"
	"errors"
	"strings"
	"time"
)

// Printed is what a command of the loadgen printed before it ended.
type Printed struct {
	// Out is its standard output, Lines are those of its standard error, in which files of its exchange folder have no
	// folder.
	Out   []byte
	Lines []Line
	// Code is its exit code.
	Code int
}

// Said takes the lines of a standard error over. dir is the exchange folder.
func (p *Printed) Said(text []byte, dir string) {
	now := time.Now()
	for line := range strings.Lines(strings.ReplaceAll(string(text), dir+"/", "")) {
		p.Lines = append(p.Lines, ParseLine(now, strings.TrimRight(line, "\r\n")))
	}
}

// MaxPrinted is the longest output of a command that is read, in bytes.
const MaxPrinted = 8 << 20

// ErrTooMuch reports that a command printed more than MaxPrinted.
var ErrOutputTooLarge = errors.New("the loadgen prints more than 8 MiB")

// Output gathers what a command prints. Beyond MaxPrinted it refuses to, which ends the command.
type Output struct {
	text bytes.Buffer
	full bool
}

// Write implements io.Writer.
func (o *Output) Write(p []byte) (int, error) {
	if o.full = o.full || o.text.Len()+len(p) > MaxPrinted; o.full {
		return 0, ErrOutputTooLarge
	}
	return o.text.Write(p)
}

// Full reports whether something was refused.
func (o *Output) Full() bool { return o.full }

// Bytes are what was printed.
func (o *Output) Bytes() []byte { return o.text.Bytes() }
