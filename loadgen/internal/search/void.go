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
	// maxVoid is how many measurements in a row may be void until the search is given up.
	maxVoid = 3
	// maxRecovery is how long a target that counts as failed may take to prove itself: a little more than the longest
	// time between two tries (routing).
	maxRecovery = 70 * time.Second
)

// voidReason is why a step says nothing of the target, empty where it does: the loadgen stood still in it, or it broke only
// because of hits that something in front of Matomo refused, that were refused for their token, or that were not sent
// because the target counted as failed.
func (c *Search) voidReason(reasons []ledger.Reason, v threshold.Values, held, stood bool) string {
	if stood {
		return "the loadgen itself stood still"
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
		return fmt.Sprintf("%s counted as failed, and %d hits were not sent (%s): %s",
			c.targets[worst.Target], unsent, answer.Breaker, c.router.Status(worst.Target, time.Now()).LastError)
	}
	a := worst.Answer
	said := runsummary.Reason{Class: a.Class.String(), Status: a.Status, Server: a.Server, Excerpt: a.Excerpt}
	return fmt.Sprintf("%d hits to %s were refused (%s): %s", refused, c.targets[worst.Target], a.Class, said)
}

// missedWithout says whether a threshold is missed by what is left of a step without hits that were refused or not sent.
// What they keep low for themselves says nothing.
func (c *Search) missedWithout(v threshold.Values) bool {
	return slices.ContainsFunc(threshold.Evaluate(c.thresholds, v, true), func(v runsummary.Verdict) bool {
		low := slices.Contains([]string{"achieved_rate", "hit_rate", "visits", "accepted"}, v.Metric)
		return threshold.IsMissed(v) && v.Value != nil && !low
	})
}

// waitForTargets lets visits begin at the lowest rate where a target counts as failed, so that it can prove itself before the
// next step; false where ctx was done before.
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

// abort ends the search at a step that could not be measured.
func (c *Search) abort(s runsummary.CapacityStep) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.result.Void = fmt.Sprintf("%d measurements in a row at %.4g visits/s say nothing of the target: %s", maxVoid,
		s.OfferedVisitRate, s.Void)
}
