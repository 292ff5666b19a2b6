package security

import (
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/shared/secret"
)

// codeStore keeps sign-in codes by their hash, so that neither a memory dump nor a timing tells one.
type codeStore struct {
	ttl  time.Duration
	now  func() time.Time
	mu   sync.Mutex
	kept map[[sha256.Size]byte]time.Time // until when
}

func newCodeStore(ttl time.Duration, now func() time.Time) *codeStore {
	return &codeStore{ttl: ttl, now: now, kept: map[[sha256.Size]byte]time.Time{}}
}

func (v *codeStore) add() secret.String {
	text := rand.Text() + rand.Text()
	v.mu.Lock()
	defer v.mu.Unlock()
	evict(v.kept, v.now(), func(until time.Time) time.Time { return until })
	v.kept[sha256.Sum256([]byte(text))] = v.now().Add(v.ttl)
	return secret.String(text)
}

// take tells whether text is kept, and forgets it.
func (v *codeStore) take(text string) bool {
	sum := sha256.Sum256([]byte(text))
	v.mu.Lock()
	defer v.mu.Unlock()
	until, ok := v.kept[sum]
	delete(v.kept, sum)
	return ok && v.now().Before(until)
}

// evict drops what has ended from a map that is full, and where that is not enough the entry that ends first.
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
