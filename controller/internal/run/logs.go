package run

import (
	"context"
	"regexp"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// exitCode is that of a loadgen that has ended for a reason, also where nothing is left of it to tell.
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

// verdict is when and why a run ended.
func verdict(ledger *runsummary.Summary, l launcher.Status, instead string) (time.Time, string) {
	at := l.Ended
	if at.IsZero() {
		at = time.Now().UTC()
	}
	switch {
	case ledger != nil && !ledger.Ended.IsZero():
		return ledger.Ended, ledger.Reason
	case instead != "":
		return at, instead
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

// maxErrorLines is how many lines of a log stand in for an explanation.
const maxErrorLines = 20

// Logs reads lines of a loadgen's log, see launcher.Runtime.
type Logs func(ctx context.Context, q launcher.LogQuery, each func(launcher.Line) error) error

// ErrorLines are what a loadgen said since then of its end: its errors, else its last lines.
func (log Logs) ErrorLines(ctx context.Context, since time.Time) []string {
	ctx, cancel := context.WithTimeout(ctx, recordTime)
	defer cancel()
	var faults, last []string
	err := log(ctx, launcher.LogQuery{Since: since}, func(line launcher.Line) error {
		if line.Level == launcher.Error {
			if len(faults) < maxErrorLines {
				faults = append(faults, strings.TrimPrefix(line.Text, "error: "))
			}
			return nil
		}
		last = append(last, line.Text)
		last = last[max(0, len(last)-3):]
		return nil
	})
	switch {
	case len(faults) > 0:
		return faults
	case err != nil && len(last) == 0:
		return []string{"its log cannot be read: " + err.Error()}
	default:
		return last
	}
}

// maxProblems is how many lines of its log are kept of a run: half from its beginning, half from its end.
const maxProblems = 50

// marks are what a line tells of its time and level, which a Problem tells itself.
var marks = regexp.MustCompile(`^(?:time=\S+ level=\S+ |(?:error|warning): )`)

// Problems are the warnings and errors that were logged since then; with an error those that could be read.
func (log Logs) Problems(ctx context.Context, since time.Time) (problems []record.Problem, err error) {
	var last []record.Problem
	err = log(ctx, launcher.LogQuery{Since: since, Level: launcher.Warning}, func(line launcher.Line) error {
		p := record.Problem{Time: line.Time, Level: string(line.Level), Text: marks.ReplaceAllString(line.Text, "")}
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
