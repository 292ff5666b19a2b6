package security_test

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"strings"
	"testing"
)

func TestEveryChangeIsBookedAndRefusalsApart(t *testing.T) {
	t.Parallel()
	w := newWall(100)
	w.ask("GET", "X-API-Key", key)
	w.ask("POST", "X-API-Key", key)
	w.ask("DELETE", "Cookie", w.session(t))
	w.askAt("/api/session", "POST", "Try-Code", w.NewSignInCode().Reveal())
	// of a stranger who has no key, of one who tries many, and of a page that somebody with a session looks at
	for range 20 {
		w.ask("POST")
		w.ask("POST", "X-API-Key", "wrong", "From", "192.0.2.9:1")
		w.ask("GET", "X-API-Key", "wrong", "From", "192.0.2.9:1")
		w.askAt("/api/session", "POST", "Try-Key", "wrong", "From", "192.0.2.9:1")
	}
	w.ask("POST", "Cookie", w.session(t), "Origin", "http://localhost:9000")
	var got []string
	for _, e := range w.store.entries {
		got = append(got, e.Address+" "+e.Action+" "+e.Detail)
	}
	signIn := "192.0.2.1 POST /api/session 200 by key"
	want := "192.0.2.1 POST /api/x 204 by key, " + signIn +
		", 192.0.2.1 DELETE /api/x 204 by session, 192.0.2.1 POST /api/session 200 by code, " + signIn
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
	w.WriteRefusals(t.Context())
	tries := map[string]int{}
	for _, r := range w.store.refusals {
		tries[fmt.Sprintf("%s %s %d", r.Address, r.Action, r.Status)] = r.Tries
	}
	refusals := map[string]int{
		"192.0.2.9 POST /api/x 403": 4, "192.0.2.9 POST /api/x 429": 16, "192.0.2.9 GET /api/x 403": 3,
		"192.0.2.9 GET /api/x 429":        17,
		"192.0.2.9 POST /api/session 403": 3, "192.0.2.9 POST /api/session 429": 17, "192.0.2.1 POST /api/x 403": 1,
	}
	if !maps.Equal(tries, refusals) {
		t.Errorf("got  %v\nwant %v", tries, refusals)
	}
}

func TestRefusalsAreCountedInLittleMemoryUntilTheyCanBeWritten(t *testing.T) {
	t.Parallel()
	w := newWall(100)
	w.store.err = errors.New("full")
	for i := range 3000 {
		w.ask("GET", "X-API-Key", "wrong", "From",
			netip.AddrFrom4([4]byte{192, 0, byte(i >> 8), byte(i)}).String()+":1")
	}
	w.WriteRefusals(t.Context())
	w.store.err = nil
	w.WriteRefusals(t.Context())
	sum := 0
	for _, r := range w.store.refusals {
		sum += r.Tries
	}
	if sum != 3000 || len(w.store.refusals) > 1001 {
		t.Errorf("%d tries in %d rows", sum, len(w.store.refusals))
	}
}
