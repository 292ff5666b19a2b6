package run

import (
	"github.com/puttrix/trafficinator/loadgen/internal/backfill"
	"github.com/puttrix/trafficinator/loadgen/internal/capacity"
	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/shared/exitcode"
)

// exitCode tells why the run ended. A run without one accepted hit has failed whatever ended it.
func exitCode(reason engine.Reason, accepted, tried uint64) int {
	switch {
	case reason == engine.NoTarget, accepted == 0 && tried > 0:
		return exitcode.NoTarget
	case reason == engine.Interrupted:
		return exitcode.Interrupted
	case reason == backfill.Broken:
		return exitcode.Internal
	case reason == engine.Reason(capacity.None), reason == engine.Reason(capacity.Void):
		return exitcode.Missed
	default:
		return exitcode.OK
	}
}
