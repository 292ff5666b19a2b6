// Package stop owns the ends of a run that its own hits bring about: a threshold that is missed, and the error brake.
// It looks at the record of the run and tells; it reads no clock and stops nothing.
package stop

import (
	"fmt"
	"time"

	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/threshold"
)

// missedFor is how long a threshold is missed before it ends a run: what is measured swings after a start.
const missedFor = 10 * time.Second

// Conditions looks at one run, in order of time.
type Conditions struct {
	// Abort lets a missed threshold end the run.
	Abort bool
	// MaxErrors is the share of hits not accepted above which the brake is pulled; 0 is never.
	MaxErrors float64

	standstills int                  // that it knows of
	missedSince map[string]time.Time // since when, by expression
	// of the window, oldest first; the first is as old as the window or older once there is one
	history []snapshot
}

// snapshot is the ledger as it stood.
type snapshot struct {
	at   time.Time
	hits runsummary.Hits
}

// Check tells why the run is to stop, and in words; the reason is empty where it is not. After a standstill of the
// loadgen it starts again: no window that it judges by contains one.
func (j *Conditions) Check(now time.Time, s *runsummary.Summary) (endreason.Reason, string) {
	if n := len(s.Standstills); n > j.standstills {
		j.standstills, j.missedSince, j.history = n, nil, nil
	}
	hits := s.Hits
	hits.Shed -= min(hits.Shed, s.TotalStandstill().Hits)
	if why := j.checkErrors(now, hits); why != "" {
		return endreason.ErrorBrake, why
	}
	if why := j.checkThresholds(now, s.Thresholds); why != "" {
		return endreason.Threshold, why
	}
	return "", ""
}

func (j *Conditions) checkThresholds(now time.Time, verdicts []runsummary.Verdict) string {
	since := map[string]time.Time{}
	for _, v := range verdicts {
		if !threshold.IsMissed(v) {
			continue
		}
		begin, before := j.missedSince[v.Expression]
		if !before {
			begin = now
		}
		if j.Abort && now.Sub(begin) >= missedFor {
			return fmt.Sprintf(
				"the threshold %s was missed for %s: %s",
				v.Expression,
				missedFor,
				threshold.FormatValue(v),
			)
		}
		since[v.Expression] = begin
	}
	j.missedSince = since
	return ""
}

func (j *Conditions) checkErrors(now time.Time, hits runsummary.Hits) string {
	if j.MaxErrors <= 0 {
		return ""
	}
	j.history = append(j.history, snapshot{now, hits})
	for len(j.history) > 1 && now.Sub(j.history[1].at) >= threshold.BrakeWindow {
		j.history = j.history[1:]
	}
	old := j.history[0]
	if now.Sub(old.at) < threshold.BrakeWindow {
		return ""
	}
	hits = hits.Minus(old.hits)
	bad, ended := hits.NotAccepted(), hits.Tried()
	if ended < threshold.BrakeMinHits || float64(bad) <= j.MaxErrors*float64(ended) {
		return ""
	}
	percent := func(n uint64) float64 { return 100 * float64(n) / float64(ended) }
	return fmt.Sprintf("error brake: of %d hits that ended in the last minute %.1f %% were not accepted (rejected "+
		"%.1f %%, failed %.1f %%, unknown %.1f %%, shed %.1f %%), more than STOP_ERROR_SHARE=%g", ended, percent(bad),
		percent(hits.Rejected), percent(hits.Failed), percent(hits.Unknown), percent(hits.Shed), j.MaxErrors)
}
