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

// Options say what is measured.
type Options struct {
	// Reports are names of Reports and of More, none for all; More are further ones.
	Reports []string
	More    []Report
	// Periods and Segments are crossed with the reports, each once; without any they are day, week and month, and all
	// visits, of which the segment is empty.
	Periods, Segments []string
	// Repeats is how often each is asked for after the first time, 1 to 100; Parallel how many ask at once, each as
	// often again, 1 to 16, where 1 is none.
	Repeats, Parallel int
	// Timeout is how long an answer is waited for, 1 s to MaxTimeout.
	Timeout time.Duration
	// Date is the day that the periods hold, YYYY-MM-DD; empty is yesterday in the site's zone.
	Date string
	// Note is a person's.
	Note string
}

// The limits of a benchmark, and what is usual.
const (
	MaxRepeats      = 100
	DefaultRepeats  = 5
	MaxParallel     = 16
	DefaultParallel = 1
	MaxTimeout      = 10 * time.Minute
	DefaultTimeout  = time.Minute
	// maxRequests is the most that one benchmark asks for.
	maxRequests = 20_000
	// maxSegment bounds a segment, in bytes.
	maxSegment = 1000
)

// job is one report in one period and segment.
type job struct {
	Report
	period, segment string
}

// name is that of the job for people.
func (j job) name() string {
	name := j.Name + ", " + j.period
	if j.segment != "" {
		name += ", " + j.segment
	}
	return name
}

// usual fills in what was left out.
func (o Options) usual() Options {
	if len(o.Periods) == 0 {
		o.Periods = []string{"day", "week", "month"}
	}
	if len(o.Segments) == 0 {
		o.Segments = []string{""}
	}
	o.Periods, o.Segments = once(o.Periods), once(o.Segments)
	return o
}

func once(list []string) (out []string) {
	for _, v := range list {
		if v = strings.TrimSpace(v); !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// jobs are all that the options ask for, or what is wrong with them, all at once.
func (o Options) jobs() ([]job, problem.List) {
	var problems problem.List
	within := func(where string, n, most int, cure string) {
		if n < 1 || n > most {
			problems.Refuse(where, strconv.Itoa(n), fmt.Sprintf("is not between 1 and %d", most), cure)
		}
	}
	within("repeats", o.Repeats, MaxRepeats, "use 5")
	within("parallel", o.Parallel, MaxParallel, "use 1 for none at once")
	within("timeout_seconds", int(o.Timeout.Seconds()), int(MaxTimeout.Seconds()), "use 60")
	if _, err := time.Parse(time.DateOnly, o.Date); err != nil && o.Date != "" {
		problems.Refuse("date", o.Date, "is not a day", "write YYYY-MM-DD, or leave it out for yesterday")
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
	switch n := len(out) * o.requests(); {
	case len(problems) > 0:
	case n == 0:
		problems.Refuse("periods", strings.Join(o.Periods, ", "), "are none that the chosen reports have",
			"choose another period or more reports")
	case n > maxRequests:
		problems.Refuse("repeats", strconv.Itoa(o.Repeats),
			fmt.Sprintf("makes %d requests in all, more than %d", n, maxRequests),
			"choose fewer reports, periods, segments or repeats")
	}
	return out, problems
}

// requests is how many a job makes.
func (o Options) requests() int {
	n := 1 + o.Repeats
	if o.Parallel > 1 {
		n += o.Parallel * o.Repeats
	}
	return n
}

// chosen are the reports to ask for.
func (o Options) chosen(problems *problem.List) []Report {
	all := BuiltInReports()
	for _, r := range o.More {
		r.check(all, problems)
		all = append(all, r)
	}
	if len(o.Reports) == 0 {
		return all
	}
	var out []Report
	for _, name := range once(o.Reports) {
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
	// reading are methods that report: anything else might change the Matomo.
	reading = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*\.get[A-Za-z0-9]*$`)
	// own are parameters that a benchmark sets itself.
	own = []string{"module", "format", "method", "token_auth", "idsite", "period", "segment"}
)

// check finds what is wrong with a further report beside those that there are.
func (r Report) check(others []Report, problems *problem.List) {
	switch {
	case strings.TrimSpace(r.Name) == "":
		problems.Refuse("more", r.Method, "has no name", `write {"name":"…","method":"Module.getReport"}`)
	case slices.ContainsFunc(others, func(o Report) bool { return strings.EqualFold(o.Name, r.Name) }):
		problems.Refuse("more", r.Name, "is the name of another report", "choose another name")
	}
	if !reading.MatchString(r.Method) {
		problems.Refuse("more", r.Method, "is no method that only reads", "write one such as Actions.getPageUrls")
	}
	for key := range r.Parameters {
		if slices.Contains(own, strings.ToLower(key)) {
			problems.Refuse("more", key, "is a parameter that the benchmark sets itself", "leave it out")
		}
	}
	for _, p := range r.Periods {
		if !slices.Contains(Periods(), p) {
			problems.Refuse("more", p, "is not a period of Matomo", "use "+strings.Join(Periods(), ", "))
		}
	}
}
