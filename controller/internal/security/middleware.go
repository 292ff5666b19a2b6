package security

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/puttrix/trafficinator/controller/internal/fault"
	"github.com/puttrix/trafficinator/shared/secret"
)

// The names that clients use.
const (
	KeyHeader = "X-API-Key"
	// CookieName is the name of a session's cookie; see Guard.cookieName for what follows it.
	CookieName = "trafficinator_session"
)

// csp lets the pages load nothing from elsewhere and be framed by nobody. The editor of URLs adds style elements, and
// the base element says below which path the pages are, see package webui.
const csp = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"font-src 'self'; " +
	"connect-src 'self'; manifest-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"

// SecurityHeaders is the outer wall of every route: allowed hosts, headers, CORS.
func (g *Guard) SecurityHeaders(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r, h := c.Request(), c.Response().Header()
		h.Set("Content-Security-Policy", csp)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		if g.ownsHost(r) {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		if !g.isHostAllowed(r) {
			return refuse(http.StatusMisdirectedRequest, HostNotAllowed,
				"this host name is not allowed; add it to ALLOWED_HOSTS, or set PUBLIC_URL to the address "+
					"in the browser")
		}
		if len(g.origins) > 0 {
			h.Add("Vary", "Origin")
		}
		if origin := r.Header.Get("Origin"); g.isAllowedOrigin(origin) {
			// Never with credentials: another site brings its own key.
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Expose-Headers",
				"ETag, Location, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset")
			h.Set("Cross-Origin-Resource-Policy", "cross-origin")
			if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
				h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
				h.Set("Access-Control-Allow-Headers", "Content-Type, If-Match, Last-Event-ID, "+KeyHeader)
				h.Set("Access-Control-Max-Age", "3600")
				return c.NoContent(http.StatusNoContent)
			}
		}
		return next(c)
	}
}

// Authenticate lets only requests with the key or a session through, within their budget.
func (g *Guard) Authenticate(next echo.HandlerFunc) echo.HandlerFunc { return g.members(next, true) }

// AuthenticateUnmetered is Members without a budget.
func (g *Guard) AuthenticateUnmetered(next echo.HandlerFunc) echo.HandlerFunc {
	return g.members(next, false)
}

func (g *Guard) members(next echo.HandlerFunc, metered bool) echo.HandlerFunc {
	return func(c echo.Context) error {
		who, err := g.identify(c)
		if err != nil {
			return err
		}
		c.Set(byKey, strings.SplitN(who, " ", 2)[0])
		if metered {
			b := g.requests.take(who, 1)
			setRateLimitHeaders(c, b)
			if !b.ok {
				return tooMany(c, b, TooManyRequests, "too many requests")
			}
		}
		return next(c)
	}
}

// keyBucket is the one budget of the key; each session has its own.
const keyBucket = "key"

// What the walls leave for each other in the context of a request.
const (
	byKey      = "security.by"      // who asks, for Audit
	sessionKey = "security.session" // the session, for Ended
	tryKey     = "security.try"     // what an address has left of its tries, for Exchange
)

// IsAuthenticated tells whether a request has the key or a session, for what is open to everybody. A wrong key counts as
// anywhere.
func (g *Guard) IsAuthenticated(c echo.Context) bool {
	_, err := g.identify(c)
	return err == nil
}

