package tracking

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
)

// judge tells what became of a hit.
func judge(a *answer) Result {
	switch {
	case a.status == http.StatusNoContent, a.status == http.StatusOK && bytes.HasPrefix(a.body, []byte("GIF8")):
		return Result{Outcome: Accepted}
	case a.status == http.StatusOK:
		return Result{Outcome: Rejected, Reason: "answered 200, but not as Matomo's tracker does: is the address that of matomo.php?"}
	case a.status >= 500 && a.status != http.StatusServiceUnavailable:
		return Result{Outcome: Unknown, Reason: fmt.Sprintf("answered %d", a.status)}
	default:
		return refusal(a)
	}
}

// Receipt is what Matomo says of a bulk request. Tracked and Invalid are hits; they are fewer than were sent where
// Matomo left one out because its database was locked (plugins/BulkTracking/Tracker/Handler.php).
type Receipt struct {
	Tracked int `json:"tracked"`
	Invalid int `json:"invalid"`
	// Indices are those of the invalid hits, from 0; nil unless the token is a superuser's.
	Indices []int `json:"invalid_indices"`
}

// Hit is what became of hit i of the n of a request with this receipt, zero where there was none; whole is the outcome of
// the request. Nothing tells which hits of a mixed receipt were tracked without a list of the invalid ones, which Matomo
// gives to superusers alone (plugins/BulkTracking/Tracker/Response.php), or where it left some out because its database
// was locked.
func (r *Receipt) Hit(i, n int, whole Outcome) Outcome {
	told := r.Tracked + r.Invalid
	switch {
	case whole != Accepted, told == 0, r.Tracked == n:
		return whole
	case r.Invalid == n:
		return Rejected
	case r.Indices == nil, told != n, len(r.Indices) != r.Invalid:
		return Unknown
	case slices.Contains(r.Indices, i):
		return Rejected
	}
	return Accepted
}

// rolledBack tells whether a 500 surely left nothing behind: Matomo counted no hit before it gave up. Where it counted
// some they are as a rule rolled back (plugins/BulkTracking/Tracker/Handler.php, onException), but not always: a deadlock
// over an option, of which two requests at once for days without data can die, ends the transaction, is passed over
// (core/Db.php, logExtraInfoIfDeadlock), and what follows is kept although the commit at the end fails.
func rolledBack(a *answer) bool {
	var said struct {
		Status  string `json:"status"`
		Tracked *int   `json:"tracked"`
	}
	return json.Unmarshal(a.body, &said) == nil && said.Status == "error" && said.Tracked != nil && *said.Tracked == 0
}

// judgeBulk tells what became of a bulk request.
func judgeBulk(a *answer) (Result, Receipt) {
	switch {
	case a.status == http.StatusInternalServerError && rolledBack(a):
		return Result{Outcome: Failed, Retry: true, Reason: "answered 500: the whole request was rolled back"}, Receipt{}
	case a.status >= 500 && a.status != http.StatusServiceUnavailable:
		return Result{Outcome: Unknown, Reason: fmt.Sprintf("answered %d", a.status)}, Receipt{}
	case a.status != http.StatusOK:
		return refusal(a), Receipt{}
	}
	var said struct {
		Status string `json:"status"`
		Receipt
	}
	switch err := json.Unmarshal(a.body, &said); {
	case err != nil || said.Status != "success" || said.Tracked < 0 || said.Invalid < 0:
		return Result{Outcome: Rejected, Reason: "answered 200, but with no receipt for a bulk request: is the BulkTracking plugin active?"}, Receipt{}
	case said.Tracked == 0 && said.Invalid == 0:
		return Result{Outcome: Failed, Retry: true, Reason: "tracked none of the hits: tracking is switched off"}, Receipt{}
	case said.Tracked == 0:
		// Matomo does not count the token of a bulk request as sent securely (plugins/UsersManager/Model.php).
		return Result{Outcome: Accepted, Reason: "called all hits invalid: the token has no write access to the site, is a superuser's for secure requests only, or the site does not exist"}, said.Receipt
	case said.Invalid > 0:
		return Result{Outcome: Accepted, Reason: fmt.Sprintf("called %d hits invalid", said.Invalid)}, said.Receipt
	}
	return Result{Outcome: Accepted}, said.Receipt
}

// refusal judges the answers that mean the same for a hit and for many.
func refusal(a *answer) Result {
	switch {
	case a.status == http.StatusServiceUnavailable:
		return Result{Outcome: Failed, Retry: true, Reason: "answered 503: tracking is switched off or the server is overloaded"}
	case a.status >= 300 && a.status < 400:
		return Result{Outcome: Rejected, Reason: fmt.Sprintf("answered %d, a redirect to %s: use that address", a.status, destination(a.location))}
	case a.status == http.StatusBadRequest:
		return Result{Outcome: Rejected, Reason: "answered 400: the token has no write access to the site, the site does not exist, or Matomo's database is down"}
	case a.status == http.StatusNotFound:
		return Result{Outcome: Rejected, Reason: "answered 404: no tracker at that address"}
	default:
		return Result{Outcome: Rejected, Reason: fmt.Sprintf("answered %d", a.status)}
	}
}

// destination is where a redirect leads, without what could be a secret.
func destination(location string) string {
	u, err := url.Parse(location)
	if err != nil || location == "" {
		return "nowhere"
	}
	u.RawQuery, u.Fragment, u.User = "", "", nil
	if u.Host == "" {
		return u.String() + " on the same host"
	}
	return u.String()
}

// reason tells an error without the address, which the caller knows.
func reason(err error) string {
	var cert *tls.CertificateVerificationError
	var op *net.OpError
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded), isTimeout(err):
		return "no answer in time"
	case errors.As(err, &cert):
		return "TLS failed: " + cert.Err.Error()
	case errors.As(err, &op) && op.Op != "dial": // the address here has a port that says nothing
		return op.Op + ": " + op.Err.Error()
	}
	return err.Error()
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}
