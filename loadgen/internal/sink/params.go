package sink

import (
	"crypto/sha1" //nolint:gosec // Matomo's own way from user id to visitor id
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// visitorKey tells visitors apart: ids count per site.
type visitorKey struct {
	site int
	id   string
}

// hit is one tracking request, single or out of a bulk, as Matomo would read it.
type hit struct {
	params map[string]string
	token  string
	// agent, lang and ip are what holds after the parameters took precedence over the HTTP request.
	agent, lang, ip string
	key             visitorKey
	kind            *kind
}

// String names the hit in a violation.
func (h *hit) String() string {
	return fmt.Sprintf("site %d, visitor %s, %s %s", h.key.site, h.key.id, h.kind.name, h.params["url"])
}

// has says whether the parameter is there and not empty.
func (h *hit) has(name string) bool { return h.params[name] != "" }

// fault is an objection to how a hit is written, found while reading it.
type fault struct{ rule, parameter, value string }

// newHit reads merged parameters, and reports what was wrong with how they are written. The order of precedence for the
// visitor's id is uid, cid, _id (core/Tracker/Request.php); without any, Matomo falls back to a fingerprint, and so
// does the sink, roughly.
func (s *Sink) newHit(params map[string]string, token string, r *http.Request, faults ...fault) *hit {
	h := &hit{params: params, token: token, agent: params["ua"], lang: params["lang"], ip: params["cip"]}
	if h.token == "" {
		h.token = params["token_auth"]
	}
	if h.agent == "" {
		h.agent = r.UserAgent()
	}
	if h.lang == "" {
		h.lang = r.Header.Get("Accept-Language")
	}
	if h.ip == "" {
		h.ip, _, _ = net.SplitHostPort(r.RemoteAddr) // an address without a port is no address of this server
	}
	h.kind = s.cfg.Tracker.kindOf(params)
	h.key.site, _ = strconv.Atoi(params["idsite"]) // no number is no site
	switch {
	case h.has("uid"):
		sum := sha1.Sum([]byte(params["uid"])) //nolint:gosec // see import
		h.key.id = hex.EncodeToString(sum[:])[:idLength]
	case h.has("cid"):
		h.key.id = params["cid"]
	case len(params["_id"]) >= idLength:
		h.key.id = params["_id"][:idLength]
	default:
		f := fnv.New64a()
		_, _ = fmt.Fprint(f, h.ip, h.agent, h.lang) // a hash takes everything
		h.key.id = fmt.Sprintf("%016x", f.Sum64())
	}
	h.key.id = strings.Clone(h.key.id) // the map key must not hold the whole body
	for _, f := range faults {
		s.rules.report(h, f.rule, f.parameter, f.value)
	}
	return h
}

// mergeValues flattens form values as PHP does: of equal names the last wins, and arrays are left out because Matomo
// falls back to the default for them.
func mergeValues(into map[string]string, values url.Values) []fault {
	var faults []fault
	for name, all := range values {
		if len(all) > 1 {
			faults = append(faults, fault{RuleRepeated, name, all[1]})
		}
		into[name] = all[len(all)-1]
	}
	return faults
}

// parseForm reads a query string or a form body. What cannot be decoded is left out and told.
func parseForm(into map[string]string, text string) []fault {
	values, err := url.ParseQuery(text)
	faults := mergeValues(into, values)
	if err != nil {
		faults = append(faults, fault{RuleEncoding, "", err.Error()})
	}
	return faults
}
