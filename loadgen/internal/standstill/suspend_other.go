//go:build !linux && !darwin

package standstill

import "time"

// asleep is not known here: Go's time stands still with the machine, and so does the run.
func suspendedTotal() time.Duration { return 0 }
