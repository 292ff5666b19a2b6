package security

import (
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limiter is a token bucket for each name: perMinute at once, refilled evenly over a minute.
type limiter struct {
	perMinute int
	now       func() time.Time
	mu        sync.Mutex
	buckets   map[string]*bucket
}

type bucket struct {
	tokens *rate.Limiter
	used   time.Time
}

func newLimiter(perMinute int, now func() time.Time) *limiter {
	return &limiter{perMinute: perMinute, now: now, buckets: map[string]*bucket{}}
}

// budget is what a name has left.
type budget struct {
	ok    bool
	limit int
	left  int
	// reset is when the bucket is full again, retry when one more passes.
	reset, retry time.Duration
}

// take takes n of name's tokens; 0 only looks whether there is one.
func (l *limiter) take(name string, n int) budget {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buckets[name]
	if b == nil {
		evict(l.buckets, now, func(b *bucket) time.Time { return b.used.Add(time.Minute) })
		b = &bucket{tokens: rate.NewLimiter(rate.Limit(float64(l.perMinute)/60), l.perMinute)}
		l.buckets[name] = b
	}
	b.used = now
	ok := b.tokens.TokensAt(now) >= 1
	if ok && n > 0 {
		ok = b.tokens.AllowN(now, n)
	}
	left := max(b.tokens.TokensAt(now), 0)
	each := time.Minute / time.Duration(l.perMinute)
	return budget{
		ok: ok, limit: l.perMinute, left: int(left),
		reset: time.Duration((float64(l.perMinute) - left) * float64(each)),
		retry: time.Duration(math.Max(0, 1-left) * float64(each)),
	}
}
