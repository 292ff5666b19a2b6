package security_test

import (
	"context"
	"crypto/sha256"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/security"
	"github.com/puttrix/trafficinator/controller/internal/store"
)

// book is in memory.
type book struct {
	sessions map[[sha256.Size]byte]time.Time
	refusals []store.Refusal
	err      error
}

// Sessions implements security.Book.
func (b *book) Sessions(context.Context) (map[[sha256.Size]byte]time.Time, error) {
	return maps.Clone(b.sessions), nil
}

// AddSession implements security.Book.
func (b *book) AddSession(_ context.Context, hash [sha256.Size]byte, ends time.Time) error {
	b.sessions[hash] = ends
	return b.err
}

// ProlongSession implements security.Book.
func (b *book) ProlongSession(_ context.Context, hash [sha256.Size]byte, ends time.Time) error {
	if _, there := b.sessions[hash]; there {
		b.sessions[hash] = ends
	}
	return b.err
}

// EndSession implements security.Book.
func (b *book) EndSession(_ context.Context, hash [sha256.Size]byte) error {
	delete(b.sessions, hash)
	return b.err
}

// SaveRefusals implements security.Book.
func (b *book) SaveRefusals(_ context.Context, refusals []store.Refusal) error {
	if b.err == nil {
		b.refusals = append(b.refusals, refusals...)
	}
	return b.err
}

func TestSessionsSurviveARestartButNotAnotherKey(t *testing.T) {
	t.Parallel()
	w := newWall(100)
	stays, leaves := w.session(t), w.session(t)
	_, value, _ := strings.Cut(stays, "=")
	if _, there := w.book.sessions[sha256.Sum256([]byte(value))]; there {
		t.Error("the book holds a hash that whoever reads it can try out without the key")
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
	if got := len(w.book.sessions); got != 1000 {
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
	code := w.NewCode().Reveal()
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
