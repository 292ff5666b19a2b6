// Package export owns how a run is told in a file: to people as one page of HTML that needs nothing else, to CI as
// JUnit XML. It computes no figure that the record of the run does not hold, and knows nothing of where that is kept.
package export

import (
	"html/template"
	"time"

	"github.com/puttrix/trafficinator/shared/runsummary"
)

// Run is all that a report tells. Everything but Summary may be left out.
type Run struct {
	Summary runsummary.Summary
	// ExitCode is that of the loadgen, nil where it is not known.
	ExitCode *int
	Note     string
	Labels   []string
	// Zone is that of the times shown; nil is UTC.
	Zone *time.Location
	// Settings are those that do not hold their default, with secrets masked.
	Settings []Setting
	// Files are what the run was made of.
	Files []File
	// Series is what happened when, oldest first and without overlaps.
	Series []Point
	// Sections are what else is known of the run, such as what Matomo has recorded of it.
	Sections []Section
	// Problems are warnings and errors of the log.
	Problems []Problem
	// Version is that of the program that made the report.
	Version string
}

// Section is a part of a report that the record of the run does not hold.
type Section interface {
	// HTML is the section as it stands on the page, moments in a zone.
	HTML(zone *time.Location) (template.HTML, error)
	// Cases are what it says to CI.
	Cases() []Case
}

// Case is a test case of a section. It has passed where no text is set, else one is: Failure is against the run, Error
// and Skipped are not.
type Case struct{ Name, Class, Failure, Error, Skipped string }

// Setting is a knob and its value.
type Setting struct{ Key, Value string }

// File is a data file of a run with the hash of its content.
type File struct{ Name, Hash string }

// Problem is a line of the log.
type Problem struct {
	Time time.Time
	// Level is warning or error.
	Level string
	Text  string
}

// Point is what happened from At on, for Length.
type Point struct {
	At     time.Time
	Length time.Duration
	// Hits ended in that time; Planned are those of visits that began.
	Hits runsummary.Hits
	// Visits began in that time.
	Visits uint64
	// Latency is that of the hits answered in that time, zero where none was.
	Latency runsummary.Latency
}
