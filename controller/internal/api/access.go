package api

import (
	"context"
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
func (o operation) withEchoContext() operation {
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
		Key  string `json:"api_key,omitempty" maxLength:"4096" doc:"API key. Required unless code is set."`
		Code string `json:"code,omitempty" maxLength:"256" doc:"One-time code of a sign-in link."`
	}
}

type sessionResponse struct {
	SignedIn bool `json:"signed_in" doc:"Always true; requests that are not signed in get status 401."`
}

type signInCodeResponse struct {
	Code    string `json:"code" doc:"One-time code. Append it to the controller's address as #code=…"`
	Minutes int    `json:"valid_minutes" doc:"How long the code is valid, in minutes."`
}

type auditRequest struct {
	Limit int `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"Maximum number of entries to return."`
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
	const path = "/api/session"
	create := post(path, tagAccess, "Sign in with the API key or a one-time code").allow(signIn).withEchoContext()
	create.MaxBodyBytes, create.BodyReadTimeout = signInBody, signInTime
	handle(s, create, func(ctx context.Context, in *signInRequest) (sessionResponse, error) {
		err := s.Guard.SignIn(echoContext(ctx), secret.String(in.Body.Key), secret.String(in.Body.Code))
		return sessionResponse{true}, err
	})
	handlePlain(s, get(path, tagAccess, "Check whether the request is signed in"),
		func(context.Context) (sessionResponse, error) { return sessionResponse{true}, nil })
	register(s, remove(path, tagAccess, "Sign out").withEchoContext(),
		func(ctx context.Context, _ *empty) (*empty, error) {
			s.Guard.SignOut(echoContext(ctx))
			return nil, nil
		})
	handlePlain(s, post(path+"/codes", tagAccess, "Create a one-time sign-in code for a browser"),
		func(context.Context) (signInCodeResponse, error) {
			return signInCodeResponse{s.Guard.NewSignInCode().Reveal(), int(security.CodeTTL.Minutes())}, nil
		})
	handle(s, get("/api/audit", tagAccess, "List the audit log"),
		func(ctx context.Context, in *auditRequest) (a auditResponse, err error) {
			a.Entries, a.Refusals, err = s.Guard.AuditLog(ctx, in.Limit)
			return a, err
		})
}
