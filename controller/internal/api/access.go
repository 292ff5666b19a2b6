package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"

	"github.com/puttrix/trafficinator/controller/internal/security"
	"github.com/puttrix/trafficinator/shared/secret"
)

// echoContextKey is the context key of withEchoContext.
type echoContextKey struct{}

// withEchoContext gives an operation the router's context, which it needs for cookies.
func withEchoContext(o huma.Operation) huma.Operation {
	o.Middlewares = append(o.Middlewares, func(ctx huma.Context, next func(huma.Context)) {
		next(huma.WithValue(ctx, echoContextKey{}, humaecho.Unwrap(ctx)))
	})
	return o
}

func echoContext(ctx context.Context) echo.Context {
	c, _ := ctx.Value(echoContextKey{}).(echo.Context) // set by withEchoContext
	return c
}

type signInRequest struct {
	Body struct {
		Key  string `json:"api_key,omitempty" maxLength:"4096" doc:"The API key. Required unless code is given."`
		Code string `json:"code,omitempty" maxLength:"256" doc:"The one-time code of a sign-in link."`
	}
}

type sessionResponse struct {
	SignedIn bool `json:"signed_in"`
}

type signInCodeResponse struct {
	Code    string `json:"code" doc:"One-time code. Append it to the controller's address as #code=…"`
	Minutes int    `json:"valid_minutes"`
}

type auditRequest struct {
	Limit int `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

type auditResponse struct {
	Entries  []security.Entry   `json:"entries" doc:"Changes and sign-ins, newest first."`
	Refusals []security.Refusal `json:"refusals" doc:"Requests without valid credentials, newest first. They never displace entries."`
}

// The limits of unauthenticated requests: the longest key with JSON escapes, and the time to receive it.
const (
	signInBody = 8 << 10
	signInTime = 10 * time.Second
)

var _ = addRoutes((*server).session)

func (s *server) session() {
	create := allow(signIn, op(http.MethodPost, "/api/session", tagAccess,
		"Sign in with the API key or a one-time code"))
	create.MaxBodyBytes, create.BodyReadTimeout = signInBody, signInTime
	handle(s, withEchoContext(create), func(ctx context.Context, in *signInRequest) (sessionResponse, error) {
		err := s.Guard.SignIn(echoContext(ctx), secret.String(in.Body.Key), secret.String(in.Body.Code))
		return sessionResponse{true}, err
	})
	handleGet(s, "/api/session", tagAccess, "Check whether the request is signed in",
		func(context.Context) (sessionResponse, error) { return sessionResponse{true}, nil })
	register(s, withEchoContext(op(http.MethodDelete, "/api/session", tagAccess, "Sign out")),
		func(ctx context.Context, _ *empty) (*empty, error) {
			s.Guard.SignOut(echoContext(ctx))
			return nil, nil
		})
	handle(s, op(http.MethodPost, "/api/session/codes", tagAccess, "Create a one-time code to sign in a browser"),
		func(context.Context, *empty) (signInCodeResponse, error) {
			return signInCodeResponse{s.Guard.NewSignInCode().Reveal(), int(security.CodeTTL.Minutes())}, nil
		})
	handle(s, op(http.MethodGet, "/api/audit", tagAccess, "List the audit log"),
		func(ctx context.Context, in *auditRequest) (a auditResponse, err error) {
			a.Entries, a.Refusals, err = s.Guard.AuditLog(ctx, in.Limit)
			return a, err
		})
}
