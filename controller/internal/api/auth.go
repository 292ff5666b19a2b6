package api

import (
	"strings"

	"github.com/labstack/echo/v4"
)

// access defines who may call an operation and how a call is counted.
type access int

const (
	// member requires the key or a session and counts against the rate limit. Calls that may change something are
	// audited.
	member access = iota
	// readOnly is member for POST requests that change nothing, such as validation while a user types.
	readOnly
	// unmetered is member without a rate limit, for calls that reduce the load: a script that exceeded the limit
	// needs them.
	unmetered
	// public is open to everyone.
	public
	// signIn is open to everyone, and each attempt counts.
	signIn
)

// accessKey is the key of the access in an operation's metadata.
const accessKey = "access"

// allow sets the access of an operation, in the document too.
func (o operation) allow(a access) operation {
	o.Metadata = map[string]any{accessKey: a}
	o.Security = []map[string][]string{}
	if a != public && a != signIn {
		o.Security = []map[string][]string{{"key": {}}, {"session": {}}}
	}
	return o
}

// routeKey returns the method and the path as the router has it.
func routeKey(method, path string) string {
	return method + " " + strings.NewReplacer("{", ":", "}", "").Replace(path)
}

// requireAccess enforces the access of each route. Paths without an operation require a member below /api and are
// public elsewhere: pages, and the document.
func (s *server) requireAccess(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		path := c.Request().URL.Path
		a, declared := s.access[routeKey(c.Request().Method, c.Path())]
		if !declared && path != "/api" && !strings.HasPrefix(path, "/api/") {
			a = public
		}
		switch a {
		case public:
			return next(c)
		case signIn:
			return s.Guard.Audit(s.Guard.LimitSignIns(next))(c)
		case readOnly:
			return s.Guard.Authenticate(next)(c)
		case unmetered:
			return s.Guard.Audit(s.Guard.AuthenticateUnmetered(next))(c)
		default:
			return s.Guard.Audit(s.Guard.Authenticate(next))(c)
		}
	}
}
