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
			"would pause the capacity search, which would mistake that for the server's limit", "set it to 0")
	}
	if s.LoadProfile != "constant" {
		problems.Warn(
			"LOAD_PROFILE",
			s.LoadProfile,
			"is ignored: a capacity search sets the rate itself",
			"remove it, or turn off CAPACITY_SEARCH",
		)
	}
	if s.SendMode == "bulk" && s.Thresholds == "" && s.BulkMaxDelay > 0 {
		problems.Warn(
			"BULK_MAX_DELAY",
			strconv.FormatFloat(s.BulkMaxDelay, 'f', -1, 64),
			"is part of the latencies of a capacity search, which must keep p95<1s",
			"set THRESHOLDS with a p95 well above it",
		)
	}
	if s.Timeline == "live" {
		problems.Warn("TIMELINE", s.Timeline,
			"makes each step of a capacity search wait minutes for the visits of the previous step", "use compressed")
	}
}
