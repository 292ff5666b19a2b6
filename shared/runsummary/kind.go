package runsummary

import "time"

// Kinds of run.
const (
	Live           = "live"
	CapacitySearch = "capacity"
	BackfillJob    = "backfill"
)

// Kind is a kind of run.
type Kind struct {
	// Name is the kind in files and answers, Title the kind for people.
	Name, Title string
	// Setting turns the kind on; empty for the default.
	Setting string
}

// kinds are in the order of their precedence.
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

// KindOf returns the name of the kind that settings select; on reports whether a setting is on.
func KindOf(on func(setting string) bool) string {
	for _, k := range kinds {
		if k.Setting == "" || on(k.Setting) {
			return k.Name
		}
	}
	return Live
}

// TitleOf returns the title of a kind. Older records have no kind and are of live traffic.
func TitleOf(name string) string {
	for _, k := range kinds {
		if k.Name == name || k.Name == Live && name == "" {
			return k.Title
		}
	}
	return name
}

// CapFile is the file of a Cap in the state folder. No run ID has a dot, so it is never a run's.
const CapFile = "daily.cap.json"

// CapWindow is the length of a window of MAX_TOTAL_VISITS, from its first visit on.
const CapWindow = 24 * time.Hour

// Cap is the state of the cap on visits in 24 hours.
type Cap struct {
	WindowStart time.Time `json:"window_start"` // the time of the first visit that counts
	// Reserved visits of the window may have been used: they are reserved in blocks in advance, so that a kill wastes
	// some and never exceeds the cap.
	Reserved uint64 `json:"reserved"`
}
