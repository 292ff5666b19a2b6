// Package security controls access to the controller: API key, sign-in codes and sessions, allowed hosts and origins,
// rate limits, and the security headers of every response. It does not know what any route does.
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

// Config configures a Guard.
type Config struct {
	// Key is the API key, any bytes.
	Key secret.String
	// Hosts are the host names that requests may use, without port; IPv6 in brackets. Those of this machine are always
	// allowed: no page from elsewhere can have them.
	Hosts []string
	// Public is the address at which a proxy or another port offers the controller, if there is one. Its pages are the
	// controller's own.
	Public url.URL
	// Origins may call from another site (CORS), as scheme://host[:port].
	Origins []string
	// Proxies are the addresses whose X-Forwarded-For and X-Forwarded-Proto are trusted.
	Proxies []netip.Prefix
	// PerMinute is the maximum number of requests per key or session, at least 1.
	PerMinute int
	Store     Store
	Log       *slog.Logger
	Now       func() time.Time
}

// Guard allows or refuses requests. It is safe for concurrent use and bounded in memory.
type Guard struct {
	config   Config // hosts, origins and public address in lower case
	key      [sha256.Size]byte
	sessions *sessions
	codes    *codeStore
	requests *limiter
	wrong    *limiter
	signIns  *limiter
	refusals refusals
}

const (
	// SessionTTL is how long a session lives after its last use.
	SessionTTL = 12 * time.Hour
	// CodeTTL is how long a sign-in code can be used once.
	CodeTTL = 15 * time.Minute
	// maxWrong is how many wrong keys or codes an address may try in a minute.
	maxWrong = 10
	// maxSignIns is how many sessions an address may start in a minute: each has its own rate limit.
	maxSignIns = 60
	// maxKept bounds codes and watched addresses; beyond it the oldest is dropped.
	maxKept = 10_000
)

// New returns a guard with the sessions in the store.
func New(ctx context.Context, c Config) (*Guard, error) {
	g := &Guard{config: c, key: sha256.Sum256([]byte(c.Key.Reveal())), codes: newCodeStore(CodeTTL, c.Now),
		requests: newLimiter(c.PerMinute, c.Now), wrong: newLimiter(maxWrong, c.Now),
		signIns: newLimiter(maxSignIns, c.Now), refusals: refusals{kept: map[Refusal]*Refusal{}}}
	g.config.Hosts = append(lowered(c.Hosts), "localhost", "127.0.0.1", "[::1]")
	g.config.Origins, g.config.Public = lowered(c.Origins), browserOrigin(c.Public)
	g.sessions = &sessions{key: g.key, store: c.Store, now: c.Now, log: c.Log, kept: map[[sha256.Size]byte]*session{}}
	return g, g.sessions.load(ctx)
}

// IsAPIKey compares in constant time; hashing makes the lengths equal.
func (g *Guard) IsAPIKey(given string) bool {
	sum := sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(sum[:], g.key[:]) == 1
}

// NewSignInCode returns a code that signs in once within CodeTTL.
func (g *Guard) NewSignInCode() secret.String { return g.codes.add() }

// browserOrigin returns the origin of an address as browsers write it: lower case, without the default port.
func browserOrigin(u url.URL) url.URL {
	port := ":80"
	if u.Scheme == "https" {
		port = ":443"
	}
	return url.URL{Scheme: u.Scheme, Host: strings.TrimSuffix(strings.ToLower(u.Host), port)}
}

func lowered(list []string) []string {
	out := slices.Clone(list)
	for i := range out {
		out[i] = strings.ToLower(strings.TrimSuffix(out[i], "/"))
	}
	return out
}
