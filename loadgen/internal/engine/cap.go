package engine

import (
	"time"

	"github.com/puttrix/trafficinator/shared/runsummary"
)

// Cap limits the visits that start in each window.
type Cap struct {
	limit, block, used uint64
	state              runsummary.Cap
	save               func(runsummary.Cap) error
}

// NewCap continues from a stored state. save stores the state durably; limit is above 0.
func NewCap(limit uint64, state runsummary.Cap, save func(runsummary.Cap) error) *Cap {
	return &Cap{limit: limit, block: max(1, limit/100), used: min(limit, state.Reserved), state: state, save: save}
}

// Take lets one visit start at now. If the cap is reached, it returns when the next window begins. An error is that of
// save: the visit may not start, because a restart would not count it.
func (c *Cap) Take(now time.Time) (ok bool, resume time.Time, err error) {
	if end := c.state.WindowStart.Add(runsummary.CapWindow); c.state.WindowStart.IsZero() || !now.Before(end) {
		c.state, c.used = runsummary.Cap{WindowStart: now}, 0
	}
	if c.used >= c.limit {
		return false, c.state.WindowStart.Add(runsummary.CapWindow), nil
	}
	if c.used >= c.state.Reserved {
		next := runsummary.Cap{WindowStart: c.state.WindowStart, Reserved: min(c.limit, c.used+c.block)}
		if err := c.save(next); err != nil {
			return false, time.Time{}, err
		}
		c.state = next
	}
	c.used++
	return true, time.Time{}, nil
}

// remaining returns how many visits may still start in the current window.
func (c *Cap) remaining() uint64 { return c.limit - c.used }

// Release returns what was reserved and not used. It does nothing for a nil Cap.
func (c *Cap) Release() error {
	if c == nil || c.state.WindowStart.IsZero() || c.state.Reserved == c.used {
		return nil
	}
	c.state.Reserved = c.used
	return c.save(c.state)
}
