// Package benchmark owns how fast a Matomo answers its Reporting API: which reports are asked for, in what order,
// what became of it, and how it compares. It sends no hit, and knows neither routes nor the page.
package benchmark

import (
	_ "embed"
	"encoding/json"
	"fmt"
)

// Report is one call that administrators care about.
type Report struct {
	Name   string `json:"name" minLength:"1" maxLength:"100"`
	Method string `json:"method" maxLength:"200"`
	// Parameters are those beyond site, period, date and segment. {visitor}, {page}, {label} and {dimension} stand for
	// a recent visitor, the address of a page, its path in the report of pages, and the number of a custom dimension.
	Parameters map[string]string `json:"parameters,omitempty"`
	// Periods are those that it takes, all where there are none.
	Periods []string `json:"periods,omitempty" nullable:"false"`
}

//go:embed reports.json
var builtIn []byte

// BuiltInReports returns the reports of reports.json.
func BuiltInReports() []Report {
	var out []Report
	if err := json.Unmarshal(builtIn, &out); err != nil {
		panic(fmt.Sprintf("reports.json: %v", err)) // it is part of the program, and a test reads it
	}
	return out
}

// Periods are Matomo's own, the shortest first; a range is the thirty days up to the date.
func Periods() []string { return []string{"day", "week", "month", "year", "range"} }
