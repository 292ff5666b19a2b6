package tracking

import (
	"context"
	"time"

	"github.com/puttrix/trafficinator/shared/answer"
)

// Pending is a request that has timed out while its server may still be working on it.
type Pending interface {
	// Wait waits for the answer until limit or ctx is done; false if none came. It must be called once.
	Wait(ctx context.Context, limit time.Duration) (answer.Answer, bool)
}

type pending struct {
	target *Target
	conn   *conn
	parse  func(*answer.Raw) answer.Answer
}

// Wait implements Pending.
func (p pending) Wait(ctx context.Context, limit time.Duration) (answer.Answer, bool) {
	c := p.conn
	defer p.target.discard(c)
	_ = c.SetReadDeadline(time.Now().Add(limit)) // only fails on a closed connection, as the read will
	defer context.AfterFunc(ctx, c.interrupt)()
	if p.target.client.aborted.Load() { // after the deadline was set, so that none is missed
		c.interrupt()
	}
	_ = c.read() // the head shows whether an answer came
	if !c.response.hasHead {
		return answer.Answer{}, false
	}
	c.response.Secrets = p.target.secrets
	return p.parse(&c.response.Raw), true
}
