package tracking

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/wakeup"
)

const (
	// maxIdle is how long an unused connection is kept. It is below the 5 s after which Apache closes it, because a
	// request that is sent just then is lost as unknown.
	maxIdle = 4 * time.Second
	// checkAfterIdle is how long a connection may be unused before it is checked: the server may have closed it.
	checkAfterIdle = 20 * time.Millisecond
	// descriptorRetryDelay is how long a dial waits for a file descriptor when all are in use.
	descriptorRetryDelay = 10 * time.Millisecond
)

// pool has the connections of a target that are not in use.
type pool struct {
	// alwaysCheck is set once a connection broke as soon as it was reused: some servers close without notice.
	alwaysCheck atomic.Bool

	mu   sync.Mutex
	idle []*conn // least recently used first
}

// popOldest removes the connection that is idle longest if it was last used before a time, nil for none. Callers lock
// mu.
func (p *pool) popOldest(before time.Time) *conn {
	if len(p.idle) == 0 || !p.idle[0].lastUsed.Before(before) {
		return nil
	}
	old := p.idle[0]
	p.idle = slices.Delete(p.idle, 0, 1)
	return old
}

// acquire returns the idle connection that was used last, if it is still good, or a new one.
func (t *Target) acquire(now time.Time) (*conn, error) {
	for {
		t.mu.Lock()
		n := len(t.idle) - 1
		if n < 0 {
			t.mu.Unlock()
			return t.dial(now)
		}
		c := t.idle[n]
		t.idle = t.idle[:n]
		t.mu.Unlock()
		unused := now.Sub(c.lastUsed)
		if unused < maxIdle && (unused < checkAfterIdle && !t.alwaysCheck.Load() || c.isIdle()) {
			return c, nil
		}
		t.discard(c)
	}
}

func (t *Target) dial(now time.Time) (*conn, error) {
	ctx, cancel := context.WithDeadline(t.client.dialContext, now.Add(t.client.options.Timeout))
	defer cancel()
	plain, secured, err := t.route.dial(ctx)
	for isOutOfDescriptors(err) && t.client.freeDescriptor(ctx) {
		var again error
		if plain, secured, again = t.route.dial(ctx); again == nil || ctx.Err() == nil {
			err = again
		} // else the time was spent waiting for a descriptor, which is no failure of the target
	}
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: secured, plain: plain, timeout: t.client.options.Timeout}
	t.client.mu.Lock()
	t.client.opened++
	c.expires = now.Add(lifetime(t.client.opened))
	t.client.open[c] = struct{}{}
	t.client.mu.Unlock()
	return c, nil
}

// release makes a connection available again until it expires. It discards the one that is idle longest if that is too
// long: a connection that is not needed is closed within a few requests.
func (t *Target) release(c *conn) {
	now := time.Now()
	if now.After(c.expires) {
		t.discard(c)
		return
	}
	c.lastUsed = now
	t.mu.Lock()
	old := t.popOldest(now.Add(-maxIdle))
	t.idle = append(t.idle, c)
	t.mu.Unlock()
	t.discard(old)
}

// discard closes a connection, unless it is nil.
func (t *Target) discard(c *conn) {
	if c == nil {
		return
	}
	t.client.mu.Lock()
	delete(t.client.open, c)
	t.client.mu.Unlock()
	c.close()
}

// isOutOfDescriptors reports whether this process, or its machine, can open no more connections.
func isOutOfDescriptors(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// freeDescriptor closes an idle connection of any target, or waits for other requests to end; false if ctx is done.
func (c *Client) freeDescriptor(ctx context.Context) bool {
	c.mu.Lock()
	targets := c.targets
	c.mu.Unlock()
	for _, t := range targets {
		t.mu.Lock()
		old := t.popOldest(time.Now().Add(maxIdle))
		t.mu.Unlock()
		if old != nil {
			t.discard(old)
			return ctx.Err() == nil
		}
	}
	return wakeup.Sleep(ctx, descriptorRetryDelay)
}
