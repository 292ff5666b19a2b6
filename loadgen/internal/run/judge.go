package run

import (
	"context"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/judge"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/threshold"
)

// newJudge gives a run what it is judged by; the judge is nil where nothing that it sees is to stop the run. A capacity
// search judges its steps itself: it breaks thresholds on purpose.
func newJudge(k *spec.Spec) (*judge.Judge, []threshold.Threshold) {
	if k.CapacitySearch {
		return nil, nil
	}
	thresholds, _ := threshold.Parse("THRESHOLDS", k.Thresholds) // the settings were checked
	abort := k.ThresholdAbort && len(thresholds) > 0
	if len(thresholds) == 0 {
		thresholds = threshold.BuiltIn()
	}
	if !abort && k.StopErrorShare == 0 {
		return nil, thresholds
	}
	return &judge.Judge{Abort: abort, MaxErrors: k.StopErrorShare}, thresholds
}

// observe looks at the run every second until ctx is done, and has it stopped where its hits demand it.
func (s *session) observe(ctx context.Context, stop context.CancelCauseFunc) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		s.tellStandstills()
		if s.series != nil {
			s.series.Add(s.now(), s.ledger.Counts())
		}
		s.logReasons()
		if s.judge == nil || s.stopped != "" {
			continue
		}
		sum := s.Summary()
		if reason, why := s.judge.Look(s.now(), &sum); reason != "" {
			s.log.Error("the run is stopped", "reason", string(reason), "why", why)
			s.stopped, s.why = reason, why
			stop(reason)
		}
	}
}
