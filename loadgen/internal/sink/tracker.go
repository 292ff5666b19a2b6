package sink

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const maxBody = 64 << 20 // bytes; Matomo has no limit of its own, PHP's is commonly less

// gif is the tracker's response: one transparent pixel, 43 bytes (core/Tracker/Response.php).
const gif = "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00" +
	"!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"

// serveTracker imitates matomo.php.
func (s *Sink) serveTracker(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	s.mu.Lock()
	s.counts.Requests++
	s.mu.Unlock()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil || r.Header.Get("Content-Encoding") != "" || r.Method == http.MethodHead {
		s.refuse(w, "unreadable request")
		return
	}
	if strings.Contains(string(body), `"requests"`) {
		s.serveBulk(w, r, body)
		return
	}
	s.serveSingle(w, r, string(body))
}

func (s *Sink) serveSingle(w http.ResponseWriter, r *http.Request, body string) {
	params := map[string]string{}
	faults := parseForm(params, body)
	faults = append(faults, parseForm(params, r.URL.RawQuery)...) // the URL takes precedence over the body
	if len(params) == 0 && len(faults) == 0 {
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, "This is the sink of loadgen, a fake Matomo tracker.\n") // the client may be gone
			return
		}
		s.refuse(w, "empty request")
		return
	}
	h := s.newHit(params, "", r, faults...)
	s.rules.reportIf(r.URL.Query().Has("token_auth"), h, RuleTokenQuery, "token_auth", "")
	s.rules.reportIf(r.Method == http.MethodGet && h.token != "", h, RuleTokenGET, "token_auth", "")
	image := params["send_image"] != "0"
	if s.cfg.Tracker.off { // record_statistics=0 (core/Tracker/Response.php)
		w.WriteHeader(map[bool]int{true: http.StatusServiceUnavailable, false: http.StatusNoContent}[image])
		return
	}
	defer s.enter(h)()
	s.wait(r, 1)
	fault := s.drawFault()
	if !fault.stored {
		s.skip(h)
		fault.fail(w)
		return
	}
	v := s.track(h)
	switch {
	case fault.name != "":
		fault.fail(w)
	case v.rejected:
		refuse(w, image)
	case !image:
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Content-Type", "image/gif")
		_, _ = io.WriteString(w, gif) // the client may be gone
	}
}

// refuse responds with 400 to a request without a readable hit.
func (s *Sink) refuse(w http.ResponseWriter, reason string) {
	s.mu.Lock()
	s.counts.Rejected[reason]++
	s.mu.Unlock()
	refuse(w, true)
}

// about follows the image in responses with status 400 (core/Tracker/Response.php, outputResponse).
const about = "This resource is part of Matomo. Keep full control of your data with the leading free and open source " +
	"web analytics & conversion optimisation platform.<br>\n"

// refuse responds with 400 like Matomo, without a reason.
func refuse(w http.ResponseWriter, image bool) {
	w.Header().Set("Content-Type", "image/gif")
	w.WriteHeader(http.StatusBadRequest)
	if image {
		_, _ = io.WriteString(w, gif) // the client may be gone
	}
	_, _ = io.WriteString(w, about)
}

// enter records requests of these visitors as in flight until leave is called, and reports parallel ones.
func (s *Sink) enter(hits ...*hit) (leave func()) {
	keys := map[visitorKey]*hit{}
	for _, h := range hits {
		keys[h.key] = h
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, h := range keys {
		if s.inFlight[key] > 0 {
			s.rules.report(h, RuleParallel, "cid", key.id)
		}
		s.inFlight[key]++
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for key := range keys {
			if s.inFlight[key]--; s.inFlight[key] == 0 {
				delete(s.inFlight, key)
			}
		}
	}
}

func answerJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client may be gone
}

// receipt is the response to a bulk request (plugins/BulkTracking/Tracker/Response.php).
type receipt struct {
	Status  string `json:"status"`
	Tracked int    `json:"tracked"`
	Invalid int    `json:"invalid"`
}

