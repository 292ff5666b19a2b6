package runsummary

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
