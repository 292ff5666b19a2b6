// Package security owns who may talk to the controller: the API key, sign-in codes and sessions, the allowed hosts and
// origins, the limits, and the headers of every answer. It does not know what any route does.
package security

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"log/slog"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/secret"
)

// Config is what the settings say.
type Config struct {
	// Key is the API key, any bytes.
	Key secret.String
	// Hosts are the names under which the controller may be called, without port; IPv6 in brackets. Those of this
	// machine always may: no page from elsewhere can have them.
	Hosts []string
	// Public is the address at which a proxy or another port offers the controller, if there is one. Its pages are the
	// controller's own.
	Public url.URL
	// Origins may call from another site (CORS), as scheme://host[:port].
	Origins []string
	// Proxies are the addresses whose X-Forwarded-For and X-Forwarded-Proto are believed.
	Proxies []netip.Prefix
	// PerMinute is how many requests a key or a session may make in a minute, at least 1.
	PerMinute int
	Store     Store
	Log       *slog.Logger
	// Now tells the time; it is a parameter so that tests need not wait.
	Now func() time.Time
}

// Guard decides about requests. It is safe for concurrent use and bounded in memory.
type Guard struct {
	key      [sha256.Size]byte
	hosts    []string
	origins  []string
	public   url.URL
	proxies  []netip.Prefix
	now      func() time.Time
	store    Store
	log      *slog.Logger
	sessions *sessions
	codes    *codeStore
	requests *limiter
	wrong    *limiter
	signIns  *limiter
	refusals *refusals
}

const (
	// SessionTTL is how long a session lives after its last use.
	SessionTTL = 12 * time.Hour
	// CodeTTL is how long a sign-in code waits for its one use.
	CodeTTL = 15 * time.Minute
	// maxWrong is how many wrong keys or codes an address may try in a minute.
	maxWrong = 10
	// maxSignIns is how many sessions can be begun from an address in a minute: each has a budget of its own.
	maxSignIns = 60
	// maxKept bounds codes and watched addresses; beyond it the oldest goes.
	maxKept = 10_000
)

// New makes a guard that knows the sessions in the store.
func New(ctx context.Context, c Config) (*Guard, error) {
	g := &Guard{
		key:   sha256.Sum256([]byte(c.Key.Reveal())),
		hosts: append(lowered(c.Hosts), "localhost", "127.0.0.1", "[::1]"), origins: lowered(c.Origins),
		public: asShown(c.Public), proxies: c.Proxies, now: c.Now, store: c.Store, log: c.Log,
		codes:    newCodeStore(CodeTTL, c.Now),
		requests: newLimiter(c.PerMinute, c.Now), wrong: newLimiter(maxWrong, c.Now),
		signIns:  newLimiter(maxSignIns, c.Now),
		refusals: &refusals{kept: map[refused]*Refusal{}},
	}
	g.sessions = &sessions{key: g.key, store: c.Store, now: c.Now, log: c.Log, kept: map[[sha256.Size]byte]*session{}}
	return g, g.sessions.load(ctx)
}

// IsAPIKey compares in constant time; the hashes make the lengths equal.
func (g *Guard) IsAPIKey(given string) bool {
	sum := sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(sum[:], g.key[:]) == 1
}

// NewSignInCode is a code that signs in once within CodeTTL.
func (g *Guard) NewSignInCode() secret.String { return g.codes.add() }

// proof tells by what somebody may sign in: the right key, or a code, which is used up.
func (g *Guard) proof(key, code string) (by string, ok bool) {
	switch {
	case key != "" && g.IsAPIKey(key):
		return keyBucket, true
	case code != "" && g.codes.take(code):
		return "code", true
	}
	return "", false
}

// asShown is the origin of an address as browsers write it: in lower case, without the usual port of its scheme.
func asShown(u url.URL) url.URL {
	host := strings.ToLower(u.Host)
	if u.Scheme == "https" {
		host = strings.TrimSuffix(host, ":443")
	} else {
		host = strings.TrimSuffix(host, ":80")
	}
	return url.URL{Scheme: u.Scheme, Host: host}
}

func lowered(list []string) []string {
	out := slices.Clone(list)
	for i := range out {
		out[i] = strings.ToLower(strings.TrimSuffix(out[i], "/"))
	}
	return out
}
