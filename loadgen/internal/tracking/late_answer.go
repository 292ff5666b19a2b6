package tracking

import (
	"context"
	"time"

	"github.com/puttrix/trafficinator/shared/answer"
)

// Pending is a request whose time is over while its server may still be at work on it.
type Pending interface {
	// Wait waits for the answer, no longer than limit or until ctx is done; false where none came. It must be called,
	// once.
	Wait(ctx context.Context, limit time.Duration) (answer.Answer, bool)
}

// pending implements Pending.
type pending struct {
	target *Target
	conn   *conn
	judge  func(*answer.Raw) answer.Answer
}

// Wait implements Pending.
func (p pending) Wait(ctx context.Context, limit time.Duration) (answer.Answer, bool) {
	c := p.conn
	defer p.target.discard(c)
	_ = c.SetReadDeadline(time.Now().Add(limit)) // fails on a closed connection alone, as the read then will
	stopWatching := context.AfterFunc(ctx, c.interrupt)
	defer stopWatching()
	if p.target.client.aborted.Load() { // after the deadline was set, so that none is missed
		c.interrupt()
	}
	_ = c.read() // the head says whether an answer came
	if !c.response.hasHead {
		return answer.Answer{}, false
	}
	c.response.Secrets = p.target.secrets
	return p.judge(&c.response.Raw), true
}
