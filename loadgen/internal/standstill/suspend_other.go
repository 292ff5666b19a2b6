//go:build !linux && !darwin

package standstill

import "time"

// suspendedTotal is unknown here: time stops for the run while the machine is suspended.
func suspendedTotal() time.Duration { return 0 }
