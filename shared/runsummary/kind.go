package runsummary

import (
	"time"
)

// Kinds of run.
const (
	Live           = "live"
	CapacitySearch = "capacity"
	BackfillJob    = "backfill"
)

// Kind is what is known of a kind of run.
type Kind struct {
	// Name is the kind in files and answers.
	Name string
	// Title is the kind for people.
	Title string
	// Setting is the one that asks for it, as "true"; empty for what is sent where no other is asked for.
	Setting string
}

// kinds are all kinds of run; of those that are asked for the first counts.
var kinds = []Kind{
	{BackfillJob, "Backfill", "BACKFILL_ENABLED"}, {CapacitySearch, "Capacity search", "CAPACITY_SEARCH"},
	{Live, "Live traffic", ""},
}

// Kinds are the names of all kinds of run.
func Kinds() (names []string) {
	for _, k := range kinds {
		names = append(names, k.Name)
	}
	return names
}

// KindOf is the name of the kind that settings ask for; on says whether one of them is on.
func KindOf(on func(setting string) bool) string {
	for _, k := range kinds {
		if k.Setting == "" || on(k.Setting) {
			return k.Name
		}
	}
	return Live
}

// TitleOf is a kind for people. Records that are older than the kinds name none and are of live traffic.
func TitleOf(name string) string {
	for _, k := range kinds {
		if k.Name == name || k.Name == Live && name == "" {
			return k.Title
		}
	}
	return name
}

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
