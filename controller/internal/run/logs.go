package run

import (
	"context"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// exitCode returns the exit code of a loadgen that ended for a reason, which stands in if the container is gone.
func exitCode(l launcher.Status, reason string) int {
	switch {
	case l.ExitCode != 0 || l.State == launcher.Exited:
		return l.ExitCode
	case reason == string(endreason.Interrupted) || reason == string(endreason.Cancelled):
		return exitcode.Interrupted
	case reason == string(endreason.Killed) || reason == string(endreason.Removed):
		return exitcode.Killed
	default:
		return exitcode.OK
	}
}

// endOf returns when and why a run ended: by its ledger, otherwise for the fallback reason, otherwise by the status of
// its loadgen.
func endOf(ledger *runsummary.Summary, l launcher.Status, fallback string) (time.Time, string) {
	at := l.Ended
	if at.IsZero() {
		at = time.Now().UTC()
	}
	switch {
	case ledger != nil && !ledger.Ended.IsZero():
		return ledger.Ended, ledger.Reason
	case fallback != "":
		return at, fallback
	case l.Crashed():
		return at, "crashed"
	case l.State == launcher.Missing || l.State == launcher.Foreign:
		return at, "removed"
	case l.State == launcher.Exited:
		return at, string(endreason.Failed)
	default:
		return at, string(endreason.Killed)
	}
}

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
