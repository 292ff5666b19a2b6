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

// echoKey is where withEcho puts the echo context.
type echoKey struct{}

// withEcho lets an operation do what only the router's own context can: cookies.
func withEcho(o huma.Operation) huma.Operation {
	o.Middlewares = append(o.Middlewares, func(ctx huma.Context, next func(huma.Context)) {
		next(huma.WithValue(ctx, echoKey{}, humaecho.Unwrap(ctx)))
	})
	return o
}

func echoOf(ctx context.Context) echo.Context {
	c, _ := ctx.Value(echoKey{}).(echo.Context) // withEcho has put it there
	return c
}

type signInRequest struct {
	Body struct {
		Key  string `json:"api_key,omitempty" maxLength:"4096" doc:"The API key, or"`
		Code string `json:"code,omitempty" maxLength:"256" doc:"the one-time code of a sign-in link."`
	}
}

type sessionResponse struct {
	SignedIn bool `json:"signed_in"`
}

type loginCodeResponse struct {
	Code    string `json:"code" doc:"Signs in once. Put it behind # of the controller's address as #code=…"`
	Minutes int    `json:"valid_minutes"`
}

// The bounds of what strangers may send: the longest key in JSON's escapes, and the time for it.
const (
	signInBody = 8 << 10
	signInTime = 10 * time.Second
)

var _ = routes((*server).session)

func (s *server) session() {
	signIn := as(door, op(http.MethodPost, "/api/session", tagAccess,
		"Sign in by key or one-time code; sets the session's cookie"))
	signIn.MaxBodyBytes, signIn.BodyReadTimeout = signInBody, signInTime
	reply(s, withEcho(signIn), func(ctx context.Context, in *signInRequest) (sessionResponse, error) {
		return sessionResponse{
			true,
		}, s.Guard.SignIn(echoOf(ctx), secret.String(in.Body.Key), secret.String(in.Body.Code))
	})
	get(s, "/api/session", tagAccess, "Is this request signed in?",
		func(context.Context) (sessionResponse, error) { return sessionResponse{true}, nil })
	route(s, withEcho(op(http.MethodDelete, "/api/session", tagAccess, "Sign out")),
		func(ctx context.Context, _ *empty) (*empty, error) {
			s.Guard.SignOut(echoOf(ctx))
			return nil, nil
		})
	reply(s, op(http.MethodPost, "/api/session/codes", tagAccess, "Make a one-time code that signs in a browser"),
		func(context.Context, *empty) (loginCodeResponse, error) {
			return loginCodeResponse{s.Guard.NewSignInCode().Reveal(), int(security.CodeTTL.Minutes())}, nil
		})
}
