package answer

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Raw is an HTTP answer. The slices are not retained.
type Raw struct {
	Status int
	// Server, Location and RetryAfter are the headers of these names, nil if missing.
	Server, Location, RetryAfter []byte
	// Challenge means that the answer requires a password (WWW-Authenticate), which Matomo never does.
	Challenge bool
	Date      time.Time // the server's clock, zero if missing
	// Body may be Truncated: there was more, or the connection was closed.
	Body      []byte
	Truncated bool
	Secrets   []string // masked in excerpts, in the form in which requests contain them
}

// Answer is an interpreted answer.
type Answer struct {
	Class      Class         `json:"class"`
	Status     int           `json:"status,omitempty"` // the HTTP status, 0 without an answer
	RetryAfter time.Duration `json:"-"`                // 0 if the server did not send it
	Server     string        `json:"server,omitempty"` // the name of the server that answered in place of Matomo
	// Excerpt are the first words of an unusual answer or error, without tags, tokens and control characters.
	Excerpt string `json:"first_words,omitempty"`
	// Malformed means that the hits were accepted although the answer was not as usual.
	Malformed bool    `json:"odd,omitempty"`
	Receipt   Receipt `json:"receipt,omitzero"` // Matomo's for a bulk request, zero if there was none
}

// HitClass returns the class of hit i of the request's n hits.
func (a *Answer) HitClass(i, n int) Class {
	if a.Class != Accepted {
		return a.Class
	}
	return a.Receipt.hit(i, n)
}

// TargetClass returns the class for the target of a request of n hits: Accepted if it tracked some of them.
func (a *Answer) TargetClass(n int) Class {
	if a.Receipt.Tracked > 0 {
		return Accepted
	}
	return a.HitClass(0, n)
}

// pixel is the start of Matomo's image (core/Tracker/Response.php, outputTransparentGif).
var pixel = []byte("GIF89a\x01\x00\x01\x00")

// image reports whether a body is an image: Matomo's GIF, or another kind that its setting custom_image may name
// (core/Tracker/Response.php, outputCustomImage).
func image(body []byte) bool {
	return bytes.HasPrefix(body, []byte("GIF8")) || bytes.HasPrefix(body, []byte("\x89PNG")) ||
		bytes.HasPrefix(body, []byte("\xff\xd8\xff"))
}

// own reports whether a body is Matomo's: an error has its image and a line about itself (core/Tracker/Response.php,
// outputException and outputResponse), that of a bulk request a report.
func own(body []byte) bool {
	if image(body) || bytes.Contains(body, []byte("part of Matomo")) || bytes.Contains(body, pixel) {
		return true
	}
	_, ok := readReport(body)
	return ok
}

// ParseHit interprets the answer to a single hit.
func ParseHit(r *Raw) Answer {
	switch {
	case r.Status == http.StatusNoContent, r.Status == http.StatusOK && image(r.Body):
		return Answer{Status: r.Status}
	case r.Status == http.StatusOK:
		if i := bytes.Index(r.Body, pixel); i > 0 {
			return Answer{Status: r.Status, Excerpt: r.words(r.Body[:i]), Malformed: true}
		}
	}
	return r.refusal()
}

// noTransaction is Matomo's complete answer, with status 200, to a bulk request that the database chose as the victim
// of a deadlock: piwik.php prints the exception. No part of such a request was ever found recorded.
const noTransaction = "Error:There is no active transaction"

// ParseBulk interprets the answer to a bulk request of n hits.
func ParseBulk(r *Raw, n int) Answer {
	noReceipt := Answer{Class: NoReceipt, Status: r.Status, Malformed: true}
	report, _ := readReport(r.Body)
	switch r.Status {
	case http.StatusNoContent:
		return noReceipt
	case http.StatusOK:
		switch i := bytes.Index(r.Body, pixel); {
		case image(r.Body):
			return noReceipt
		case i > 0:
			noReceipt.Excerpt = r.words(r.Body[:i])
			return noReceipt
		case bytes.HasPrefix(bytes.TrimSpace(r.Body), []byte(noTransaction)):
			return r.answer(RolledBack)
		case report.status == "success":
			return r.receipt(report, n)
		}
	case http.StatusInternalServerError:
		// If Matomo counted no hit before it gave up, it recorded none. Otherwise they are usually rolled back
		// (plugins/BulkTracking/Tracker/Handler.php, onException), but not always: a deadlock over an option, which can
		// end one of two simultaneous requests for days without data, ends the transaction and is ignored (core/Db.php,
		// logExtraInfoIfDeadlock), and what follows is recorded although the commit at the end fails.
		if report.status == "error" && report.Tracked == 0 {
			return r.answer(RolledBack)
		}
	}
	return r.refusal()
}

func (r *Raw) receipt(report report, n int) Answer {
	a := Answer{Status: r.Status, Receipt: report.Receipt}
	switch {
	case a.Receipt.Tracked == 0 && a.Receipt.Invalid == 0:
		return r.answer(NotNow) // tracking is switched off
	// Matomo does not count the token of a bulk request as sent securely (plugins/UsersManager/Model.php)
	case a.Receipt.Invalid >= n:
		a.Class = Rejected
	case a.Receipt.Tracked != n:
		a.Excerpt = fmt.Sprintf("%d hits tracked and %d invalid, of %d", a.Receipt.Tracked, a.Receipt.Invalid, n)
	}
	if len(report.other) > 0 {
		a.Malformed, a.Excerpt = true, r.words(report.other)
	}
	return a
}

