package sink

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// receipt is the answer to a bulk request (plugins/BulkTracking/Tracker/Response.php).
type receipt struct {
	Status  string `json:"status"`
	Tracked int    `json:"tracked"`
	Invalid int    `json:"invalid"`
}

// serveBulk tracks the hits of one JSON body, in their order. A bad hit does not stop the rest.
func (s *Sink) serveBulk(w http.ResponseWriter, r *http.Request, body []byte) {
	var bulk struct {
		Requests  []json.RawMessage `json:"requests"`
		Token     string            `json:"token_auth"`
		SendImage any               `json:"send_image"`
	}
	if json.Unmarshal(body, &bulk) != nil {
		answerJSON(w, http.StatusOK, receipt{Status: "success"}) // unreadable is nothing tracked, and no error
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
	if r.URL.Query().Has("token_auth") && len(hits) > 0 {
		s.rules.report(hits[0], RuleTokenQuery, "token_auth", "")
	}
	defer s.enter(hits...)()
	s.wait(r, len(hits))
	fault := s.drawFault()
	if !fault.stored {
		for _, h := range hits {
			s.glimpse(h)
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

// bulkHit reads one entry: an address with a query, or an object. A bare string is skipped without a word, as Matomo
// does, but not by the rules.
func (s *Sink) bulkHit(raw json.RawMessage, token string, r *http.Request) *hit {
	params := map[string]string{}
	var faults []fault
	var text string
	if json.Unmarshal(raw, &text) == nil {
		_, query, _ := strings.Cut(text, "?")
		if u, err := url.Parse(text); err == nil {
			query = u.RawQuery
		}
		if query == "" {
			s.newHit(params, token, r, fault{RuleEncoding, "requests", text})
			return nil
		}
		faults = parseForm(params, query)
	} else {
		var object map[string]any
		if json.Unmarshal(raw, &object) != nil {
			s.newHit(params, token, r, fault{RuleEncoding, "requests", string(raw)})
			return nil
		}
		for name, value := range object {
			params[name] = plain(value)
		}
	}
	return s.newHit(params, token, r, faults...)
}

// plain writes a JSON value as a form would carry it.
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
		b, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return string(b)
	}
}

// rollsBack says whether a hit of the batch makes Matomo undo all of it (core/Tracker/Action.php), and books that.
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
