package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// questions are paths that are asked by POST and change nothing, beside those that end in /validate.
var questions = []string{"/api/preview", "/api/estimate", "/api/profile", "/api/backfill/plan"}

func isQuestion(path string) bool {
	return slices.Contains(questions, path) || strings.HasPrefix(path, "/api/") && strings.HasSuffix(path, "/validate")
}

// urgent are paths that are asked by POST to have less sent. They need no budget: who has used it up, by a script that
// went wrong, needs them most.
var urgent = []string{"/api/stop", "/api/control", "/api/backfill/cancel"}

// walled has the guard look at everything under /api but the way to sign in, and books changes. Questions that carry a
// body, which a form asks while somebody types, are none.
func (s *server) walled(next echo.HandlerFunc) echo.HandlerFunc {
	asking := s.Guard.Members(next)
	members := s.Guard.Audit(s.Audit)(asking)
	unmetered := s.Guard.Audit(s.Audit)(s.Guard.Unmetered(next))
	signIn := s.Guard.Audit(s.Audit)(s.Guard.Door(next))
	return func(c echo.Context) error {
		r := c.Request()
		switch {
		case r.URL.Path == "/api/session" && r.Method == http.MethodPost:
			return signIn(c)
		case r.Method == http.MethodPost && isQuestion(r.URL.Path):
			return asking(c)
		case r.Method == http.MethodPost && slices.Contains(urgent, r.URL.Path):
			return unmetered(c)
		case r.URL.Path == "/api" || strings.HasPrefix(r.URL.Path, "/api/"):
			return members(c)
		}
		return next(c)
	}
}
