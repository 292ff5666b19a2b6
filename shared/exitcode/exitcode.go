// Package exitcode owns the exit codes of both programs, so that the controller reads those of the loadgen by name. It
// knows nothing of why a program ended: each decides which of these its end is.
package exitcode

const (
	// OK means: finished, or a limit was reached.
	OK = 0
	// Internal means: an error of the program or of its machine.
	Internal = 1
	// BadConfig means: settings, flags or files that were refused; nothing was sent.
	BadConfig = 2
	// NoTarget means: no target ever accepted a hit.
	NoTarget = 3
	// Missed means: a threshold was missed, the error brake ended the run, or a benchmarked report failed.
	Missed = 4
	// Lost means: Matomo shows less than it accepted, or more than can have been sent.
	Lost = 5
	// NotArchived means: Matomo's raw log holds everything, and its reports do not show it yet.
	NotArchived = 6
	// Interrupted means: ended by a signal, 128 and the number of SIGINT.
	Interrupted = 130
	// Killed means: ended by SIGKILL, 128 and its number; the system reports it, no program returns it.
	Killed = 137
)
