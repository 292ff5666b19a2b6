package matomo

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/puttrix/trafficinator/shared/answer"
)

// Class is the kind of an error of the Reporting API; its cure follows from it.
type Class string

// The classes.
const (
	Rights     Class = "rights"     // Matomo rejects the token, or its user lacks access
	Refused    Class = "refused"    // Matomo rejects the request itself
	Later      Class = "later"      // the server is busy, or still building the reports
	Network    Class = "network"    // no connection, or no answer in time
	TLS        Class = "tls"        // no connection because of a certificate or the like
	Redirect   Class = "redirect"   // not followed, to not send a token elsewhere
	InFront    Class = "in_front"   // something in front of Matomo answered
	Unreadable Class = "unreadable" // the response is not Matomo's
)

// Error is a failed call of the Reporting API.
type Error struct {
	Method string
	Class  Class
	// cause is why there was no answer; nil if there was one.
	answer answer.Answer
	cause  error
}

// Error implements error.
func (e *Error) Error() string {
	if e.cause != nil {
		return "ask " + e.Method + ": " + e.cause.Error()
	}
	return "ask " + e.Method + ": " + e.answer.String()
}

// Unwrap returns the cause if there was no answer, such as ErrTimedOut.
func (e *Error) Unwrap() error { return e.cause }

func unanswered(method string, cause error) *Error {
	class := Network
	if _, ofFile := errors.AsType[*fileError](cause); ofFile || answer.FromError(cause, false).Class == answer.TLS {
		class = TLS
	}
	return &Error{Method: method, Class: class, cause: cause}
}

func refusal(method string, a answer.Answer) *Error {
	class := map[answer.Class]Class{answer.Token: Rights, answer.Rejected: Refused, answer.NotNow: Later,
		answer.InFront: InFront}[a.Class]
	if a.Status/100 == 3 {
		class = Redirect
	}
	return &Error{Method: method, Class: cmp.Or(class, Unreadable), answer: a}
}

// ClassOf returns the class of an *Error, "" for any other error.
func ClassOf(err error) Class {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Class
	}
	return ""
}

// IsRefusal reports that Matomo itself rejected the request or the token.
func IsRefusal(err error) bool {
	class := ClassOf(err)
	return class == Rights || class == Refused
}

// Advice is the cure for an error of the Reporting API, "" if there is none.
func Advice(err error) string {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return ""
	}
	switch e.Class {
	case Rights:
		if strings.HasPrefix(e.Method, "CoreAdminHome.") {
			return "use a token with admin access to the site"
		}
		return "use a token with view access to the site (MATOMO_READ_TOKEN or the target's read_token)"
	case Later:
		return "try again later"
	case TLS:
		_, cure := CertificateProblem(e.cause)
		return cmp.Or(cure, NetworkCure(e.cause))
	case Network:
		return NetworkCure(e.cause)
	case Redirect:
		return "set " + apiSetting + " to the URL it redirects to, if that is Matomo's index.php"
	case InFront:
		return FrontCure(&e.answer, apiSetting)
	case Unreadable:
		if e.answer.Status >= http.StatusInternalServerError {
			return "check the log of Matomo's web server"
		}
		return "set " + apiSetting + " to Matomo's index.php, if it is not next to the tracker"
	}
	return ""
}

const apiSetting = "MATOMO_API_URL or the target's api_url"

// Explain is an error with its cure.
func Explain(err error) string {
	if advice := Advice(err); advice != "" {
		return err.Error() + "; " + advice
	}
	return err.Error()
}

// FrontCure is the cure if something in front of Matomo answered; setting names the setting of the URL.
func FrontCure(a *answer.Answer, setting string) string {
	switch a.Status {
	case http.StatusUnauthorized:
		return "set MATOMO_HTTP_AUTH or the target's http_auth to the user and password it requires"
	case http.StatusNotFound:
		return "correct the URL (" + setting + ")"
	case http.StatusProxyAuthRequired:
		return proxyCure
	case http.StatusBadRequest:
		return clientCure
	}
	return "let it pass requests from here, set MATOMO_HEADERS or the target's headers to the header it requires, or " +
		"use a URL that bypasses it (" + setting + ")"
}

