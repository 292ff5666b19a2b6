// Package stop owns the conditions under which a run's own hits end it early: a missed threshold and the error brake.
// It evaluates run summaries; it reads no clock and stops nothing itself.
package stop

import (
	"fmt"
	"time"

	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/threshold"
)

// missedFor is how long a threshold must have failed to end a run: values fluctuate after a start.
const missedFor = 10 * time.Second

// Conditions evaluates the summaries of one run, in order of time.
type Conditions struct {
	// Abort ends the run when a threshold fails.
	Abort bool
	// MaxErrors is the share of hits not accepted that triggers the error brake; 0 disables it.
	MaxErrors float64

	standstills int                  // seen so far
	missedSince map[string]time.Time // by expression
	history     []snapshot           // of the brake's window, oldest first; the first may be older
}

type snapshot struct {
	at   time.Time
	hits runsummary.Hits
}

// Check returns why the run must stop, as a reason and a message, or "" if it must not. A standstill resets the
// conditions, so that they never evaluate a period that contains one.
func (c *Conditions) Check(now time.Time, s *runsummary.Summary) (endreason.Reason, string) {
	if n := len(s.Standstills); n > c.standstills {
		c.standstills, c.missedSince, c.history = n, nil, nil
	}
	hits := s.Hits
	hits.Shed -= min(hits.Shed, s.TotalStandstill().Hits)
	if message := c.checkErrors(now, hits); message != "" {
		return endreason.ErrorBrake, message
	}
	if message := c.checkThresholds(now, s.Thresholds); message != "" {
		return endreason.Threshold, message
	}
	return "", ""
}

func (c *Conditions) checkThresholds(now time.Time, verdicts []runsummary.Verdict) string {
	since := map[string]time.Time{}
	for _, v := range verdicts {
		if !threshold.IsMissed(v) {
			continue
		}
		first, ok := c.missedSince[v.Expression]
		if !ok {
			first = now
		}
		if c.Abort && now.Sub(first) >= missedFor {
			return fmt.Sprintf("threshold %s failed for %s: %s", v.Expression, missedFor, threshold.FormatValue(v))
		}
		since[v.Expression] = first
	}
	c.missedSince = since
	return ""
}

func (c *Conditions) checkErrors(now time.Time, hits runsummary.Hits) string {
	if c.MaxErrors <= 0 {
		return ""
	}
	c.history = append(c.history, snapshot{now, hits})
	for len(c.history) > 1 && now.Sub(c.history[1].at) >= threshold.BrakeWindow {
		c.history = c.history[1:]
	}
	oldest := c.history[0]
	if now.Sub(oldest.at) < threshold.BrakeWindow {
		return ""
	}
	hits = hits.Minus(oldest.hits)
	bad, ended := hits.NotAccepted(), hits.Tried()
	if ended < threshold.BrakeMinHits || float64(bad) <= c.MaxErrors*float64(ended) {
		return ""
	}
	percent := func(n uint64) float64 { return 100 * float64(n) / float64(ended) }
	return fmt.Sprintf("error brake: %.1f %% of %d hits in the last minute were not accepted (rejected %.1f %%, "+
		"failed %.1f %%, unknown %.1f %%, shed %.1f %%), more than STOP_ERROR_SHARE=%g", percent(bad), ended,
		percent(hits.Rejected), percent(hits.Failed), percent(hits.Unknown), percent(hits.Shed), c.MaxErrors)
}
