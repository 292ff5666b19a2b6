package security_test

import (
	"context"
	"crypto/sha256"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/security"
)

// memory is a Store in memory.
type memory struct {
	sessions map[[sha256.Size]byte]time.Time
	refusals []security.Refusal
	entries  []security.Entry
	err      error
}

// Sessions implements security.Store.
func (m *memory) Sessions(context.Context) (map[[sha256.Size]byte]time.Time, error) {
	return maps.Clone(m.sessions), nil
}

// AddSession implements security.Store.
func (m *memory) AddSession(_ context.Context, hash [sha256.Size]byte, ends time.Time) error {
	m.sessions[hash] = ends
	return m.err
}

// ExtendSession implements security.Store.
func (m *memory) ExtendSession(_ context.Context, hash [sha256.Size]byte, ends time.Time) error {
	if _, there := m.sessions[hash]; there {
		m.sessions[hash] = ends
	}
	return m.err
}

// DeleteSession implements security.Store.
func (m *memory) DeleteSession(_ context.Context, hash [sha256.Size]byte) error {
	delete(m.sessions, hash)
	return m.err
}

// AddAuditEntry implements security.Store.
func (m *memory) AddAuditEntry(_ context.Context, e security.Entry) error {
	m.entries = append(m.entries, e)
	return nil
}

// AuditEntries implements security.Store.
func (m *memory) AuditEntries(context.Context, int) ([]security.Entry, error) { return m.entries, nil }

// Refusals implements security.Store.
func (m *memory) Refusals(context.Context, int) ([]security.Refusal, error) { return m.refusals, nil }

// SaveRefusals implements security.Store.
func (m *memory) SaveRefusals(_ context.Context, refusals []security.Refusal) error {
	if m.err == nil {
		m.refusals = append(m.refusals, refusals...)
	}
	return m.err
}

func TestSessionsSurviveARestartButNotAnotherKey(t *testing.T) {
	t.Parallel()
	w := newWall(100)
	stays, leaves := w.session(t), w.session(t)
	_, value, _ := strings.Cut(stays, "=")
	if _, there := w.store.sessions[sha256.Sum256([]byte(value))]; there {
		t.Error("the store holds a hash that whoever reads it can try out without the key")
	}
	w.now = w.now.Add(security.SessionTTL / 2)
	w.ask("GET", "Cookie", stays)
	w.askAt("/api/session", "DELETE", "Cookie", leaves)
	w.now = w.now.Add(security.SessionTTL - time.Minute)
	w.restart(100)
	if got := w.ask("GET", "Cookie", stays).Code; got != 204 {
		t.Errorf("its use before the restart has not prolonged it: %d", got)
	}
	if got := w.ask("GET", "Cookie", leaves).Code; got != 401 {
		t.Errorf("signed out before the restart: %d", got)
	}
	w.key = "another key of this test"
	w.restart(100)
	if got := w.ask("GET", "Cookie", stays).Code; got != 401 {
		t.Errorf("after another key: %d", got)
	}
}

func TestWhatGoesOnEndsWithItsSession(t *testing.T) {
	t.Parallel()
	w := newWall(100)
	over := func() bool {
		select {
		case <-w.ended:
			return true
		default:
			return false
		}
	}
	cookie := w.session(t)
	w.ask("GET", "Cookie", cookie)
	stream := w.ended
	w.askAt("/api/session", "DELETE", "Cookie", cookie)
	if w.ended = stream; !over() {
		t.Error("it goes on after signing out")
	}
	w.ask("GET", "Cookie", w.session(t))
	w.now = w.now.Add(security.SessionTTL - time.Second)
	if w.Sweep(t.Context()); over() {
		t.Error("it ends before its session")
	}
	w.now = w.now.Add(time.Second)
	if w.Sweep(t.Context()); !over() {
		t.Error("it goes on after the end of its session")
	}
	w.ask("GET", "X-API-Key", key)
	if w.ended != nil {
		t.Error("a key has an end")
	}
}

func TestSessionsAreFew(t *testing.T) {
	t.Parallel()
	w := newWall(10_000)
	first := w.session(t)
	for range 59 {
		w.session(t)
	}
	if got := w.askAt("/api/session", "POST", "Try-Key", key); got.Code != 429 ||
		got.Header().Get("Retry-After") != "1" {
		t.Errorf("the 61st in a minute: %d", got.Code)
	}
	for range 17 {
		w.now = w.now.Add(time.Minute)
		for range 60 {
			w.session(t)
		}
		w.ask("GET", "Cookie", first)
	}
	if got := len(w.store.sessions); got != 1000 {
		t.Errorf("%d sessions are kept", got)
	}
	if got := w.ask("GET", "Cookie", first).Code; got != 204 {
		t.Errorf("one that is in use gave way: %d", got)
	}
}

// Each session has a budget of its own, so that nobody may begin any number of them.
func TestALimitOfNewSessionsUsesUpNoCode(t *testing.T) {
	t.Parallel()
	w := newWall(100)
	code := w.NewSignInCode().Reveal()
	for i := 0; ; i++ {
		got := w.askAt("/api/session", "POST", "Try-Key", key)
		if got.Code == 429 {
			break
		}
		if i == 100 {
			t.Fatal("no limit is met")
		}
	}
	if got := w.askAt("/api/session", "POST", "Try-Code", code); got.Code != 429 {
		t.Errorf("one more session is answered %d", got.Code)
	}
	w.now = w.now.Add(time.Minute)
	if got := w.askAt("/api/session", "POST", "Try-Code", code); got.Code >= 300 {
		t.Errorf("a minute later the code is answered %d", got.Code)
	}
}
