package security

import (
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/puttrix/trafficinator/shared/secret"
)

// limiter has a token bucket per name: perMinute at once, refilled evenly over a minute.
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

// budget is how much of a limit remains.
type budget struct {
	ok    bool
	limit int
	left  int
	// reset is when the bucket is full again, retry when the next request is allowed.
	reset, retry time.Duration
}

// take takes n of name's tokens; 0 only checks for one.
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
		retry: time.Duration(max(0, 1-left) * float64(each)),
	}
}

// codeStore keeps the expiry of sign-in codes by their hash, so that neither a memory dump nor timing reveals one.
type codeStore struct {
	ttl  time.Duration
	now  func() time.Time
	mu   sync.Mutex
	kept map[[sha256.Size]byte]time.Time
}

func newCodeStore(ttl time.Duration, now func() time.Time) *codeStore {
	return &codeStore{ttl: ttl, now: now, kept: map[[sha256.Size]byte]time.Time{}}
}

func (s *codeStore) add() secret.String {
	text := rand.Text() + rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	evict(s.kept, s.now(), func(until time.Time) time.Time { return until })
	s.kept[sha256.Sum256([]byte(text))] = s.now().Add(s.ttl)
	return secret.String(text)
}

// take reports whether text is a valid code, and removes it.
func (s *codeStore) take(text string) bool {
	sum := sha256.Sum256([]byte(text))
	s.mu.Lock()
	defer s.mu.Unlock()
	until, ok := s.kept[sum]
	delete(s.kept, sum)
	return ok && s.now().Before(until)
}

// evict removes expired entries from a full map, and if that is not enough the one that expires first.
func evict[K comparable, V any](kept map[K]V, now time.Time, until func(V) time.Time) {
	if len(kept) < maxKept {
		return
	}
	var first K
	var at time.Time
	for k, v := range kept {
		end := until(v)
		if !now.Before(end) {
			delete(kept, k)
		} else if at.IsZero() || end.Before(at) {
			first, at = k, end
		}
	}
	if len(kept) >= maxKept {
		delete(kept, first)
	}
}
