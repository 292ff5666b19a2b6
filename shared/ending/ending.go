// Package ending owns the reasons for which a run ends: their names in ledgers, what they mean to people, and whether a
// run that ends so has failed. A kind of run that ends in a way of its own adds a row. It does not decide which applies.
package ending

import "github.com/puttrix/trafficinator/shared/exitcode"

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
	StoppedAfterVisits: {meaning: "the visit limit was reached", good: true},
	AutoStopped:        {meaning: "the time limit was reached", cut: "was ended by the clock", good: true},
	ProfileEnded:       {meaning: "the load profile ended", good: true},
	Threshold:          {meaning: "stopped by a missed threshold", cut: "was ended by a threshold", good: true},
	ErrorBrake: {
		meaning: "stopped by the error brake",
		cut:     "was ended by the error brake",
		code:    exitcode.Missed,
	},
	Interrupted: {meaning: "stopped on request", cut: byHand, code: exitcode.Interrupted},
	Stopped:     {meaning: "stopped on request", cut: byHand},
	NoTarget: {
		meaning: "no target took a single hit",
		cut:     "ended because no target took a hit",
		code:    exitcode.NoTarget,
	},
	InternalError: {
		meaning: "a part of the program failed",
		cut:     "was ended by an error of the program",
		code:    exitcode.Internal,
	},
	Killed: {meaning: "killed", cut: "was killed", code: exitcode.Killed},

	CapacityFound:      {meaning: "the capacity was found", cut: searched, good: true},
	CapacityNotReached: {meaning: "the highest rate that was tried held", cut: searched, good: true},
	CapacityNone:       {meaning: "not even the lowest rate held", cut: searched, code: exitcode.Missed},
	CapacityVoid: {
		meaning: "the capacity could not be measured",
		cut:     "searched the capacity in vain, and ended",
		code:    exitcode.Missed,
	},

	BackfillFinished: {meaning: "all days of the window were sent", good: true},
	JournalFailed: {meaning: "the journal of the job could not be written",
		cut: "ended because its journal could not be written", code: exitcode.Internal},

	Failed:    {meaning: "ended with an error", cut: "failed"},
	Crashed:   {meaning: "crashed", cut: "crashed"},
	Removed:   {meaning: "the container was removed", cut: byHand, code: exitcode.Killed},
	Cancelled: {meaning: "cancelled before it began", code: exitcode.Interrupted},
}

// Error makes a reason the cause of a context: who ends a run by that tells why.
func (r Reason) Error() string { return string(r) }

// Meaning is the reason in words, or its name where it is of a later version.
func (r Reason) Meaning() string {
	if row, known := rows[r]; known {
		return row.meaning
	}
	return string(r)
}

// Cut is how the run was ended before all of its plan was sent; "" where all of it was, or nobody knows.
func (r Reason) Cut() string { return rows[r].cut }

// ExitCode is that of a loadgen which ended so, unless it missed a threshold or no hit was accepted.
func (r Reason) ExitCode() int { return rows[r].code }

// Good says that a run may end so, or has not ended.
func (r Reason) Good() bool { return r == "" || rows[r].good }
