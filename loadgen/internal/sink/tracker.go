package sink

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

const maxBody = 64 << 20 // bytes; Matomo has no limit of its own, PHP's is commonly less

// gif is one transparent pixel, 43 bytes, the answer of a tracker (core/Tracker/Response.php).
const gif = "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00" +
	"!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"

const emptyRequest = "This is the sink of loadgen, a stand-in for Matomo's tracker.\n"

// serveTracker plays matomo.php.
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
	faults = append(faults, parseForm(params, r.URL.RawQuery)...) // the address wins over the body
	if len(params) == 0 && len(faults) == 0 {
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, emptyRequest) // the client may be gone
			return
		}
		s.refuse(w, "empty request")
		return
	}
	h := s.newHit(params, "", r, faults...)
	s.checkToken(h, r)
	image := params["send_image"] != "0"
	if s.cfg.Tracker.off { // record_statistics=0 (core/Tracker/Response.php)
		w.WriteHeader(map[bool]int{true: http.StatusServiceUnavailable, false: http.StatusNoContent}[image])
		return
	}
	defer s.enter(h)()
	s.wait(r, 1)
	fault := s.drawFault()
	if !fault.stored {
		s.glimpse(h)
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

// refuse answers 400 to a request in which no hit could be read.
func (s *Sink) refuse(w http.ResponseWriter, reason string) {
	s.mu.Lock()
	s.counts.Rejected[reason]++
	s.mu.Unlock()
	refuse(w, true)
}

// about is what a tracker says with each refusal, after its image (core/Tracker/Response.php, outputResponse).
const about = "This resource is part of Matomo. Keep full control of your data with the leading free and open source " +
	"web analytics & conversion optimisation platform.<br>\n"

// refuse answers 400 as Matomo does, which does not say why.
func refuse(w http.ResponseWriter, image bool) {
	w.Header().Set("Content-Type", "image/gif")
	w.WriteHeader(http.StatusBadRequest)
	if image {
		_, _ = io.WriteString(w, gif) // the client may be gone
	}
	_, _ = io.WriteString(w, about)
}

// checkToken objects to tokens where logs keep them.
func (s *Sink) checkToken(h *hit, r *http.Request) {
	if r.URL.Query().Has("token_auth") {
		s.rules.report(h, RuleTokenQuery, "token_auth", "")
	}
	if r.Method == http.MethodGet && h.token != "" {
		s.rules.report(h, RuleTokenGET, "token_auth", "")
	}
}

// enter notes that requests of these visitors are in flight, and objects where one already is. The returned function
// takes the note back.
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
