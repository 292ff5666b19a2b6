package run

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/ledgers"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/record"
)

// End books when and why a run ended: by its ledger, else by instead, else by what is left of its loadgen. It does not
// end before it started, even where the wall clock was set back meanwhile.
func (r *Run) End(ledger *record.Summary, l launcher.Status, instead string) {
	r.Ended, r.Reason = verdict(ledger, l, instead)
	if r.Ended.Before(r.Started) {
		r.Ended = r.Started
	}
	if ledger != nil {
		s := *ledgers.Closed(ledger, r.Ended)
		if ledger.Ended.IsZero() {
			s.Reason = r.Reason
		}
		r.Summary, _ = s.Encode() // it was read from such a form
	}
	r.ExitCode = exitCode(l, r.Reason)
}

// exitCode is that of a loadgen that has ended for a reason, also where nothing is left of it to tell.
func exitCode(l launcher.Status, reason string) int {
	switch {
	case l.ExitCode != 0 || l.State == launcher.Exited:
		return l.ExitCode
	case reason == "interrupted" || reason == "cancelled":
		return exitcode.Interrupted
	case reason == "killed" || reason == "removed":
		return exitcode.Killed
	default:
		return exitcode.OK
	}
}

// verdict is when and why a run ended.
func verdict(ledger *record.Summary, l launcher.Status, instead string) (time.Time, string) {
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
		return at, "failed"
	default:
		return at, "killed"
	}
}

// maxWords is how many lines of a log stand in for an explanation.
const maxWords = 20

// Log reads lines of a loadgen's log, see launcher.Port.
type Log func(ctx context.Context, q launcher.LogQuery, each func(launcher.Line) error) error

// Words are what a loadgen said since then of its end: its errors, else its last lines.
func (log Log) Words(ctx context.Context, since time.Time) []string {
	var faults, last []string
	err := log(ctx, launcher.LogQuery{Since: since}, func(line launcher.Line) error {
		if line.Level == launcher.Error {
			if len(faults) < maxWords {
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

// Problems are the warnings and errors that were logged since then, as JSON; with an error those that could be read.
func (log Log) Problems(ctx context.Context, since time.Time) ([]byte, error) {
	first, last := []Problem{}, []Problem{}
	err := log(ctx, launcher.LogQuery{Since: since, Level: launcher.Warning}, func(line launcher.Line) error {
		p := Problem{line.Time, line.Level, marks.ReplaceAllString(line.Text, "")}
		switch {
		case line.Level == launcher.NoLevel:
		case len(first) < maxProblems/2:
			first = append(first, p)
		default:
			last = append(last, p)
			last = last[max(0, len(last)-maxProblems/2):]
		}
		return nil
	})
	data, _ := json.Marshal(append(first, last...)) // plain values always have a form
	return data, err
}
