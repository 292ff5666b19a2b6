package sink

import (
	"cmp"
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

// visitorKey identifies a visitor: ids are unique per site.
type visitorKey struct {
	site int
	id   string
}

// hit is one tracking request, single or from a bulk request, as parsed by Matomo.
type hit struct {
	params          map[string]string
	token           string
	agent, lang, ip string // from the parameters, or else from the HTTP request
	key             visitorKey
	kind            *kind
}

// String describes the hit in a violation.
func (h *hit) String() string {
	return fmt.Sprintf("site %d, visitor %s, %s %s", h.key.site, h.key.id, h.kind.name, h.params["url"])
}

// has reports whether the parameter is present and not empty.
func (h *hit) has(name string) bool { return h.params[name] != "" }

// fault is a violation found by parsing.
type fault struct{ rule, parameter, value string }

// newHit returns a hit with these parameters, and reports faults. The visitor's id is uid, cid or _id, in this order
// (core/Tracker/Request.php), or else a simple fingerprint.
func (s *Sink) newHit(params map[string]string, token string, r *http.Request, faults ...fault) *hit {
	remote, _, _ := net.SplitHostPort(r.RemoteAddr) // always has a port
	h := &hit{
		params: params, token: cmp.Or(token, params["token_auth"]), agent: cmp.Or(params["ua"], r.UserAgent()),
		lang: cmp.Or(params["lang"], r.Header.Get("Accept-Language")), ip: cmp.Or(params["cip"], remote),
	}
	h.kind = s.cfg.Tracker.kindOf(params)
	h.key.site, _ = strconv.Atoi(params["idsite"]) // 0 is unknown
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
		_, _ = fmt.Fprint(f, h.ip, h.agent, h.lang) // never fails
		h.key.id = fmt.Sprintf("%016x", f.Sum64())
	}
	h.key.id = strings.Clone(h.key.id) // does not keep the body in memory
	for _, f := range faults {
		s.rules.report(h, f.rule, f.parameter, f.value)
	}
	return h
}

// parseForm parses a query string or form body into params like PHP: the last of equal names wins.
func parseForm(params map[string]string, text string) (faults []fault) {
	values, err := url.ParseQuery(text)
	for name, all := range values {
		if len(all) > 1 {
			faults = append(faults, fault{RuleRepeated, name, all[1]})
		}
		params[name] = all[len(all)-1]
	}
	if err != nil {
		faults = append(faults, fault{RuleEncoding, "", err.Error()})
	}
	return faults
}
