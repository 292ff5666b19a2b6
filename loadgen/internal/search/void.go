package search

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/wakeup"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/threshold"
)

const (
	// maxVoid consecutive void measurements abort the search.
	maxVoid = 3
	// maxRecovery is how long a failed target may take to recover: a little more than the longest wait between two
	// probes (package routing).
	maxRecovery = 70 * time.Second
)

// voidReason returns why the measurement of a step is void, or "". It is void if the loadgen stood still, or if the
// step failed only because of hits refused by a server in front of Matomo, refused for their token, or not sent because
// the target was marked failed.
func (c *Search) voidReason(reasons []ledger.Reason, v threshold.Values, held, stoodStill bool) string {
	if stoodStill {
		return "the loadgen stood still"
	}
	var refused, unsent uint64
	var worst ledger.Reason
	for _, r := range reasons {
		switch r.Answer.Class {
		case answer.InFront, answer.Token:
			refused += r.Hits
		case answer.Breaker:
			unsent += r.Hits
		default:
			continue
		}
		if worst.Hits == 0 || r.Answer.Class != answer.Breaker &&
			(r.Hits > worst.Hits || worst.Answer.Class == answer.Breaker) {
			worst = r
		}
	}
	if held || refused+unsent == 0 {
		return ""
	}
	v.Hits.Rejected -= min(refused, v.Hits.Rejected)
	v.Hits.Shed -= min(unsent, v.Hits.Shed)
	if c.missedWithout(v) {
		return ""
	}
	if refused == 0 {
		return fmt.Sprintf("%s was marked failed and %d hits were not sent (%s): %s",
			c.targets[worst.Target], unsent, answer.Breaker, c.router.Status(worst.Target, time.Now()).LastError)
	}
	a := worst.Answer
	said := runsummary.Reason{Class: a.Class.String(), Status: a.Status, Server: a.Server, Excerpt: a.Excerpt}
	return fmt.Sprintf("%d hits to %s were refused (%s): %s", refused, c.targets[worst.Target], a.Class, said)
}

// missedWithout reports whether a threshold is missed by the values of a step without hits that were refused or not
// sent. Metrics that these hits lower are ignored.
func (c *Search) missedWithout(v threshold.Values) bool {
	return slices.ContainsFunc(threshold.Evaluate(c.thresholds, v, true), func(v runsummary.Verdict) bool {
		lowered := slices.Contains([]string{"achieved_rate", "hit_rate", "visits", "accepted"}, v.Metric)
		return threshold.IsMissed(v) && v.Value != nil && !lowered
	})
}

// waitForTargets sends visits at the lowest rate while a target is marked failed, so that it can recover before the
// next step. It returns false if ctx was done first.
func (c *Search) waitForTargets(ctx context.Context) bool {
	failed := func() bool {
		for t := range c.targets {
			if c.router.Status(t, time.Now()).Failed {
				return true
			}
		}
		return false
	}
	if !failed() {
		return true
	}
	c.engine.SetRate(1)
	c.engine.Pause(false)
	c.rate = c.result.From
	for end := time.Now().Add(maxRecovery); failed() && time.Now().Before(end); {
		if !wakeup.Sleep(ctx, time.Second) {
			return false
		}
	}
	return true
}

// abort records that the search ended at a step that could not be measured.
func (c *Search) abort(s runsummary.CapacityStep) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.result.Void = fmt.Sprintf("%d consecutive measurements at %.4g visits/s were void: %s", maxVoid,
		s.OfferedVisitRate, s.Void)
}
