package tracking

import (
	"context"
	"errors"
	"syscall"
	"time"
)

// roomPause is how long a connection waits for a descriptor where all are in use.
const roomPause = 10 * time.Millisecond

// exhausted says that this process, or its machine, can open no more connections.
func exhausted(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// makeRoom ends a connection that is not used, of whichever target, or waits for other requests to end; false once
// there is no time left.
func (c *Client) makeRoom(ctx context.Context) bool {
	c.mu.Lock()
	targets := c.targets
	c.mu.Unlock()
	for _, t := range targets {
		if t.dropIdle() {
			return ctx.Err() == nil
		}
	}
	pause := time.NewTimer(roomPause)
	defer pause.Stop()
	select {
	case <-pause.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// dropIdle ends the connection that is unused longest; false where there is none.
func (t *Target) dropIdle() bool {
	t.mu.Lock()
	if len(t.free) == 0 {
		t.mu.Unlock()
		return false
	}
	old := t.free[0]
	t.free = append(t.free[:0], t.free[1:]...)
	t.mu.Unlock()
	t.drop(old)
	return true
}
