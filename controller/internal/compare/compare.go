// Package compare owns the comparison of two runs: what differs in what they were told and in what they did, and which
// of the differences are more than chance. It is pure: it neither reads nor keeps a run.
package compare

// Unit is what a number of a Row counts.
type Unit string

// The units.
const (
	Count     Unit = "count"
	Seconds   Unit = "seconds"
	Share     Unit = "share"
	PerSecond Unit = "per_second"
	Money     Unit = "money"
)

// Result is what differs between two runs, a being the one that is compared with.
type Result struct {
	Same     Same      `json:"same"`
	Settings []Setting `json:"settings" doc:"Those that differ."`
	Files    []File    `json:"files" doc:"Those that differ."`
	Rows     []Row     `json:"rows"`
	// Notes are sentences on the comparison as a whole.
	Notes []string `json:"notes" doc:"What to bear in mind, such as that one run was ended by hand earlier."`
}

// Same tells what two runs have in common. With all three their plans are the same.
type Same struct {
	Seed   bool `json:"seed"`
	Config bool `json:"config"`
	Files  bool `json:"files"`
}

// Setting is one that differs; an empty value is the default.
type Setting struct {
	Key string `json:"key"`
	A   string `json:"a"`
	B   string `json:"b"`
}

// File is one that differs, by its hash; empty where there was none and the built-in content counted.
type File struct {
	Name string `json:"name"`
	A    string `json:"a"`
	B    string `json:"b"`
}

// Row compares one number.
type Row struct {
	// Group is a heading, such as "Hits" or "Latency"; Name is the number's own within it.
	Group string `json:"group"`
	Name  string `json:"name"`
	Unit  Unit   `json:"unit" enum:"count,seconds,share,per_second,money"`
	// A and B are nil where a run has no such number.
	A *float64 `json:"a"`
	B *float64 `json:"b"`
	// Difference is B - A, and Share the difference as a part of A; nil where they cannot be told.
	Difference *float64 `json:"difference"`
	Share      *float64 `json:"share"`
	// BeyondNoise says that the difference is more than chance; Why tells by which rule, or why it is not.
	BeyondNoise bool   `json:"beyond_noise"`
	Why         string `json:"why"`
}