func (r *Raw) refusal() Answer {
	switch {
	case r.Status == http.StatusRequestEntityTooLarge:
		return r.answer(TooLarge)
	case r.Status == http.StatusRequestTimeout, r.Status == http.StatusTooManyRequests,
		r.Status == http.StatusServiceUnavailable:
		a := r.answer(NotNow)
		a.RetryAfter = r.retryAfter()
		return a
	case r.Status == http.StatusUnauthorized && !r.Challenge, r.Status == http.StatusBadRequest &&
		bytes.Contains(exception(r.Body), []byte("token_auth")):
		return r.answer(Token)
	case r.Status/100 == 3:
		a := r.answer(InFront)
		a.Excerpt = "redirect to " + destination(string(r.Location))
		return a
	case r.Status/100 == 4 && own(r.Body):
		return r.answer(Rejected)
	case r.Status/100 == 4:
		return r.answer(InFront)
	}
	return r.answer(Unreadable)
}

// exception returns Matomo's exception, which it only prints in debug mode (core/Tracker/Response.php,
// outputException). About the token it is "requires valid token_auth" or "requires &token_auth"
// (core/Tracker/Request.php, plugins/UserCountry/Columns/Base.php).
func exception(body []byte) []byte {
	_, after, _ := bytes.Cut(body, []byte("An exception occurred: "))
	line, _, _ := bytes.Cut(after, []byte("\n"))
	return line
}

// answer is an answer of a class that accepts nothing. Of Matomo's own answers it only quotes the exception.
func (r *Raw) answer(c Class) Answer {
	a := Answer{Class: c, Status: r.Status}
	switch text := exception(r.Body); {
	case len(text) > 0:
		a.Excerpt = r.words(text)
	case !own(r.Body):
		a.Excerpt, a.Server = r.quote(r.Body, r.Truncated), r.words(r.Server)
	}
	return a
}

// longestWait bounds Retry-After.
const longestWait = 24 * time.Hour

// retryAfter parses Retry-After (RFC 9110, 10.2.3): seconds, or a date by the server's clock.
func (r *Raw) retryAfter() time.Duration {
	if len(r.RetryAfter) == 0 {
		return 0
	}
	n, err := strconv.ParseUint(string(r.RetryAfter), 10, 64)
	if err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(n, uint64(longestWait/time.Second))) * time.Second
	}
	at, err := http.ParseTime(string(r.RetryAfter))
	if err != nil || r.Date.IsZero() {
		return 0
	}
	return min(max(0, at.Sub(r.Date)), longestWait)
}

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

// Receipt is Matomo's count of a bulk request's hits. They are fewer than were sent if Matomo left some out because its
// database was locked (plugins/BulkTracking/Tracker/Handler.php).
type Receipt struct {
	Tracked int `json:"tracked"`
	Invalid int `json:"invalid"`
	// Indices of the invalid hits, from 0; nil unless the token is a superuser's.
	Indices []int `json:"invalid_indices"`
}

// hit is the class of hit i of n. A mixed receipt only tells which hits were tracked if it lists the invalid ones,
// which it does for superusers (plugins/BulkTracking/Tracker/Response.php), and if Matomo left none out.
func (r *Receipt) hit(i, n int) Class {
	counted := r.Tracked + r.Invalid
	switch {
	case counted == 0, r.Tracked == n:
		return Accepted
	case r.Invalid == n:
		return Rejected
	case r.Indices == nil, counted != n, len(r.Indices) != r.Invalid:
		return Unreadable
	case slices.Contains(r.Indices, i):
		return Rejected
	}
	return Accepted
}

// report is Matomo's report on a bulk request.
type report struct {
	status string // "success", or "error" if Matomo gave up
	Receipt
	other []byte // the text around the report
}

// readReport finds a report in a body.
func readReport(body []byte) (report, bool) {
	var v struct {
		Status           string
		Tracked, Invalid *int
		Indices          []int `json:"invalid_indices"`
	}
	var other []byte
	if json.Unmarshal(body, &v) != nil {
		start := bytes.Index(body, []byte(`{"status":`))
		if start < 0 {
			return report{}, false
		}
		d := json.NewDecoder(bytes.NewReader(body[start:]))
		if d.Decode(&v) != nil {
			return report{}, false
		}
		other = bytes.TrimSpace(slices.Concat(body[:start], body[start+int(d.InputOffset()):]))
	}
	if v.Tracked == nil || v.Invalid == nil || *v.Tracked < 0 || *v.Invalid < 0 {
		return report{}, false
	}
	return report{v.Status, Receipt{*v.Tracked, *v.Invalid, v.Indices}, other}, true
}

// ParseAPI interprets an answer of the Reporting API: JSON that is not an error is Accepted. Rejected and Token quote
// Matomo's message.
func ParseAPI(r *Raw) Answer {
	var v struct{ Result, Message string }
	// A list or a bare value cannot be decoded, and is no error.
	if json.Unmarshal(r.Body, &v) == nil && v.Result == "error" && r.Status < http.StatusInternalServerError {
		a := Answer{Class: Rejected, Status: r.Status, Excerpt: cmp.Or(r.words([]byte(v.Message)), "no reason given")}
		// Versions before 5 have no status for missing rights (core/Access.php, core/NoAccessException.php).
		message := strings.ToLower(v.Message)
		if r.Status == http.StatusUnauthorized || strings.Contains(message, "access") ||
			strings.Contains(message, "token") {
			a.Class = Token
		}
		return a
	}
	if r.Status == http.StatusOK && !r.Truncated && json.Valid(r.Body) {
		return Answer{Status: r.Status}
	}
	return r.refusal()
}
