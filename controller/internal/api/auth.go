package api

import (
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"
)

// access is who may call an operation, and what a call counts as.
type access int

const (
	// member: the key or a session, within their budget. What is not read is booked as a change.
	member access = iota
	// question is member for what is asked by POST and changes nothing, such as while somebody types.
	question
	// urgent is member without a budget, to have less sent: who has used it up, by a script that went wrong, needs it
	// most.
	urgent
	// public: everybody.
	public
	// door: everybody, and each try to sign in counts.
	door
)

// accessKey is where an operation's metadata hold its access.
const accessKey = "access"

// as declares the access of an operation, which is member unless declared. The document says the same.
func as(a access, o huma.Operation) huma.Operation {
	o.Metadata = map[string]any{accessKey: a}
	o.Security = []map[string][]string{}
	if a != public && a != door {
		o.Security = []map[string][]string{{"key": {}}, {"session": {}}}
	}
	return o
}

// routeKey is a method and a path as the router has them.
func routeKey(method, path string) string {
	return method + " " + strings.NewReplacer("{", ":", "}", "").Replace(path)
}

// walled has the guard look at every request by the access of its route. What no operation takes is for members below
// /api and for everybody elsewhere: pages, and the document.
func (s *server) walled(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		path := c.Request().URL.Path
		a, declared := s.access[routeKey(c.Request().Method, c.Path())]
		if !declared && path != "/api" && !strings.HasPrefix(path, "/api/") {
			a = public
		}
		switch a {
		case public:
			return next(c)
		case door:
			return s.Guard.Audit(s.Guard.LimitSignIns(next))(c)
		case question:
			return s.Guard.Authenticate(next)(c)
		case urgent:
			return s.Guard.Audit(s.Guard.AuthenticateUnmetered(next))(c)
		default:
			return s.Guard.Audit(s.Guard.Authenticate(next))(c)
		}
	}
}
