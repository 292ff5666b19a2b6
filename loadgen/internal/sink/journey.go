package sink

import (
	"hash/maphash"
	"net/url"
	"slices"
	"strings"
	"time"
)

// journey is a visit of the sender, which Matomo may split, as far as the rules for later hits need it. Times are in
// Unix seconds.
type journey struct {
	last   int64 // of any hit
	acted  int64 // of the last hit except pings
	host   string
	pages  []string // pv_id of the pages so far
	lost   []string // pv_id of pages that the sink lost on purpose; they may be sent again
	traits [len(traitNames)]uint64
}

// traitNames are the parameters of the visitor, which must not change during a visit.
var traitNames = [...]string{"ua", "res", "lang", "country", "cip", "uadata"}

// follow checks a hit against the previous hits of its visitor, and reports whether it continues their journey. The
// caller holds the lock.
func (s *Sink) follow(j *journey, h *hit, at time.Time) (continued bool) {
	now := at.Unix()
	known := j.last != 0
	if !known && h.kind == kindPing && !h.has("pv_id") {
		return false // a test whether hits are accepted, which Matomo does not record (plugins/Heartbeat)
	}
	s.rules.reportIf(known && now < j.last, h, RuleBackward, "cdt", at.UTC().Format(time.DateTime))
	host := hostOf(h.params["url"])
	continued = known && !filled(h.params["new_visit"])
	if continued && now-j.acted >= int64(defaultLength/time.Second) {
		continued = j.continuedBy(h, host) // otherwise the visitor returns, which is correct
		s.rules.reportIf(continued, h, RuleGap, "cdt", time.Duration(now-j.acted).String())
	}
	if continued {
		s.checkLater(j, h, host)
	} else {
		s.checkFirst(h)
		*j = s.newJourney(h, host)
	}
	j.update(h, now)
	s.checkPageview(j, h)
	return continued
}

// skip adds a hit that the sink loses on purpose to its journey: the sender continues from there.
func (s *Sink) skip(h *hit) {
	at, _ := s.timeOf(h, s.now())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skipLocked(h, at)
}

// skipLocked is skip for callers that hold the lock.
func (s *Sink) skipLocked(h *hit, at time.Time) {
	j := &s.visitor(h.key).journey
	if j.last == 0 {
		*j = s.newJourney(h, hostOf(h.params["url"]))
	}
	j.update(h, at.Unix())
	if id := h.params["pv_id"]; h.isPage() && id != "" {
		j.lost = append(j.lost, strings.Clone(id))
	}
}

func (s *Sink) newJourney(h *hit, host string) journey {
	j := journey{host: strings.Clone(host)}
	for i := range traitNames {
		j.traits[i] = s.trait(h, i)
	}
	return j
}

func (j *journey) update(h *hit, now int64) {
	j.last = max(j.last, now)
	if h.kind != kindPing {
		j.acted = max(j.acted, now)
	}
}

func (j *journey) continuedBy(h *hit, host string) bool {
	return !h.isPage() || j.hasPage(h.params["pv_id"]) || (host != "" && hostOf(h.params["urlref"]) == host)
}

func (j *journey) hasPage(id string) bool {
	return slices.Contains(j.pages, id) || slices.Contains(j.lost, id)
}

func (s *Sink) checkFirst(h *hit) {
	switch {
	case h.isPage():
	case h.kind.show == nil:
		s.rules.report(h, RuleNoPage, "", h.kind.name)
	default:
		s.rules.report(h, RuleExtraFirst, "", h.kind.name)
	}
}

func (s *Sink) checkLater(j *journey, h *hit, host string) {
	s.rules.reportIf(host != j.host, h, RuleHost, "url", host+" after "+j.host)
	retried := h.isPage() && slices.Contains(j.lost, h.params["pv_id"]) // may be the first page
	from := hostOf(h.params["urlref"])
	s.rules.reportIf(from != "" && from != host && !retried, h, RuleReferrer, "urlref", h.params["urlref"])
	for i, name := range traitNames {
		s.rules.reportIf(s.trait(h, i) != j.traits[i], h, RuleTrait, name, h.params[name])
	}
}

// checkPageview checks that a page has a new id, and any other hit that of an earlier page.
func (s *Sink) checkPageview(j *journey, h *hit) {
	id := h.params["pv_id"]
	switch {
	case !h.isPage() && !j.hasPage(id):
		s.rules.report(h, RulePageview, "pv_id", id)
	case h.isPage() && id != "" && slices.Contains(j.pages, id):
		s.rules.report(h, RulePageview, "pv_id", id+" is that of an earlier page, but this is a new one")
	case h.isPage() && id != "":
		j.pages = append(j.pages, strings.Clone(id))
	}
}

// trait returns a hash, which takes less memory than a user agent.
func (s *Sink) trait(h *hit, i int) uint64 {
	value := h.params[traitNames[i]]
	if traitNames[i] == "ua" {
		value = h.agent
	}
	return maphash.String(s.seed, value)
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}
