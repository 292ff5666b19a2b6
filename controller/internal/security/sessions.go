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

// Store keeps sessions and the audit log across restarts; see store.Store.
type Store interface {
	// Sessions returns the expiry of those that have not expired, by hash.
	Sessions(ctx context.Context) (map[[sha256.Size]byte]time.Time, error)
	AddSession(ctx context.Context, hash [sha256.Size]byte, ends time.Time) error
	// ExtendSession moves the expiry of a session, if it still exists.
	ExtendSession(ctx context.Context, hash [sha256.Size]byte, ends time.Time) error
	DeleteSession(ctx context.Context, hash [sha256.Size]byte) error
	AddAuditEntry(ctx context.Context, e Entry) error
	// AuditEntries and Refusals return at most limit, newest first.
	AuditEntries(ctx context.Context, limit int) ([]Entry, error)
	SaveRefusals(ctx context.Context, refusals []Refusal) error
	Refusals(ctx context.Context, limit int) ([]Refusal, error)
}

const (
	// maxSessions is the maximum number of sessions; one more ends the least recently used.
	maxSessions = 1000
	// prolongEvery is how far the expiry of a session moves before it is saved: a write per request would be slow.
	prolongEvery = 10 * time.Minute
)

// sessions keeps sessions by an HMAC under the API key, so that the database contains no credentials, and another key
// ends them all.
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
	// until is its expiry, and saved the one in the store.
	until, saved time.Time
	// ended is closed with the session.
	ended chan struct{}
}

// load reads the sessions of an earlier start.
func (s *sessions) load(ctx context.Context) error {
	saved, err := s.store.Sessions(ctx)
	for hash, until := range saved {
		s.kept[hash] = &session{hash, until, until, make(chan struct{})}
	}
	return err
}

func (s *sessions) hash(text string) (sum [sha256.Size]byte) {
	mac := hmac.New(sha256.New, s.key[:])
	_, _ = mac.Write([]byte(text)) // never fails
	return [sha256.Size]byte(mac.Sum(nil))
}

// add starts a session.
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

// use returns the session of a cookie and prolongs it, or nil.
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
	prolong := until.Sub(found.saved) >= prolongEvery
	if prolong {
		found.saved = until
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

// sweep ends expired sessions.
func (s *sessions) sweep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endOld()
}

// endOld ends expired sessions and returns the one that expires next.
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

// failed logs a failed write: the session is valid until the next restart all the same.
func (s *sessions) failed(ctx context.Context, err error) {
	if err != nil {
		s.log.ErrorContext(ctx, "a session cannot be written", "err", err)
	}
}