// serveBulk tracks the hits of a JSON body in order. Rejected hits do not affect the others.
func (s *Sink) serveBulk(w http.ResponseWriter, r *http.Request, body []byte) {
	var bulk struct {
		Requests  []json.RawMessage `json:"requests"`
		Token     string            `json:"token_auth"`
		SendImage any               `json:"send_image"`
	}
	if json.Unmarshal(body, &bulk) != nil {
		answerJSON(w, http.StatusOK, receipt{Status: "success"}) // no error, although nothing was tracked
		return
	}
	switch t := s.cfg.Tracker; {
	case t.off:
		answerJSON(w, http.StatusOK, receipt{Status: "success"})
		return
	case t.bulkNeedsToken && len(s.cfg.Tokens[bulk.Token]) == 0:
		answerJSON(w, http.StatusInternalServerError, receipt{Status: "error"})
		return
	}
	var hits []*hit
	for _, raw := range bulk.Requests {
		if h := s.bulkHit(raw, bulk.Token, r); h != nil {
			hits = append(hits, h)
		}
	}
	if len(hits) > 0 {
		s.rules.reportIf(r.URL.Query().Has("token_auth"), hits[0], RuleTokenQuery, "token_auth", "")
	}
	defer s.enter(hits...)()
	s.wait(r, len(hits))
	fault := s.drawFault()
	if !fault.stored {
		for _, h := range hits {
			s.skip(h)
		}
		fault.fail(w)
		return
	}
	if s.rollsBack(hits) {
		answerJSON(w, http.StatusInternalServerError, receipt{Status: "error"})
		return
	}
	answer := receipt{Status: "success"}
	for _, h := range hits {
		if s.track(h).rejected {
			answer.Invalid++
		} else {
			answer.Tracked++
		}
	}
	if fault.name != "" {
		fault.fail(w)
		return
	}
	if quiet := fmt.Sprint(bulk.SendImage); quiet == "0" || quiet == "false" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	answerJSON(w, http.StatusOK, answer)
}

// bulkHit parses one entry: a URL with a query, or an object. It reports others and returns nil: Matomo skips them.
func (s *Sink) bulkHit(raw json.RawMessage, token string, r *http.Request) *hit {
	params := map[string]string{}
	var text string
	var object map[string]any
	switch {
	case json.Unmarshal(raw, &text) == nil:
		_, query, _ := strings.Cut(text, "?")
		if u, err := url.Parse(text); err == nil {
			query = u.RawQuery
		}
		if query != "" {
			return s.newHit(params, token, r, parseForm(params, query)...)
		}
	case json.Unmarshal(raw, &object) == nil:
		for name, value := range object {
			params[name] = plain(value)
		}
		return s.newHit(params, token, r)
	default:
		text = string(raw)
	}
	s.newHit(params, token, r, fault{RuleEncoding, "requests", text})
	return nil
}

// plain formats a JSON value like a form.
func plain(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case bool:
		if v {
			return "1"
		}
		return ""
	case nil:
		return ""
	default:
		b, _ := json.Marshal(v) // it was just parsed
		return string(b)
	}
}

// rollsBack reports whether a hit makes Matomo reject all of the request (core/Tracker/Action.php), and counts them.
func (s *Sink) rollsBack(hits []*hit) bool {
	for _, h := range hits {
		if s.excluded(h) == "" && (noAction(h) || halved(h)) {
			s.mu.Lock()
			s.counts.Rejected[refused(h)] += int64(len(hits))
			s.mu.Unlock()
			return true
		}
	}
	return false
}

// Window is an outage, relative to the sink's start.
type Window struct {
	After, For time.Duration
	// Status is the response to every request; 0 closes the connection without one.
	Status int
}

// wait delays a response by Delay and the queue of a server that handles Limit hits per second, or until the client is
// gone.
func (s *Sink) wait(r *http.Request, hits int) {
	if wait := s.cfg.Delay + s.queue(hits); wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
		}
	}
}

// queue adds hits to the queue and returns when they are done.
func (s *Sink) queue(hits int) time.Duration {
	if s.cfg.Limit <= 0 {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now() // not the sink's clock, because wait really waits
	if s.idleAt.Before(now) {
		s.idleAt = now
	}
	s.idleAt = s.idleAt.Add(time.Duration(float64(hits) / s.cfg.Limit * float64(time.Second)))
	return s.idleAt.Sub(now)
}

// requestFault is an intended fault of a request.
type requestFault struct {
	name   string // "" for none
	stored bool
	status int // 0 closes the connection
}

// drawFault draws the fault of a request. It always draws all shares, so that one does not affect another.
func (s *Sink) drawFault() requestFault {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.requestRand
	drop, broken, stored := r.Float64() < s.cfg.DropShare, r.Float64() < s.cfg.ErrorShare, r.IntN(2) == 0
	f := requestFault{stored: true}
	switch window := s.outage(); {
	case window != nil:
		f = requestFault{name: "outage", status: window.Status}
	case drop && stored:
		f = requestFault{name: "dropped, stored", stored: true}
	case drop:
		f = requestFault{name: "dropped"}
	case broken:
		f = requestFault{name: fmt.Sprintf("answered %d", s.cfg.ErrorStatus), status: s.cfg.ErrorStatus}
	}
	if f.name != "" {
		s.counts.Faults[f.name]++
	}
	return f
}

// outage returns the current one, or nil.
func (s *Sink) outage() *Window {
	since := s.cfg.Now().Sub(s.start)
	for i, w := range s.cfg.Outages {
		if since >= w.After && since < w.After+w.For {
			return &s.cfg.Outages[i]
		}
	}
	return nil
}

// fail responds with the fault.
func (f requestFault) fail(w http.ResponseWriter) {
	if f.status == 0 {
		panic(http.ErrAbortHandler) // closes the connection without a log line
	}
	http.Error(w, "injected fault", f.status)
}
