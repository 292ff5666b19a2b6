// Package reportbench owns how fast a Matomo answers its Reporting API: which reports are asked for, in what order, and
// what became of it. It sends no hit, and knows neither routes nor the page.
package reportbench

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/puttrix/trafficinator/shared/problem"
)

// Report is one call that administrators care about.
type Report struct {
	Name   string `json:"name"`
	Method string `json:"method"`
	// Parameters are those beyond site, period, date and segment. {visitor}, {page} and {label} stand for the latest
	// visitor, the address of the top page, and its path in the report of pages.
	Parameters map[string]string `json:"parameters,omitempty"`
	// Periods are those that it takes, all where there are none.
	Periods []string `json:"periods,omitempty"`
}

//go:embed reports.json
var builtIn []byte

// Reports are the built-in ones.
func Reports() []Report {
	var out []Report
	if err := json.Unmarshal(builtIn, &out); err != nil {
		panic(fmt.Sprintf("reports.json: %v", err)) // it is part of the program, and a test reads it
	}
	return out
}

// periods are Matomo's own.
var periods = []string{"day", "week", "month", "year", "range"}

// Options say what is measured.
type Options struct {
	// Reports are names of Reports, none for all; More are further ones.
	Reports []string
	More    []Report
	// Periods and Segments are crossed with the reports; an empty segment is all visits.
	Periods, Segments []string
	// Repeats is how often each is asked for after the first time, 1 to 100; Parallel how many ask at once, 1 for none.
	Repeats, Parallel int
	// Date is the day that the periods hold, YYYY-MM-DD; empty is yesterday in the site's zone.
	Date string
	// Note is a person's.
	Note string
}

// The usual options.
var (
	defaultPeriods  = []string{"day", "week", "month"}
	defaultSegments = []string{""}
)

// limits keep a benchmark bounded.
const (
	maxRepeats, maxParallel = 100, 16
	// MaxRequests is the most that one benchmark asks for.
	MaxRequests = 20_000
)

// job is one report in one period and segment.
type job struct {
	Report
	period, segment string
}

// jobs are all that the options ask for, or what is wrong with them.
func (o *Options) jobs() ([]job, problem.List) {
	var problems problem.List
	if len(o.Periods) == 0 {
		o.Periods = defaultPeriods
	}
	if len(o.Segments) == 0 {
		o.Segments = defaultSegments
	}
	if o.Repeats < 1 || o.Repeats > maxRepeats {
		problems.Refuse("repeats", fmt.Sprint(o.Repeats), "is not between 1 and 100", "use 5")
	}
	if o.Parallel < 1 || o.Parallel > maxParallel {
		problems.Refuse("parallel", fmt.Sprint(o.Parallel), "is not between 1 and 16", "use 4")
	}
	for _, p := range o.Periods {
		if !slices.Contains(periods, p) {
			problems.Refuse("periods", p, "is not a period of Matomo", "use day, week, month, year or range")
		}
	}
	var out []job
	for _, r := range o.chosen(&problems) {
		for _, period := range o.Periods {
			if len(r.Periods) > 0 && !slices.Contains(r.Periods, period) {
				continue
			}
			for _, segment := range o.Segments {
				out = append(out, job{r, period, segment})
			}
		}
	}
	if n := len(out) * o.requests(); n > MaxRequests {
		problems.Refuse("repeats", fmt.Sprint(o.Repeats), fmt.Sprintf("makes %d requests in all, more than %d", n, MaxRequests), "choose fewer reports, periods, segments or repeats")
	}
	return out, problems
}

// requests is how many a job makes.
func (o *Options) requests() int {
	n := 1 + o.Repeats
	if o.Parallel > 1 {
		n += o.Parallel * o.Repeats
	}
	return n
}

func (o *Options) chosen(problems *problem.List) []Report {
	all := append(Reports(), o.More...)
	for _, r := range o.More {
		if r.Name == "" || r.Method == "" {
			problems.Refuse("more", r.Name, "has no name or no method", `write {"name":"…","method":"Module.getReport"}`)
		}
	}
	if len(o.Reports) == 0 {
		return all
	}
	var out []Report
	for _, name := range o.Reports {
		i := slices.IndexFunc(all, func(r Report) bool { return r.Name == name })
		if i < 0 {
			problems.Refuse("reports", name, "is not the name of a report", "see the list of reports")
			continue
		}
		out = append(out, all[i])
	}
	return out
}
