package answer

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strings"
)

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
