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
	// CookieName is the name of a session's cookie, before its port; see Guard.cookieName.
	CookieName = "trafficinator_session"
)

// csp forbids content from elsewhere and framing. The URL editor adds style elements, and the base element has the path
// of the pages, see package webui.
const csp = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"

// SecurityHeaders checks the host, and sets security and CORS headers, for every route.
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
		if len(g.config.Origins) > 0 {
			h.Add("Vary", "Origin")
		}
		if origin := r.Header.Get("Origin"); g.isAllowedOrigin(origin) {
			// Never with credentials: another site sends its own key.
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

// Authenticate allows only requests with the key or a session, within their rate limit.
func (g *Guard) Authenticate(next echo.HandlerFunc) echo.HandlerFunc { return g.members(next, true) }

// AuthenticateUnmetered is Authenticate without a rate limit.
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

// keyBucket names the rate limit of the key; each session has its own.
const keyBucket = "key"

// Values in the context of a request.
const (
	byKey      = "security.by"      // how the client authenticated, for Audit
	sessionKey = "security.session" // the session, for SessionDone
	tryKey     = "security.try"     // the remaining tries of the address, for SignIn
)

// IsAuthenticated reports whether a request has the key or a session, for public routes. A wrong key counts as such.
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

// SessionDone returns a channel that is closed when the session of a request ends, nil for an API key.
func (g *Guard) SessionDone(c echo.Context) <-chan struct{} {
	if s, ok := c.Get(sessionKey).(*session); ok {
		return s.ended
	}
	return nil
}

// wrongKey counts a wrong key and refuses it, with 429 after maxWrong of one address in a minute.
func (g *Guard) wrongKey(c echo.Context, code fault.Kind, detail string) error {
	b := g.wrong.take(g.ClientIP(c.Request()).String(), 1)
	status := http.StatusForbidden
	if !b.ok {
		status = http.StatusTooManyRequests
	}
	g.refused(c, status)
	return wrong(c, b, code, detail)
}

// wrong is the response to a wrong key or code.
func wrong(c echo.Context, b budget, code fault.Kind, detail string) error {
	if !b.ok {
		setRateLimitHeaders(c, b)
		return tooMany(
			c,
			b,
			TooManyWrongKeys,
			"too many wrong keys from this address; the correct key is still accepted",
		)
	}
	return refuse(http.StatusForbidden, code, detail)
}

// LimitSignIns limits sign-ins. Each try counts before its body is read, and a failed one is a refusal. A right key or
// code is accepted even if the address has no tries left.
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

// SignIn signs in by key or code behind LimitSignIns, and sets the session cookie.
func (g *Guard) SignIn(c echo.Context, key, code secret.String) error {
	r := c.Request()
	if !g.isSameOrigin(r) {
		return g.wrongOrigin(r)
	}
	from := g.ClientIP(r).String()
	if b := g.signIns.take(from, 0); !b.ok { // checked before a code is used up
		return tooMany(c, b, TooManyRequests, "too many sessions were started from this address")
	}
	left, _ := c.Get(tryKey).(budget)
	switch {
	case key != "" && g.IsAPIKey(key.Reveal()):
		c.Set(byKey, keyBucket)
	case code != "" && g.codes.take(code.Reveal()):
		c.Set(byKey, "code")
	case code != "":
		return wrong(c, left, CodeUsed, "the sign-in code is invalid, already used or expired")
	default:
		return wrong(c, left, WrongKey, "the API key is wrong")
	}
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

// setCookie sets no path: browsers then use the folder of the requested address (RFC 6265, 5.1.4), which is /api below
// the path at which a proxy offers the controller. Other pages of that host do not get the cookie.
func (g *Guard) setCookie(c echo.Context, value string, age int) {
	c.SetCookie(&http.Cookie{
		Name: g.cookieName(c.Request()), Value: value, MaxAge: age,
		HttpOnly: true, Secure: g.IsSecure(c.Request()), SameSite: http.SameSiteStrictMode,
	})
}

// cookieName ends in the port that the browser shows: cookies are shared by all ports of a host (RFC 6265, 8.5), so two
// controllers on one host would sign out each other's users.
func (g *Guard) cookieName(r *http.Request) string {
	address := url.URL{Host: r.Host}
	if address.Port() == "" && strings.EqualFold(address.Hostname(), g.config.Public.Hostname()) {
		address.Host = g.config.Public.Host // a proxy has removed the port
	}
	if port := address.Port(); port != "" {
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

// The error codes of the guard.
const (
	HostNotAllowed   fault.Kind = "host_not_allowed"
	NotSignedIn      fault.Kind = "not_signed_in"
	SessionEnded     fault.Kind = "session_ended"
	WrongKey         fault.Kind = "wrong_key"
	CodeUsed         fault.Kind = "code_used"
	WrongOrigin      fault.Kind = "wrong_origin"
	TooManyRequests  fault.Kind = "too_many_requests"
	TooManyWrongKeys fault.Kind = "too_many_wrong_keys"
)

// refuse returns an error response whose cause is code; errors.As finds it.
func refuse(status int, code fault.Kind, detail string) error {
	return echo.NewHTTPError(status, detail).SetInternal(code)
}

// wrongOrigin names the compared addresses, because behind a proxy they are seldom what the browser shows.
func (g *Guard) wrongOrigin(r *http.Request) error {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return refuse(http.StatusForbidden, WrongOrigin,
			fmt.Sprintf("the request came from a page of another site (Sec-Fetch-Site: %.20q); "+
				"use the controller's own pages, or send the API key as %s", site, KeyHeader))
	}
	return refuse(http.StatusForbidden, WrongOrigin,
		fmt.Sprintf("the page is from %.300q and the request was for %.300q; "+
			"configure the proxy to forward the Host header, or set PUBLIC_URL to the address in the browser",
			r.Header.Get("Origin"), g.requestOrigin(r)))
}
