// Package answer is the only code that interprets a server's answers, to single hits, bulk requests and the Reporting
// API. A Class says what callers do:
//
//	class                ledger     sent again          breaker        answer
//	accepted             accepted   no                  closes         204, or 200 with Matomo's image or receipt
//	accepted_no_receipt  accepted   no                  closes         an image or 204 for a bulk request: a queue took it
//	too_large            failed     in smaller pieces   opens          413
//	not_now              failed     not before its time opens          408, 429, 503; a receipt for no hit at all
//	rejected             rejected   no                  lock-out       Matomo's own no: 4xx, or a receipt of invalid hits
//	in_front             rejected   no                  opens          4xx and 3xx of a server in front of Matomo
//	token                rejected   no                  lock-out       401; 400 with Matomo's words about the token
//	rolled_back          failed     yes                 opens          bulk, and Matomo kept nothing of it
//	unreadable           unknown    no                  opens          any other: 5xx, a strange body, a receipt cut short
//	unreachable          failed     yes                 opens          none: no connection
//	tls                  failed     yes                 opens          none: no TLS
//	timeout              unknown    no                  opens          none in time
//	broken               unknown    no                  opens          none: the connection ended after the first byte
//	late                 shed       no                  unaffected     never sent: not in time
//	breaker              shed       no                  unaffected     never sent: the target was failing
//	standstill           shed       no                  unaffected     never sent: this process stood still
//	stopped              abandoned  no                  unaffected     never sent: the run was stopped
//
// "lock-out" opens the breaker after a few answers in a row: Matomo locks an address out after 20 wrong tokens, and its
// 400 does not say whether the token is the cause.
package answer

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"

	"github.com/puttrix/trafficinator/shared/outcome"
)

// Class is what an answer, or the lack of one, means for a hit. Its names are stable: records contain them.
type Class uint8

// The classes; see the table in the package's comment.
const (
	Accepted Class = iota
	NoReceipt
	TooLarge
	NotNow
	Rejected
	InFront
	Token
	RolledBack
	Unreadable
	Unreachable
	TLS
	Timeout
	Broken
	Late
	Breaker
	Standstill
	Stopped
	classes int = iota
)

var table = [classes]struct {
	name    string
	outcome outcome.Outcome
	retry   bool
	lockOut bool
}{
	Accepted:    {name: "accepted", outcome: outcome.Accepted},
	NoReceipt:   {name: "accepted_no_receipt", outcome: outcome.Accepted},
	TooLarge:    {name: "too_large", outcome: outcome.Failed},
	NotNow:      {name: "not_now", outcome: outcome.Failed, retry: true},
	Rejected:    {name: "rejected", outcome: outcome.Rejected, lockOut: true},
	InFront:     {name: "in_front", outcome: outcome.Rejected},
	Token:       {name: "token", outcome: outcome.Rejected, lockOut: true},
	RolledBack:  {name: "rolled_back", outcome: outcome.Failed, retry: true},
	Unreadable:  {name: "unreadable", outcome: outcome.Unknown},
	Unreachable: {name: "unreachable", outcome: outcome.Failed, retry: true},
	TLS:         {name: "tls", outcome: outcome.Failed, retry: true},
	Timeout:     {name: "timeout", outcome: outcome.Unknown},
	Broken:      {name: "broken", outcome: outcome.Unknown},
	Late:        {name: "late", outcome: outcome.Shed},
	Breaker:     {name: "breaker", outcome: outcome.Shed},
	Standstill:  {name: "standstill", outcome: outcome.Shed},
	Stopped:     {name: "stopped", outcome: outcome.Abandoned},
}

// Outcome is the outcome of a hit that is not sent again.
func (c Class) Outcome() outcome.Outcome { return table[c].outcome }

// Retryable means that the request was certainly not accepted, and may be accepted if it is sent again unchanged.
func (c Class) Retryable() bool { return table[c].retry }

// Splittable means that the request was certainly not accepted, and may be accepted in smaller pieces.
func (c Class) Splittable() bool { return c == TooLarge }

// RisksLockout means that a wrong token may be the cause, and Matomo locks an address out after 20 of them
// (plugins/Login/Security/BruteForceDetection.php).
func (c Class) RisksLockout() bool { return table[c].lockOut }

// MayBeProcessing means that the server may still record the request: no answer, or a gateway gave up waiting.
func (a *Answer) MayBeProcessing() bool {
	return a.Class == Timeout || a.Class == Broken || a.Status == http.StatusBadGateway ||
		a.Status == http.StatusGatewayTimeout
}

// String returns the class's name in records.
func (c Class) String() string { return table[c].name }

// MarshalText implements encoding.TextMarshaler.
func (c Class) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *Class) UnmarshalText(text []byte) error {
	for i := range table {
		if table[i].name == string(text) {
			*c = Class(i)
			return nil
		}
	}
	return fmt.Errorf("unknown answer class %q", text)
}

// ErrTLS marks TLS errors whose type does not show it.
var ErrTLS = errors.New("TLS failed")

// FromError interprets err, for a request without an answer; sent means that at least one byte of it was sent.
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

// ofClientCertificate means that the server rejects the client's certificate, or requires one. With TLS 1.3 it does so
// after the client has sent its request, without reading it (RFC 8446, 4.4.2.4).
func ofClientCertificate(err error) bool {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" { // the alerts of crypto/tls have no type of their own
		return false
	}
	switch op.Err.Error() {
	case "tls: certificate required", "tls: bad certificate", "tls: unknown certificate authority",
		"tls: unsupported certificate", "tls: revoked certificate", "tls: expired certificate", "tls: unknown certificate":
		return true
	}
	return false
}

// reason describes an error without the address, which the caller knows.
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