func (g *Guard) identify(c echo.Context) (who string, err error) {
	r := c.Request()
	if given := r.Header.Values(KeyHeader); len(given) > 0 {
		if g.IsAPIKey(given[0]) {
			member(r.Context())
			return keyBucket, nil
		}
		return "", g.wrongKey(c, WrongKey, "the API key is wrong")
	}
	cookie, err := r.Cookie(g.cookieName(r))
	if err != nil {
		return "", refuse(http.StatusUnauthorized, NotSignedIn, "send the API key as "+KeyHeader+" or sign in")
	}
	session := g.sessions.use(r.Context(), cookie.Value)
	if session == nil {
		return "", refuse(http.StatusUnauthorized, SessionEnded, "the session has ended; sign in again")
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead && !g.isSameOrigin(r) {
		g.refused(c, http.StatusForbidden)
		return "", g.wrongOrigin(r)
	}
	member(r.Context())
	c.Set(sessionKey, session)
	return fmt.Sprintf("session %x", session.hash), nil
}

// SessionDone is closed when the session of a request ends; a key has no end.
func (g *Guard) SessionDone(c echo.Context) <-chan struct{} {
	if s, ok := c.Get(sessionKey).(*session); ok {
		return s.ended
	}
	return nil
}

// wrongKey counts a wrong key; after maxWrong of an address in a minute it is 429.
func (g *Guard) wrongKey(c echo.Context, code fault.Kind, detail string) error {
	b := g.wrong.take(g.ClientIP(c.Request()).String(), 1)
	status := http.StatusForbidden
	if !b.ok {
		status = http.StatusTooManyRequests
	}
	g.refused(c, status)
	return wrong(c, b, code, detail)
}

// wrong is the answer to a wrong key or code.
func wrong(c echo.Context, b budget, code fault.Kind, detail string) error {
	if !b.ok {
		setRateLimitHeaders(c, b)
		return tooMany(c, b, TooManyWrongKeys, "too many wrong keys from this address; a right one passes at once")
	}
	return refuse(http.StatusForbidden, code, detail)
}

// LimitSignIns is the wall in front of the sign-in. Each try counts before its body is read, and what is no good one is a
// refusal. A right key or code passes also where the address has no try left.
func (g *Guard) LimitSignIns(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Set(tryKey, g.wrong.take(g.ClientIP(c.Request()).String(), 1))
		if err := next(c); err != nil {
			c.Error(err) // answers, so that the status is known
		}
		if _, in := c.Get(byKey).(string); !in {
			g.refused(c, c.Response().Status)
		}
		return nil
	}
}

// SignIn signs in by key or code behind the Door, and sets the cookie of the session.
func (g *Guard) SignIn(c echo.Context, key, code secret.String) error {
	r := c.Request()
	if !g.isSameOrigin(r) {
		return g.wrongOrigin(r)
	}
	from := g.ClientIP(r).String()
	if b := g.signIns.take(from, 0); !b.ok { // looked at before a code is used up
		return tooMany(c, b, TooManyRequests, "too many sessions were begun from this address")
	}
	by, ok := g.proof(key.Reveal(), code.Reveal())
	left, _ := c.Get(tryKey).(budget)
	switch {
	case !ok && code != "":
		return wrong(c, left, CodeUsed, "the code is wrong, used up or too old")
	case !ok:
		return wrong(c, left, WrongKey, "the API key is wrong")
	}
	c.Set(byKey, by)
	member(r.Context())
	g.signIns.take(from, 1)
	g.setCookie(c, g.sessions.add(context.WithoutCancel(r.Context())).Reveal(), int(SessionTTL.Seconds()))
	return nil
}

// SignOut ends the session of the request, if it has one.
func (g *Guard) SignOut(c echo.Context) {
	if cookie, err := c.Request().Cookie(g.cookieName(c.Request())); err == nil {
		g.sessions.leave(context.WithoutCancel(c.Request().Context()), cookie.Value)
	}
	g.setCookie(c, "", -1)
}

// setCookie names no path: browsers then take the folder of the address that they asked (RFC 6265, 5.1.4), which is
// /api below whatever path a proxy offers the controller at. Other pages of that host do not get the cookie.
func (g *Guard) setCookie(c echo.Context, value string, age int) {
	c.SetCookie(&http.Cookie{
		Name: g.cookieName(c.Request()), Value: value, MaxAge: age,
		HttpOnly: true, Secure: g.IsSecure(c.Request()), SameSite: http.SameSiteStrictMode,
	})
}

// cookieName ends in the port that the browser shows: cookies belong to a host whatever the port (RFC 6265, 8.5), so
// that two controllers of one host would sign each other's people out.
func (g *Guard) cookieName(r *http.Request) string {
	asked := url.URL{Host: r.Host}
	if asked.Port() == "" && strings.EqualFold(asked.Hostname(), g.public.Hostname()) {
		asked.Host = g.public.Host // a proxy has left the port out
	}
	if port := asked.Port(); port != "" {
		return CookieName + "_" + port
	}
	return CookieName
}

func setRateLimitHeaders(c echo.Context, b budget) {
	h := c.Response().Header()
	h.Set("RateLimit-Limit", strconv.Itoa(b.limit))
	h.Set("RateLimit-Remaining", strconv.Itoa(b.left))
	h.Set("RateLimit-Reset", seconds(b.reset))
}

func tooMany(c echo.Context, b budget, code fault.Kind, detail string) error {
	wait := seconds(max(b.retry, time.Second))
	c.Response().Header().Set("Retry-After", wait)
	return refuse(http.StatusTooManyRequests, code, fmt.Sprintf("%s; wait %s s", detail, wait))
}

func seconds(d time.Duration) string { return strconv.Itoa(int(math.Ceil(d.Seconds()))) }
