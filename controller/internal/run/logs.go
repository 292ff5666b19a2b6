package run

import (
	"context"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/record"
)

// Logs reads lines of a loadgen's log, see launcher.Runtime.
type Logs func(ctx context.Context, q launcher.LogQuery, each func(launcher.Line) error) error

// maxErrorLines limits the lines of ErrorLines.
const maxErrorLines = 20

// ErrorLines returns what a loadgen logged since a time about why it ended: its errors, otherwise its last lines.
func (log Logs) ErrorLines(ctx context.Context, since time.Time) []string {
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	var errorLines, last []string
	err := log(ctx, launcher.LogQuery{Since: since}, func(line launcher.Line) error {
		if line.Level == launcher.Error {
			if len(errorLines) < maxErrorLines {
				errorLines = append(errorLines, line.Message)
			}
			return nil
		}
		last = append(last, line.Text)
		last = last[max(0, len(last)-3):]
		return nil
	})
	switch {
	case len(errorLines) > 0:
		return errorLines
	case err != nil && len(last) == 0:
		return []string{"its log cannot be read: " + err.Error()}
	default:
		return last
	}
}

// maxProblems is how many log lines are kept with a run: half from its beginning, half from its end.
const maxProblems = 50

// Problems returns the warnings and errors logged since a time; with an error, those that could be read.
func (log Logs) Problems(ctx context.Context, since time.Time) (problems []record.Problem, err error) {
	var last []record.Problem
	err = log(ctx, launcher.LogQuery{Since: since, Level: launcher.Warning}, func(line launcher.Line) error {
		p := record.Problem{Time: line.Time, Level: string(line.Level), Text: line.Message}
		switch {
		case line.Level == launcher.NoLevel:
		case len(problems) < maxProblems/2:
			problems = append(problems, p)
		default:
			last = append(last, p)
			last = last[max(0, len(last)-maxProblems/2):]
		}
		return nil
	})
	return append(problems, last...), err
}