const (
	clientCure = "if it requires a client certificate, set TLS_CERT_FILE and TLS_KEY_FILE, or tls_cert_file and " +
		"tls_key_file of the target"
	proxyCure = "set the proxy's user and password: PROXY_URL=http://user:password@host:port"
)

// NetworkCure is the cure if there was no answer.
func NetworkCure(err error) string {
	var name *net.DNSError
	var proxy *proxyError
	var file *fileError
	var op *net.OpError
	switch {
	case errors.As(err, &file):
		return "correct TLS_CA_FILE, TLS_CERT_FILE and TLS_KEY_FILE, or those of the target, or the files themselves"
	case errors.As(err, &op) && op.Op == "remote error": // an alert of TLS
		return clientCure
	case errors.Is(err, errForbidden):
		return "use the URL of a Matomo"
	case errors.As(err, &proxy) && proxy.status == http.StatusProxyAuthRequired:
		return proxyCure
	case errors.As(err, &proxy):
		return "allow the proxy to connect to Matomo, or disable it: PROXY_URL=none"
	case errors.As(err, &op) && op.Op == "proxyconnect": // net/http's name for no connection to the proxy
		return "start the proxy, correct PROXY_URL or proxy_url of the target, or disable it: PROXY_URL=none"
	case errors.Is(err, http.ErrSchemeMismatch):
		return "use http:// instead of https://, or enable TLS on the server"
	case errors.Is(err, errNotHTTP):
		return "correct host and port: the server there does not speak HTTP"
	case errors.As(err, &name) && name.IsNotFound:
		return "correct the host, or set PROXY_URL to a proxy that can resolve it"
	case errors.Is(err, ErrTimedOut):
		return "start Matomo, correct host and port, or set PROXY_URL if this machine needs a proxy"
	}
	return "start Matomo, or correct host and port"
}

// CertificateProblem describes a problem of the server's certificate, with "" if there is none.
func CertificateProblem(err error) (message, cure string) {
	var (
		invalid *tls.CertificateVerificationError
		host    x509.HostnameError
		expired x509.CertificateInvalidError
		unknown x509.UnknownAuthorityError
	)
	switch {
	case errors.As(err, &host):
		return "is not for the host " + host.Host,
			"use the host name in the certificate, or renew it for this one"
	case errors.As(err, &expired) && expired.Reason == x509.Expired && expired.Cert != nil:
		from, to := expired.Cert.NotBefore.Format(time.DateOnly), expired.Cert.NotAfter.Format(time.DateOnly)
		return fmt.Sprintf("is only valid from %s to %s", from, to), "renew it, or correct the local clock"
	case errors.As(err, &unknown):
		return "is signed by an unknown authority",
			"set TLS_CA_FILE to your CA's certificate, or install the full chain on the server; for tests only: " +
				"TLS_VERIFY=false"
	case errors.As(err, &invalid):
		return "is invalid: " + invalid.Err.Error(), "renew it; for tests only: TLS_VERIFY=false"
	}
	return "", ""
}

// ErrTimedOut means no answer within the timeout of the client or the context.
var ErrTimedOut = errors.New("no answer in time")

// errNotHTTP replaces errors that repeat what another service, such as a database, sends to every client.
var errNotHTTP = errors.New("the response is not HTTP")

// plain removes the address, which the caller knows, and anything that the server said.
func plain(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	timeout, isNet := errors.AsType[net.Error](err)
	var (
		op    *net.OpError
		name  *net.DNSError
		proxy *proxyError
		alert tls.AlertError
		cert  *tls.CertificateVerificationError
		no    syscall.Errno
	)
	switch {
	case errors.Is(err, errForbidden):
		return errForbidden
	case isNet && timeout.Timeout(), errors.Is(err, os.ErrDeadlineExceeded):
		return ErrTimedOut
	case errors.Is(err, http.ErrSchemeMismatch):
		return http.ErrSchemeMismatch
	case errors.As(err, &cert), errors.As(err, &alert), errors.As(err, &op), errors.As(err, &name),
		errors.As(err, &proxy), errors.As(err, &no):
		return err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the connection was closed before the response was complete")
	case errors.Is(err, context.Canceled):
		return context.Canceled
	}
	return errNotHTTP
}
