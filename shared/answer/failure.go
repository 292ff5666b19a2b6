package answer

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
)

// ErrTLS marks errors of the way to TLS, where the error itself does not say so.
var ErrTLS = errors.New("TLS failed")

// FromError is what it means that a request was not answered: err is why, sent says that a byte of it went out.
func FromError(err error, sent bool) Answer {
	a := Answer{Class: Broken, Excerpt: Excerpt(reason(err))}
	switch {
	case !sent && ofTLS(err), ofClientCertificate(err):
		a.Class = TLS
	case !sent:
		a.Class = Unreachable
	case isTimeout(err):
		a.Class = Timeout
	}
	return a
}

func ofTLS(err error) bool {
	var (
		alert   tls.AlertError
		record  tls.RecordHeaderError
		invalid *tls.CertificateVerificationError
		host    x509.HostnameError
		unknown x509.UnknownAuthorityError
	)
	return errors.Is(err, ErrTLS) || errors.As(err, &alert) || errors.As(err, &record) || errors.As(err, &invalid) ||
		errors.As(err, &host) || errors.As(err, &unknown)
}

// ofClientCertificate says that the server refuses the client's certificate, or wants one. With TLS 1.3 it says so
// after the client has sent its request, of which it has read nothing (RFC 8446, 4.4.2.4).
func ofClientCertificate(err error) bool {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" { // the alerts of crypto/tls have no type of their own
		return false
	}
	switch op.Err.Error() {
	case "tls: certificate required", "tls: bad certificate", "tls: unknown certificate authority",
		"tls: unsupported certificate",
		"tls: revoked certificate", "tls: expired certificate", "tls: unknown certificate":
		return true
	}
	return false
}

// reason is an error without the address, which the caller knows.
func reason(err error) string {
	var cert *tls.CertificateVerificationError
	var op *net.OpError
	var asked *url.Error
	if errors.As(err, &asked) {
		err = asked.Err
	}
	switch {
	case isTimeout(err):
		return "no answer in time"
	case errors.As(err, &cert):
		return ErrTLS.Error() + ": " + cert.Err.Error()
	case errors.As(err, &op) && op.Op != "dial": // the address here has a port that says nothing
		return op.Op + ": " + op.Err.Error()
	case errors.Is(err, io.ErrUnexpectedEOF), err == io.EOF:
		return "the connection was closed before the response was complete"
	}
	return err.Error()
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &n) && n.Timeout()
}
