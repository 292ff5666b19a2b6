// Package endreason owns the reasons for which a run ends: their names in ledgers, what they mean to people, and whether a
// run that ends so has failed. A kind of run that ends in a way of its own adds a row. It does not decide which
// applies.
package endreason

import (
	"context"
	"errors"

	"github.com/puttrix/trafficinator/shared/exitcode"
)

// Reason is why a run ended.
type Reason string

// The reasons that a loadgen gives.
const (
	StoppedAfterVisits Reason = "stop_after_visits"
	AutoStopped        Reason = "auto_stop"
	ProfileEnded       Reason = "profile_ended"
	Threshold          Reason = "threshold"
	ErrorBrake         Reason = "error_brake"
	Interrupted        Reason = "interrupted"
	// Stopped means that it was asked to finish its visits.
	Stopped  Reason = "stopped"
	NoTarget Reason = "no_target"
	// InternalError means that a part of the program failed.
	InternalError Reason = "internal_error"
	// Killed is also that of a run which its loadgen left open.
	Killed Reason = "killed"

	CapacityFound      Reason = "capacity_found"
	CapacityNotReached Reason = "capacity_not_reached"
	CapacityNone       Reason = "capacity_none"
	CapacityVoid       Reason = "capacity_void"

	// BackfillFinished means that a backfill has nothing left to send.
	BackfillFinished Reason = "backfill_finished"
	// JournalFailed means that the journal or the ledger of a backfill cannot be written.
	JournalFailed Reason = "journal_failed"
)

// The reasons that the controller gives where a loadgen left none.
const (
	Failed    Reason = "failed"
	Crashed   Reason = "crashed"
	Removed   Reason = "removed"
	Cancelled Reason = "cancelled"
)

// row is what is known of a reason.
type row struct {
	meaning string
	// cut is how the run was ended before all of its plan was sent, "" where all of it was.
	cut string
	// good says that a run may end so.
	good bool
	// code is the loadgen's exit code, unless a threshold was missed or no hit was accepted.
	code int
}

const (
	byHand   = "was ended by hand"
	searched = "searched the capacity, and ended"
)

var rows = map[Reason]row{
	StoppedAfterVisits: {"the visit limit was reached", "", true, exitcode.OK},
	AutoStopped:        {"the time limit was reached", "was ended by the clock", true, exitcode.OK},
	ProfileEnded:       {"the load profile ended", "", true, exitcode.OK},
	Threshold:          {"stopped by a missed threshold", "was ended by a threshold", true, exitcode.OK},
	ErrorBrake:         {"stopped by the error brake", "was ended by the error brake", false, exitcode.Missed},
	Interrupted:        {"stopped on request", byHand, false, exitcode.Interrupted},
	Stopped:            {"stopped on request", byHand, false, exitcode.OK},
	NoTarget:           {"no target took a single hit", "ended because no target took a hit", false, exitcode.NoTarget},
	InternalError: {
		"a part of the program failed",
		"was ended by an error of the program",
		false,
		exitcode.Internal,
	},
	Killed: {"killed", "was killed", false, exitcode.Killed},

	CapacityFound:      {"the capacity was found", searched, true, exitcode.OK},
	CapacityNotReached: {"the highest rate that was tried held", searched, true, exitcode.OK},
	CapacityNone:       {"not even the lowest rate held", searched, false, exitcode.Missed},
	CapacityVoid: {
		"the capacity could not be measured",
		"searched the capacity in vain, and ended",
		false,
		exitcode.Missed,
	},

	BackfillFinished: {"all days of the window were sent", "", true, exitcode.OK},
	JournalFailed: {
		"the journal of the job could not be written",
		"ended because its journal could not be written",
		false,
		exitcode.Internal,
	},

	Failed:    {"ended with an error", "failed", false, exitcode.OK},
	Crashed:   {"crashed", "crashed", false, exitcode.OK},
	Removed:   {"the container was removed", byHand, false, exitcode.Killed},
	Cancelled: {"cancelled before it began", "", false, exitcode.Interrupted},
}

// Error makes a reason the cause of a context: who ends a run by that tells why.
func (r Reason) Error() string { return string(r) }

// FromContext is the cause of a context that is done, where it is a reason; else the run was interrupted.
func FromContext(ctx context.Context) Reason {
	var why Reason
	if errors.As(context.Cause(ctx), &why) {
		return why
	}
	return Interrupted
}

// Description is the reason in words, or its name where it is of a later version.
func (r Reason) Description() string {
	if row, known := rows[r]; known {
		return row.meaning
	}
	return string(r)
}

// EarlyEnd is how the run was ended before all of its plan was sent; "" where all of it was, or nobody knows.
func (r Reason) EarlyEnd() string { return rows[r].cut }

// ExitCode is that of a loadgen which ended so, unless it missed a threshold or no hit was accepted.
func (r Reason) ExitCode() int { return rows[r].code }

// IsOrderly says that a run may end so, or has not ended.
func (r Reason) IsOrderly() bool { return r == "" || rows[r].good }
