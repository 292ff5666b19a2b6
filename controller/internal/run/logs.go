package run

import (
	"context"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/record"
)

// maxErrorLines limits the lines of ErrorLines.
const maxErrorLines = 20

// ErrorLines returns the errors that a loadgen logged since a time, or its last lines if there are none.
func ErrorLines(ctx context.Context, log launcher.LogReader, since time.Time) []string {
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	var errorLines, last []string
	err := log.Logs(ctx, launcher.LogQuery{Since: since}, func(line launcher.Line) error {
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

// problems returns the warnings and errors logged since a time; with an error, those that could be read.
func problems(ctx context.Context, log launcher.LogReader, since time.Time) (problems []record.Problem, err error) {
	var last []record.Problem
	err = log.Logs(ctx, launcher.LogQuery{Since: since, Level: launcher.Warning}, func(line launcher.Line) error {
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
