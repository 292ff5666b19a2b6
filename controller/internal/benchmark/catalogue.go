// Package benchmark owns API benchmarks: which reports of a Matomo are requested and in which order, how fast they are,
// and how that compares with a baseline. It sends no hits and depends neither on routes nor on pages.
package benchmark

import (
	_ "embed"
	"encoding/json"
	"fmt"
)

// Report is a call of the Reporting API.
type Report struct {
	Name       string            `json:"name" minLength:"1" maxLength:"100" doc:"Unique name."`
	Method     string            `json:"method" maxLength:"200" doc:"Method of the Reporting API."`
	Parameters map[string]string `json:"parameters,omitempty" doc:"Parameters besides site, period, date and segment. The values {visitor}, {page}, {label} and {dimension} are replaced by a recent visitor, the URL of a page, its path in the pages report, and the number of a custom dimension."`
	Periods    []string          `json:"periods,omitempty" nullable:"false" doc:"Periods that the report supports. Default: all."`
}

//go:embed reports.json
var builtIn []byte

// BuiltInReports returns the reports of reports.json.
func BuiltInReports() []Report {
	var out []Report
	if err := json.Unmarshal(builtIn, &out); err != nil {
		panic(fmt.Sprintf("reports.json: %v", err)) // it is embedded, and a test reads it
	}
	return out
}

// Periods returns the periods of Matomo, the shortest first; a range is the 30 days up to the date.
func Periods() []string { return []string{"day", "week", "month", "year", "range"} }
