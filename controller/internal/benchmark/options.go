package benchmark

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/problem"
)

// Options define what is measured. Zero values of Repeats, Parallel and Timeout are invalid.
type Options struct {
	Target  string   `json:"target,omitempty" maxLength:"200" doc:"Name or id of a saved target. Default: the target of MATOMO_URL, called matomo."`
	Reports []string `json:"reports,omitempty" maxItems:"200" nullable:"false" doc:"Names of the Matomo reports to request. Default: all."`
	More    []Report `json:"more,omitempty" maxItems:"100" nullable:"false" doc:"Additional reports. Their methods must begin with get."`
	// Periods and Segments are combined with each report.
	Periods  []string `json:"periods,omitempty" maxItems:"5" nullable:"false" doc:"day, week, month, year or range, the 30 days up to the date. Default: day, week, month."`
	Segments []string `json:"segments,omitempty" maxItems:"20" nullable:"false" doc:"Matomo segments; an empty one is all visits. Default: all visits."`
	Repeats  int      `json:"repeats" required:"false" default:"5" doc:"Warm requests of each report, 1 to 100."`
	Parallel int      `json:"parallel" required:"false" default:"1" doc:"Parallel clients of the last round, 1 to 16; each sends as many requests again. 1 skips that round."`
	Timeout  int      `json:"timeout_seconds" required:"false" default:"60" doc:"Timeout of a request, 1 to 600 seconds."`
	Date     string   `json:"date,omitempty" maxLength:"32" doc:"Date to report on, YYYY-MM-DD. Default: yesterday in the site's time zone."`
	Note     string   `json:"note,omitempty" maxLength:"2000" doc:"Free text."`
}

// The limits and defaults of a benchmark.
const (
	MaxRepeats      = 100
	DefaultRepeats  = 5
	MaxParallel     = 16
	DefaultParallel = 1
	MaxTimeout      = 10 * time.Minute
	DefaultTimeout  = time.Minute
	// maxRequests is the maximum number of requests of a benchmark.
	maxRequests = 20_000
	// maxSegment is the maximum length of a segment, in bytes.
	maxSegment = 1000
)

func (o Options) timeout() time.Duration { return time.Duration(o.Timeout) * time.Second }

// job is one report in one period and segment.
type job struct {
	Report
	period, segment string
}

// name names the job for people.
func (j job) name() string {
	name := j.Name + ", " + j.period
	if j.segment != "" {
		name += ", " + j.segment
	}
	return name
}

// withDefaults sets missing periods and segments.
func (o Options) withDefaults() Options {
	if len(o.Periods) == 0 {
		o.Periods = []string{"day", "week", "month"}
	}
	if len(o.Segments) == 0 {
		o.Segments = []string{""}
	}
	o.Periods, o.Segments = unique(o.Periods), unique(o.Segments)
	return o
}

// unique trims the values and removes duplicates and keeps their order.
func unique(list []string) (out []string) {
	for _, v := range list {
		if v = strings.TrimSpace(v); !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// jobs returns the jobs of the options, or all problems at once.
func (o Options) jobs() ([]job, problem.List) {
	var problems problem.List
	within := func(where string, n, most int, cure string) {
		if n < 1 || n > most {
			problems.Refuse(where, strconv.Itoa(n), fmt.Sprintf("is not between 1 and %d", most), cure)
		}
	}
	within("repeats", o.Repeats, MaxRepeats, "use 5")
	within("parallel", o.Parallel, MaxParallel, "use 1 for no parallel requests")
	within("timeout_seconds", o.Timeout, int(MaxTimeout.Seconds()), "use 60")
	if _, err := time.Parse(time.DateOnly, o.Date); err != nil && o.Date != "" {
		problems.Refuse("date", o.Date, "is not a date", "use YYYY-MM-DD, or leave it out for yesterday")
	}
	for _, p := range o.Periods {
		if !slices.Contains(Periods(), p) {
			problems.Refuse("periods", p, "is not a period of Matomo", "use "+strings.Join(Periods(), ", "))
		}
	}
	for _, s := range o.Segments {
		if len(s) > maxSegment {
			problems.Refuse("segments", s, fmt.Sprintf("is longer than %d bytes", maxSegment), "shorten it")
		}
	}
	var out []job
	for _, r := range o.selected(&problems) {
		for _, period := range o.Periods {
			if len(r.Periods) > 0 && !slices.Contains(r.Periods, period) {
				continue
			}
			for _, segment := range o.Segments {
				out = append(out, job{r, period, segment})
			}
		}
	}
	switch n := len(out) * o.requests(); {
	case len(problems) > 0:
	case n == 0:
		problems.Refuse("periods", strings.Join(o.Periods, ", "), "are not available for the selected reports",
			"select another period or more reports")
	case n > maxRequests:
		problems.Refuse("repeats", strconv.Itoa(o.Repeats),
			fmt.Sprintf("makes %d requests in total, more than %d", n, maxRequests),
			"select fewer reports, periods, segments or repeats")
	}
	return out, problems
}

// requests returns the number of requests of a job.
func (o Options) requests() int {
	n := 1 + o.Repeats
	if o.Parallel > 1 {
		n += o.Parallel * o.Repeats
	}
	return n
}

// selected returns the reports to request.
func (o Options) selected(problems *problem.List) []Report {
	all := BuiltInReports()
	for _, r := range o.More {
		r.check(all, problems)
		all = append(all, r)
	}
	if len(o.Reports) == 0 {
		return all
	}
	var out []Report
	for _, name := range unique(o.Reports) {
		i := slices.IndexFunc(all, func(r Report) bool { return strings.EqualFold(r.Name, name) })
		if i < 0 {
			problems.Refuse("reports", name, "is not the name of a report", "see the list of reports")
			continue
		}
		out = append(out, all[i])
	}
	return out
}

var (
	// readOnly matches methods that only read; others might change the Matomo.
	readOnly = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*\.get[A-Za-z0-9]*$`)
	// reserved are parameters that a benchmark sets itself.
	reserved = []string{"module", "format", "method", "token_auth", "idsite", "period", "segment"}
)

// check validates an additional report against the others.
func (r Report) check(others []Report, problems *problem.List) {
	switch {
	case strings.TrimSpace(r.Name) == "":
		problems.Refuse("more", r.Method, "has no name", `use {"name":"…","method":"Module.getReport"}`)
	case slices.ContainsFunc(others, func(o Report) bool { return strings.EqualFold(o.Name, r.Name) }):
		problems.Refuse("more", r.Name, "is the name of another report", "choose another name")
	}
	if !readOnly.MatchString(r.Method) {
		problems.Refuse("more", r.Method, "is not a read-only method", "use one such as Actions.getPageUrls")
	}
	for key := range r.Parameters {
		if slices.Contains(reserved, strings.ToLower(key)) {
			problems.Refuse("more", key, "is a parameter that the benchmark sets itself", "leave it out")
		}
	}
	for _, p := range r.Periods {
		if !slices.Contains(Periods(), p) {
			problems.Refuse("more", p, "is not a period of Matomo", "use "+strings.Join(Periods(), ", "))
		}
	}
}
