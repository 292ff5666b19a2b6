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

// Failure is what it means that a request was not answered: err is why, sent says that a byte of it went out.
func Failure(err error, sent bool) Answer {
	a := Answer{Class: Broken, FirstWords: Words(reason(err))}
	switch {
	case !sent && ofTLS(err):
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
		return "the connection ended before the answer did"
	}
	return err.Error()
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &n) && n.Timeout()
}
