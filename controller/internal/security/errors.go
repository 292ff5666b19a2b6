package security

import (
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"
	"github.com/puttrix/trafficinator/controller/internal/fault"
)

// The codes of the guard.
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

// refuse is an answer whose cause is code; errors.As finds it.
func refuse(status int, code fault.Kind, detail string) error {
	return echo.NewHTTPError(status, detail).SetInternal(code)
}

// wrongOrigin names what was compared, because behind a proxy it is seldom what the browser shows.
func (g *Guard) wrongOrigin(r *http.Request) error {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return refuse(http.StatusForbidden, WrongOrigin,
			fmt.Sprintf("the browser says that another page asks this (Sec-Fetch-Site: %.20q); "+
				"use the controller's own pages, or send the API key as %s", site, KeyHeader))
	}
	return refuse(http.StatusForbidden, WrongOrigin,
		fmt.Sprintf("the page is from %.300q and the controller was asked as %.300q; "+
			"let the proxy pass the Host header on, or set PUBLIC_URL to the address in the browser",
			r.Header.Get("Origin"), g.requestOrigin(r)))
}
