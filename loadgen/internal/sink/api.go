package sink

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/sink/reports"
)

// version is the Matomo that the Reporting API is that of: one that answers errors with a status of their own.
const version = "5.7.0"

// call is one call of the Reporting API.
type call struct {
	params map[string]string
	urls   []string // of API.getBulkRequest
	token  string
	site   int
}

// answer is what a call gets.
type answer struct {
	status int
	body   any
}

func refusal(status int, format string, args ...any) answer {
	return answer{status, map[string]string{"result": "error", "message": fmt.Sprintf(format, args...)}}
}

// serveReporting plays index.php?module=API. A token belongs in the body, but is taken from the address too.
func (s *Sink) serveReporting(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "unreadable request", http.StatusBadRequest)
		return
	}
	c := readCall(r.URL.RawQuery, string(body))
	if c.params["module"] != "API" {
		http.NotFound(w, r)
		return
	}
	s.mu.Lock()
	a := s.call(c)
	s.mu.Unlock()
	answerJSON(w, a.status, a.body)
}

// readCall merges forms, of which the first wins.
func readCall(forms ...string) call {
	c := call{params: map[string]string{}}
	for _, form := range slices.Backward(forms) {
		values, _ := url.ParseQuery(form) // what cannot be read is not there
		for name, all := range values {
			if strings.HasPrefix(name, "urls[") {
				c.urls = append(c.urls, all...)
				continue
			}
			c.params[name] = all[len(all)-1]
		}
	}
	c.token = c.params["token_auth"]
	c.site, _ = strconv.Atoi(c.params["idSite"]) // no number is no site
	return c
}

// call answers a call. The caller holds the lock.
func (s *Sink) call(c call) answer {
	method := c.params["method"]
	m, known := administration[method]
	switch {
	case method == "API.getBulkRequest":
		return s.callMany(c)
	case !known && !reports.Knows(method):
		return refusal(http.StatusBadRequest, "The method '%s' does not exist or is not available.", method)
	case !known:
		m.right = viewsSite
	}
	if !s.may(c, m.right) {
		return refusal(http.StatusUnauthorized, "You can't access this resource as it requires '%s' access.", m.right)
	}
	if known {
		return answer{http.StatusOK, m.answer(s, c)}
	}
	body, err := s.log.Answer(method,
		reports.Query{Site: c.site, Now: s.now(), Zone: s.cfg.Sites[c.site].Zone, Params: c.params})
	if err != nil {
		return refusal(http.StatusBadRequest, "%v", err)
	}
	return answer{http.StatusOK, body}
}

// callMany answers API.getBulkRequest: queries with the token of the whole.
func (s *Sink) callMany(c call) answer {
	all := []any{}
	for _, query := range c.urls {
		one := readCall(strings.TrimPrefix(query, "?"))
		one.token = c.token
		if one.params["method"] == "API.getBulkRequest" {
			return refusal(http.StatusBadRequest, "a bulk request may not hold another")
		}
		all = append(all, s.call(one).body)
	}
	return answer{http.StatusOK, all}
}

// right is what a call needs of its token.
type right string

const (
	viewsSome right = "some view"
	viewsSite right = "view"
	superuser right = "superuser"
)

func (s *Sink) may(c call, need right) bool {
	if c.token == "" {
		return false
	}
	write := s.cfg.Tokens[c.token]
	view := append(slices.Clone(write), s.cfg.Viewers[c.token]...)
	switch need {
	case viewsSome:
		return len(view) > 0
	case viewsSite:
		_, exists := s.cfg.Sites[c.site]
		return exists && slices.Contains(view, c.site)
	default:
		return !slices.ContainsFunc(slices.Collect(maps.Keys(s.cfg.Sites)), func(id int) bool {
			return !slices.Contains(write, id)
		})
	}
}

// failureKey is a kind of request that Matomo notes as not trackable (core/Tracker/Failures.php).
type failureKey struct {
	site    int
	problem string
}

// fail notes a rejected hit where Matomo would: a wrong token and an unknown site.
func (s *Sink) fail(h *hit, reason string, now time.Time) {
	if !strings.HasSuffix(reason, "without a valid token") && reason != "unknown site" {
		return
	}
	if key := (failureKey{h.key.site, reason}); s.failures[key].IsZero() && len(s.failures) < maxViolations {
		s.failures[key] = now
	}
}
