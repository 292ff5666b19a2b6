// Package exitcode owns the exit codes of both programs.
package exitcode

// The exit codes.
const (
	OK          = 0   // finished, or reached a limit
	Internal    = 1   // error of the program or the machine
	BadConfig   = 2   // settings, flags or files were rejected; nothing was sent
	NoTarget    = 3   // no target accepted a hit
	Missed      = 4   // a threshold failed, the error brake stopped the run, or a benchmarked report failed
	Lost        = 5   // Matomo shows less than it accepted, or more than can have been sent
	NotArchived = 6   // Matomo's raw log is complete, but its reports do not show everything yet
	Interrupted = 130 // 128 and the number of SIGINT
	Killed      = 137 // 128 and the number of SIGKILL; set by the system
)
