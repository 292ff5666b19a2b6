package plan

import (
	"fmt"
	"strconv"

	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// reservedDescriptors are kept from requests for all that must be written and answered meanwhile: ledger, journal, log,
// telemetry, reports.
const reservedDescriptors = 32

// LimitConcurrency keeps the requests in flight below what descriptors, the files that this process may have open, let be; 0 is no
// bound. A run that uses up its descriptors can neither send nor write what it has sent.
func (p *Plan) LimitConcurrency(descriptors uint64) (problems problem.List) {
	key, least := "CONCURRENCY", len(p.Targets)
	if p.Kind() == runsummary.BackfillJob {
		key, least = "BACKFILL_SHARDS", 1
	}
	wanted := p.Sending.Concurrency
	if descriptors == 0 || uint64(wanted)+reservedDescriptors <= descriptors {
		return nil
	}
	cure := fmt.Sprintf("allow it %d: ulimit -n, or nofile of the container", wanted+reservedDescriptors)
	message := fmt.Sprintf("is more than this process can have, which may open %d files", descriptors)
	if descriptors < uint64(least+reservedDescriptors) {
		problems.Refuse(key, strconv.Itoa(wanted), message, cure)
		return problems
	}
	p.Sending.Concurrency = int(descriptors) - reservedDescriptors
	problems.Warn(key, strconv.Itoa(wanted), fmt.Sprintf("%s: reduced to %d", message, p.Sending.Concurrency), cure)
	return problems
}
