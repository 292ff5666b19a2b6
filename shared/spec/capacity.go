package spec

import (
	"strconv"

	"github.com/puttrix/trafficinator/shared/problem"
)

// checkCapacity checks a capacity search. It sets the rate of visits itself.
func checkCapacity(s Spec, bad map[string]bool, problems *problem.List) {
	if !s.CapacitySearch {
		return
	}
	if s.CapacityFrom > s.CapacityTo && !bad["CAPACITY_FROM"] && !bad["CAPACITY_TO"] {
		problems.Refuse("CAPACITY_FROM", strconv.FormatFloat(s.CapacityFrom, 'f', -1, 64),
			"is above CAPACITY_TO="+strconv.FormatFloat(s.CapacityTo, 'f', -1, 64), "lower it or raise CAPACITY_TO")
	}
	if s.MaxTotalVisits > 0 {
		problems.Refuse("MAX_TOTAL_VISITS", strconv.FormatInt(s.MaxTotalVisits, 10),
			"would pause a capacity search, which would take that for the limit of the server", "set it to 0")
	}
	if s.LoadProfile != "constant" {
		problems.Warn("LOAD_PROFILE", s.LoadProfile, "is not used: a capacity search sets the rate itself",
			"leave it out, or leave out CAPACITY_SEARCH")
	}
	if s.SendMode == "bulk" && s.Thresholds == "" && s.BulkMaxDelay > 0 {
		problems.Warn("BULK_MAX_DELAY", strconv.FormatFloat(s.BulkMaxDelay, 'f', -1, 64),
			"is among the latencies of a capacity search, which must keep p95<1s",
			"set THRESHOLDS with a p95 well above it")
	}
	if s.Timeline == "live" {
		problems.Warn("TIMELINE", s.Timeline,
			"makes each step of a capacity search wait until the visits of the step before have ended, which takes "+
				"minutes", "use compressed")
	}
}
