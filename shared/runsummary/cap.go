package runsummary

import "time"

// CapFile is the file of the state folder that holds a Cap. It has a dot where no run id has one, so that it is never
// the record of a run.
const CapFile = "daily.cap.json"

// CapWindow is how long a cap counts, from the first visit of its window (MAX_TOTAL_VISITS).
const CapWindow = 24 * time.Hour

// Cap is what of the cap on visits in 24 hours survives a restart.
type Cap struct {
	// WindowStart is that of the first visit that counts.
	WindowStart time.Time `json:"window_start"`
	// Reserved visits of the window may have been used: they are reserved in blocks ahead of use, so that a kill
	// wastes some and never exceeds the cap.
	Reserved uint64 `json:"reserved"`
}
