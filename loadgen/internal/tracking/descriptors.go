package tracking

import (
	"context"
	"errors"
	"syscall"
	"time"
)

// descriptorRetryDelay is how long a connection waits for a descriptor where all are in use.
const descriptorRetryDelay = 10 * time.Millisecond

// isOutOfDescriptors says that this process, or its machine, can open no more connections.
func isOutOfDescriptors(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// freeDescriptor ends a connection that is not used, of whichever target, or waits for other requests to end; false once
// there is no time left.
func (c *Client) freeDescriptor(ctx context.Context) bool {
	c.mu.Lock()
	targets := c.targets
	c.mu.Unlock()
	for _, t := range targets {
		if t.discardIdle() {
			return ctx.Err() == nil
		}
	}
	pause := time.NewTimer(descriptorRetryDelay)
	defer pause.Stop()
	select {
	case <-pause.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// discardIdle ends the connection that is unused longest; false where there is none.
func (t *Target) discardIdle() bool {
	t.mu.Lock()
	if len(t.idle) == 0 {
		t.mu.Unlock()
		return false
	}
	old := t.idle[0]
	t.idle = append(t.idle[:0], t.idle[1:]...)
	t.mu.Unlock()
	t.discard(old)
	return true
}
