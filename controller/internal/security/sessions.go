package security

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"log/slog"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/shared/secret"
)

// Store keeps sessions beyond a restart of the controller, and the audit log; see store.Store.
type Store interface {
	// Sessions are those that have not ended, by their hash.
	Sessions(ctx context.Context) (map[[sha256.Size]byte]time.Time, error)
	AddSession(ctx context.Context, hash [sha256.Size]byte, ends time.Time) error
	// ExtendSession moves the end of a session; one that was ended meanwhile stays so.
	ExtendSession(ctx context.Context, hash [sha256.Size]byte, ends time.Time) error
	DeleteSession(ctx context.Context, hash [sha256.Size]byte) error
	AddAuditEntry(ctx context.Context, e Entry) error
	// AuditEntries and Refusals are at most limit, newest first.
	AuditEntries(ctx context.Context, limit int) ([]Entry, error)
	SaveRefusals(ctx context.Context, refusals []Refusal) error
	Refusals(ctx context.Context, limit int) ([]Refusal, error)
}

const (
	// maxSessions is how many there can be; one more ends the one that was used longest ago.
	maxSessions = 1000
	// prolongEvery is how far the end of a session in use moves before the book is told: a write for each request would
	// be slow.
	prolongEvery = 10 * time.Minute
)

// sessions are who is signed in. They are kept by a hash under the API key, so that the database does not hold what
// opens the door, and another key ends them all.
type sessions struct {
	key   [sha256.Size]byte
	store Store
	now   func() time.Time
	log   *slog.Logger

	mu   sync.Mutex // guards what follows
	kept map[[sha256.Size]byte]*session
}

type session struct {
	hash [sha256.Size]byte
	// until is its end, and booked the end that the book knows.
	until, booked time.Time
	// ended is closed with the session.
	ended chan struct{}
}

// load takes over the sessions of an earlier life.
func (s *sessions) load(ctx context.Context) error {
	booked, err := s.store.Sessions(ctx)
	if err != nil {
		return err
	}
	for hash, until := range booked {
		s.kept[hash] = &session{hash, until, until, make(chan struct{})}
	}
	return nil
}

func (s *sessions) hash(text string) (sum [sha256.Size]byte) {
	mac := hmac.New(sha256.New, s.key[:])
	_, _ = mac.Write([]byte(text)) // never fails
	return [sha256.Size]byte(mac.Sum(nil))
}

// add begins a session.
func (s *sessions) add(ctx context.Context) secret.String {
	text := rand.Text() + rand.Text()
	until := s.now().Add(SessionTTL)
	added := &session{s.hash(text), until, until, make(chan struct{})}
	s.mu.Lock()
	oldest := s.endOld()
	if len(s.kept) < maxSessions {
		oldest = nil
	} else {
		s.end(oldest)
	}
	s.kept[added.hash] = added
	s.mu.Unlock()
	if oldest != nil {
		s.failed(ctx, s.store.DeleteSession(ctx, oldest.hash))
	}
	s.failed(ctx, s.store.AddSession(ctx, added.hash, until))
	return secret.String(text)
}

// use is the session of a cookie, prolonged; nil where there is none.
func (s *sessions) use(ctx context.Context, text string) *session {
	hash := s.hash(text)
	s.mu.Lock()
	found := s.kept[hash]
	now := s.now()
	if found == nil || !now.Before(found.until) {
		s.mu.Unlock()
		return nil
	}
	found.until = now.Add(SessionTTL)
	until := found.until
	prolong := until.Sub(found.booked) >= prolongEvery
	if prolong {
		found.booked = until
	}
	s.mu.Unlock()
	if prolong {
		s.failed(ctx, s.store.ExtendSession(ctx, hash, until))
	}
	return found
}

// leave ends the session of a cookie.
func (s *sessions) leave(ctx context.Context, text string) {
	hash := s.hash(text)
	s.mu.Lock()
	if found := s.kept[hash]; found != nil {
		s.end(found)
	}
	s.mu.Unlock()
	s.failed(ctx, s.store.DeleteSession(ctx, hash))
}

// sweep ends what is over.
func (s *sessions) sweep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endOld()
}

// endOld ends what is over and returns the session that ends next.
func (s *sessions) endOld() (next *session) {
	for _, each := range s.kept {
		if !s.now().Before(each.until) {
			s.end(each)
		} else if next == nil || each.until.Before(next.until) {
			next = each
		}
	}
	return next
}

func (s *sessions) end(gone *session) {
	delete(s.kept, gone.hash)
	close(gone.ended)
}

// failed logs what the book could not write: the session holds until the next restart all the same.
func (s *sessions) failed(ctx context.Context, err error) {
	if err != nil {
		s.log.ErrorContext(ctx, "a session cannot be written", "err", err)
	}
}
