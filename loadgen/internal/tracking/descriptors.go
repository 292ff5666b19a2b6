package tracking

import (
	"context"
	"errors"
	"slices"
	"syscall"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/wakeup"
)

// descriptorRetryDelay is how long a dial waits for a file descriptor when all are in use.
const descriptorRetryDelay = 10 * time.Millisecond

// isOutOfDescriptors reports whether this process, or its machine, can open no more connections.
func isOutOfDescriptors(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// freeDescriptor closes an idle connection of any target, or waits for other requests to end; false if ctx is done.
func (c *Client) freeDescriptor(ctx context.Context) bool {
	c.mu.Lock()
	targets := c.targets
	c.mu.Unlock()
	if slices.ContainsFunc(targets, (*Target).discardIdle) {
		return ctx.Err() == nil
	}
	return wakeup.Sleep(ctx, descriptorRetryDelay)
}

// discardIdle closes the connection that is idle longest; false if there is none.
func (t *Target) discardIdle() bool {
	t.mu.Lock()
	if len(t.idle) == 0 {
		t.mu.Unlock()
		return false
	}
	old := t.idle[0]
	t.idle = slices.Delete(t.idle, 0, 1)
	t.mu.Unlock()
	t.discard(old)
	return true
}
