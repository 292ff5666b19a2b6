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

// Raw is an answer as it came over HTTP. The slices are read and not kept.
type Raw struct {
	Status int
	// Server, Location and RetryAfter are the headers of these names, nil where there was none.
	Server, Location, RetryAfter []byte
	// Challenge says that the answer asks for a password (WWW-Authenticate), which Matomo never does.
	Challenge bool
	// Date is the server's clock, zero where it did not say.
	Date time.Time
	// Body is the answer's, or its beginning. Cut says that there was more, or that the connection ended in it.
	Body      []byte
	Truncated bool
	// Secrets are the token and the like, as they stand in the request; they are masked where they are quoted.
	Secrets []string
}

// Answer is what an answer means.
type Answer struct {
	Class Class `json:"class"`
	// Status is the HTTP status, 0 where there was no answer.
	Status int `json:"status,omitempty"`
	// RetryAfter is how long the server wants to be left alone, 0 where it did not say.
	RetryAfter time.Duration `json:"-"`
	// Server is who answered in place of Matomo, as it calls itself.
	Server string `json:"server,omitempty"`
	// Excerpt are the first words of the answer or of the error, where they are not Matomo's usual ones: without
	// tags, tokens and control characters.
	Excerpt string `json:"first_words,omitempty"`
	// Malformed says that the hits were accepted although something about the answer was wrong.
	Malformed bool `json:"odd,omitempty"`
	// Receipt is Matomo's for a bulk request, zero where there was none.
	Receipt Receipt `json:"receipt,omitzero"`
}

// HitClass is the class of hit i of the n hits of the request.
func (a *Answer) HitClass(i, n int) Class {
	if a.Class != Accepted {
		return a.Class
	}
	return a.Receipt.hit(i, n)
}

// TargetClass is the class that counts for the target of a request of n hits: one that tracked some of them takes hits.
func (a *Answer) TargetClass(n int) Class {
	if a.Receipt.Tracked > 0 {
		return Accepted
	}
	return a.HitClass(0, n)
}

// pixel begins Matomo's image (core/Tracker/Response.php, outputTransparentGif).
var pixel = []byte("GIF89a\x01\x00\x01\x00")

// image says that a body begins as an image: Matomo's GIF, or one of the other kinds that its setting custom_image may
// name (core/Tracker/Response.php, outputCustomImage).
func image(body []byte) bool {
	return bytes.HasPrefix(body, []byte("GIF8")) || bytes.HasPrefix(body, []byte("\x89PNG")) ||
		bytes.HasPrefix(body, []byte("\xff\xd8\xff"))
}

// own says that a body is Matomo's: with a refusal it sends its image, and always a line about itself
// (core/Tracker/Response.php, outputException and outputResponse); with one of a bulk request a report.
func own(body []byte) bool {
	if image(body) || bytes.Contains(body, []byte("part of Matomo")) || bytes.Contains(body, pixel) {
		return true
	}
	_, _, _, ok := readReport(body)
	return ok
}

// HitClass is what the answer to a single hit means.
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

// noTransaction is Matomo's whole answer, with status 200, to a bulk request that the database chose as the victim of a
// deadlock: piwik.php prints the exception. Nothing of such a request was ever found kept.
const noTransaction = "Error:There is no active transaction"

// ParseBulk is what the answer to a bulk request of n hits means.
func ParseBulk(r *Raw, n int) Answer {
	switch r.Status {
	case http.StatusNoContent:
		return r.noReceipt()
	case http.StatusOK:
		switch i := bytes.Index(r.Body, pixel); {
		case image(r.Body):
			return r.noReceipt()
		case i > 0:
			a := r.noReceipt()
			a.Excerpt = r.words(r.Body[:i])
			return a
		case bytes.HasPrefix(bytes.TrimSpace(r.Body), []byte(noTransaction)):
			return r.answer(RolledBack)
		}
		if status, receipt, other, _ := readReport(r.Body); status == "success" {
			return r.receipt(receipt, other, n)
		}
	case http.StatusInternalServerError:
		// Where Matomo counted no hit before it gave up, it kept none. Where it counted some they are as a rule rolled
		// back (plugins/BulkTracking/Tracker/Handler.php, onException), but not always: a deadlock over an option, of
		// which two requests at once for days without data can die, ends the transaction, is passed over (core/Db.php,
		// logExtraInfoIfDeadlock), and what follows is kept although the commit at the end fails.
		if status, receipt, _, _ := readReport(r.Body); status == "error" && receipt.Tracked == 0 {
			return r.answer(RolledBack)
		}
	}
	return r.refusal()
}

func (r *Raw) noReceipt() Answer { return Answer{Class: NoReceipt, Status: r.Status, Malformed: true} }

// receipt is what a receipt for n hits means.
func (r *Raw) receipt(said Receipt, other []byte, n int) Answer {
	a := Answer{Status: r.Status, Receipt: said}
	switch {
	case said.Tracked == 0 && said.Invalid == 0:
		return r.answer(NotNow) // tracking is switched off
	case said.Invalid >= n: // Matomo does not count the token of a bulk request as sent securely (plugins/UsersManager/Model.php)
		a.Class = Rejected
	case said.Tracked != n:
		a.Excerpt = fmt.Sprintf("%d hits tracked and %d invalid, of %d", said.Tracked, said.Invalid, n)
	}
	if len(other) > 0 {
		a.Malformed, a.Excerpt = true, r.words(other)
	}
	return a
}

