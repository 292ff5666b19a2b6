// Package compare owns the comparison of two runs: what differs in what they were told and in what they did, and which
// of the differences are more than chance. It is pure: it neither reads nor keeps a run.
package compare

import (
	"time"

	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/shared/endreason"
)

// Run is what a comparison looks at. Its Summary is nil where the run left no ledger.
type Run struct {
	record.Run
	// Files are the hashes of the files it was started with, by name.
	Files map[string]string
	// Length is how long it took so far.
	Length time.Duration
}

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

// Same tells what two runs have in common.
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
	// Group is visits, hits, kind:<kind>, target:<name>, latency, rates, shares, shop, capacity or run; Name is the
	// number's own within it.
	Group string `json:"group" doc:"visits, hits, kind:<kind>, target:<name>, latency, rates, shares, shop, capacity or run."`
	Name  string `json:"name" doc:"Of the number within its group: planned, an outcome or a fate, p50, hit_rate and so on."`
	Unit  Unit   `json:"unit" enum:"count,seconds,share,per_second,money"`
	// A and B are nil where a run has no such number.
	A *float64 `json:"a"`
	B *float64 `json:"b"`
	// Difference is B - A, and Share the difference as a part of A; nil where they cannot be told.
	Difference *float64 `json:"difference"`
	Share      *float64 `json:"share"`
	// BeyondNoise says that the difference is more than chance; Why tells by which rule, or why it is not. It is empty
	// where nothing differs.
	BeyondNoise bool   `json:"beyond_noise"`
	Why         string `json:"why"`
}

// Runs compares b with a.
func Runs(a, b Run) Result {
	r := Result{Settings: settings(a, b), Files: files(a, b), Rows: []Row{}, Notes: []string{}}
	r.Same = Same{a.Seed == b.Seed, len(r.Settings) == 0, len(r.Files) == 0}
	for _, run := range []Run{a, b} {
		if run.Summary == nil {
			r.Notes = append(r.Notes, run.ID+" left no ledger, so that there are no numbers to compare")
		}
	}
	if len(r.Notes) > 0 {
		return r
	}
	c := comparison{a: a, b: b, samePlan: r.Same.Seed && samePlan(r)}
	for _, run := range []Run{a, b} {
		if how := cutShort(run); how != "" {
			c.incomplete = append(c.incomplete, run.ID+" "+how+" after "+run.Length.Round(time.Second).String())
		}
		if run.Steered {
			c.incomplete = append(c.incomplete, run.ID+" was paused, or its rate changed, while it went on")
		}
	}
	r.Notes = append(r.Notes, c.incomplete...)
	if r.Same.Seed && !samePlan(r) {
		r.Notes = append(r.Notes,
			"the seed is the same but not what it was used for, so that visitors do not do the same")
	}
	r.Rows = c.rows()
	return r
}

// cutShort tells how a run ended that did not send all of a plan; empty for one that did.
func cutShort(r Run) string {
	if r.Open() {
		return "goes on"
	}
	return endreason.Reason(r.Reason).EarlyEnd()
}
