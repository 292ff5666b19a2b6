// Package endreason owns the reasons why a run ends: names, descriptions, and whether such a run has failed.
package endreason

import (
	"context"
	"errors"

	"github.com/puttrix/trafficinator/shared/exitcode"
)

// Reason is why a run ended.
type Reason string

// Reasons that the loadgen reports.
const (
	StoppedAfterVisits Reason = "stop_after_visits"
	AutoStopped        Reason = "auto_stop"
	ProfileEnded       Reason = "profile_ended"
	Threshold          Reason = "threshold"
	ErrorBrake         Reason = "error_brake"
	Interrupted        Reason = "interrupted"
	Stopped            Reason = "stopped" // requested to finish its visits
	NoTarget           Reason = "no_target"
	InternalError      Reason = "internal_error"
	Killed             Reason = "killed" // also if the loadgen left the run open

	CapacityFound      Reason = "capacity_found"
	CapacityNotReached Reason = "capacity_not_reached"
	CapacityNone       Reason = "capacity_none"
	CapacityVoid       Reason = "capacity_void"

	BackfillFinished Reason = "backfill_finished" // nothing is left to send
	JournalFailed    Reason = "journal_failed"    // the journal or the ledger of a backfill cannot be written
)

// Reasons that the controller sets if the loadgen left none.
const (
	Failed    Reason = "failed"
	Crashed   Reason = "crashed"
	Removed   Reason = "removed"
	Cancelled Reason = "cancelled"
)

type row struct {
	description string
	earlyEnd    string // says how the run ended before all of its plan was sent, "" if all of it was
	orderly     bool   // means that a run without a fault may end this way
	code        int    // the loadgen's exit code, unless a threshold failed or no hit was accepted
}

const (
	manually = "was stopped manually"
	searched = "ended with its capacity search"
)

var rows = map[Reason]row{
	StoppedAfterVisits: {"visit limit reached", "", true, exitcode.OK},
	AutoStopped:        {"time limit reached", "reached its time limit", true, exitcode.OK},
	ProfileEnded:       {"load profile completed", "", true, exitcode.OK},
	Threshold:          {"stopped by a failed threshold", "was stopped by a threshold", true, exitcode.OK},
	ErrorBrake:         {"stopped by the error brake", "was stopped by the error brake", false, exitcode.Missed},
	Interrupted:        {"stopped by user", manually, false, exitcode.Interrupted},
	Stopped:            {"stopped by user", manually, false, exitcode.OK},
	NoTarget: {"no target accepted a hit", "ended because no target accepted a hit", false,
		exitcode.NoTarget},
	InternalError: {"internal error", "ended with an internal error", false, exitcode.Internal},
	Killed:        {"killed", "was killed", false, exitcode.Killed},

	CapacityFound:      {"capacity found", searched, true, exitcode.OK},
	CapacityNotReached: {"highest rate passed", searched, true, exitcode.OK},
	CapacityNone:       {"below the lowest rate", searched, false, exitcode.Missed},
	CapacityVoid:       {"capacity not measurable", "gave up its capacity search", false, exitcode.Missed},

	BackfillFinished: {"all days sent", "", true, exitcode.OK},
	JournalFailed:    {"journal not writable", "ended because its journal was not writable", false, exitcode.Internal},

	Failed:    {"ended with an error", "failed", false, exitcode.OK},
	Crashed:   {"crashed", "crashed", false, exitcode.OK},
	Removed:   {"container removed", manually, false, exitcode.Killed},
	Cancelled: {"cancelled before it started", "", false, exitcode.Interrupted},
}

// Error makes a reason usable as the cause of a context.
func (r Reason) Error() string { return string(r) }

// FromContext returns the reason that is the cause of a done context, or Interrupted.
func FromContext(ctx context.Context) Reason {
	if why, ok := errors.AsType[Reason](context.Cause(ctx)); ok {
		return why
	}
	return Interrupted
}

// Description is the reason for people, or its name if it comes from a later version.
func (r Reason) Description() string {
	if row, known := rows[r]; known {
		return row.description
	}
	return string(r)
}

// EarlyEnd says how the run ended before all of its plan was sent, "" if all of it was or the reason is unknown.
func (r Reason) EarlyEnd() string { return rows[r].earlyEnd }

// ExitCode is the loadgen's, unless a threshold failed or no hit was accepted.
func (r Reason) ExitCode() int { return rows[r].code }

// IsOrderly reports whether a run without a fault may end this way, or has not ended.
func (r Reason) IsOrderly() bool { return r == "" || rows[r].orderly }