// refusal is what an answer means that accepts nothing, whether to one hit or to many.
func (r *Raw) refusal() Answer {
	switch {
	case r.Status == http.StatusRequestEntityTooLarge:
		return r.answer(TooLarge)
	case r.Status == http.StatusRequestTimeout, r.Status == http.StatusTooManyRequests,
		r.Status == http.StatusServiceUnavailable:
		a := r.answer(NotNow)
		a.RetryAfter = r.wait()
		return a
	case r.Status == http.StatusUnauthorized && !r.Challenge, r.Status == http.StatusBadRequest &&
		bytes.Contains(exception(r.Body), []byte("token_auth")):
		return r.answer(Token)
	case r.Status >= 300 && r.Status < 400:
		a := r.answer(InFront)
		a.Excerpt = "redirect to " + destination(string(r.Location))
		return a
	case r.Status >= 400 && r.Status < 500 && own(r.Body):
		return r.answer(Rejected)
	case r.Status >= 400 && r.Status < 500:
		return r.answer(InFront)
	}
	return r.answer(Unreadable)
}

// exception is what Matomo says that it stumbled over, which it says in its debug mode alone
// (core/Tracker/Response.php, outputException). About the token that is "requires valid token_auth" or "requires
// &token_auth" (core/Tracker/Request.php, plugins/UserCountry/Columns/Base.php).
func exception(body []byte) []byte {
	_, after, _ := bytes.Cut(body, []byte("An exception occurred: "))
	said, _, _ := bytes.Cut(after, []byte("\n"))
	return said
}

// answer is one of a class that accepts nothing. Of an answer of Matomo's own it quotes the exception, the rest is
// usual.
func (r *Raw) answer(c Class) Answer {
	a := Answer{Class: c, Status: r.Status}
	switch said := exception(r.Body); {
	case len(said) > 0:
		a.Excerpt = r.words(said)
	case !own(r.Body):
		a.Excerpt, a.Server = r.quote(r.Body, r.Truncated), r.words(r.Server)
	}
	return a
}

// longestWait bounds what is taken from Retry-After.
const longestWait = 24 * time.Hour

// wait is how long the server wants to be left alone (RFC 9110, 10.2.3): seconds, or a date by its own clock.
func (r *Raw) wait() time.Duration {
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

// Receipt is what Matomo says of a bulk request. Tracked and Invalid are hits; they are fewer than were sent where
// Matomo left one out because its database was locked (plugins/BulkTracking/Tracker/Handler.php).
type Receipt struct {
	Tracked int `json:"tracked"`
	Invalid int `json:"invalid"`
	// Indices are those of the invalid hits, from 0; nil unless the token is a superuser's.
	Indices []int `json:"invalid_indices"`
}

// hit is the class of hit i of n. Nothing says which hits of a mixed receipt were tracked without a list of the invalid
// ones, which Matomo gives to superusers alone (plugins/BulkTracking/Tracker/Response.php), or where it left some out.
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

// readReport finds Matomo's report on a bulk request, its receipt with a status ("success", or "error" where it gave
// up), also among other text, which is then not empty.
func readReport(body []byte) (status string, r Receipt, other []byte, ok bool) {
	var said struct {
		Status           string
		Tracked, Invalid *int
		Indices          []int `json:"invalid_indices"`
	}
	if json.Unmarshal(body, &said) != nil {
		begin := bytes.Index(body, []byte(`{"status":`))
		if begin < 0 {
			return "", r, nil, false
		}
		d := json.NewDecoder(bytes.NewReader(body[begin:]))
		if d.Decode(&said) != nil {
			return "", r, nil, false
		}
		other = bytes.TrimSpace(slices.Concat(body[:begin], body[begin+int(d.InputOffset()):]))
	}
	if said.Tracked == nil || said.Invalid == nil || *said.Tracked < 0 || *said.Invalid < 0 {
		return "", r, nil, false
	}
	return said.Status, Receipt{*said.Tracked, *said.Invalid, said.Indices}, other, true
}

// ParseAPI is what the answer of the Reporting API means; accepted is one in JSON that is no error. Rejected and Token quote
// Matomo's message.
func ParseAPI(r *Raw) Answer {
	var said struct{ Result, Message string }
	// A list or a bare value fails to be read as an object, and is no error.
	if json.Unmarshal(r.Body, &said) == nil && said.Result == "error" && r.Status < http.StatusInternalServerError {
		a := Answer{Class: Rejected, Status: r.Status,
			Excerpt: cmp.Or(r.words([]byte(said.Message)), "no reason given")}
		if r.Status == http.StatusUnauthorized || ofRights(said.Message) {
			a.Class = Token
		}
		return a
	}
	if r.Status == http.StatusOK && !r.Truncated && json.Valid(r.Body) {
		return Answer{Status: r.Status}
	}
	return r.refusal()
}

// ofRights tells whether Matomo's message is about the token or the rights of its user, which versions before 5 say
// with the status of any other error (core/Access.php, core/NoAccessException.php).
func ofRights(message string) bool {
	message = strings.ToLower(message)
	return strings.Contains(message, "access") || strings.Contains(message, "token")
}
