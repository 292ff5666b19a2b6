package sink

import (
	"hash/maphash"
	"net/url"
	"slices"
	"strings"
	"time"
)

// journey is a visit as its sender meant it, which Matomo may record as several. It holds what the rules need to
// judge the next hit. Times are Unix seconds.
type journey struct {
	last   int64 // of any hit
	acted  int64 // of the last hit but pings
	host   string
	pages  []string // pv_id of the pages so far
	lost   []string // pv_id of pages that the sink itself lost on purpose; they may come again
	traits [len(traitNames)]uint64
}

// traitNames are the parameters that make the person; they must not change inside a visit.
var traitNames = [...]string{"ua", "res", "lang", "country", "cip", "uadata"}

// follow judges a hit by what its visitor did before, and says whether the hit goes on with the same journey. The
// caller holds the lock.
func (s *Sink) follow(j *journey, h *hit, at time.Time) (goesOn bool) {
	now := at.Unix()
	known := j.last != 0
	if !known && h.kind == kindPing && !h.has("pv_id") {
		return false // a question whether hits are taken, which Matomo stores nothing for (plugins/Heartbeat)
	}
	if known && now < j.last {
		s.rules.report(h, RuleBackward, "cdt", at.UTC().Format(time.DateTime))
	}
	host := hostOf(h.params["url"])
	goesOn = known && !filled(h.params["new_visit"])
	if goesOn && now-j.acted >= int64(defaultLength/time.Second) {
		// A returning visitor is no fault; one who goes on where he was is.
		goesOn = j.continuedBy(h, host)
		if goesOn {
			s.rules.report(h, RuleGap, "cdt", time.Duration(now-j.acted).String())
		}
	}
	if goesOn {
		s.checkLater(j, h, host)
	} else {
		s.checkFirst(h)
		*j = s.beginning(h, host)
	}
	j.reach(h, now)
	s.checkPageview(j, h)
	return goesOn
}

// glimpse remembers a hit that the sink loses on purpose: its sender did nothing wrong and goes on from there.
func (s *Sink) glimpse(h *hit) {
	at, _ := s.moment(h, s.now())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.passBy(h, at)
}

// passBy is glimpse for who holds the lock.
func (s *Sink) passBy(h *hit, at time.Time) {
	j := &s.visitor(h.key).journey
	if j.last == 0 {
		*j = s.beginning(h, hostOf(h.params["url"]))
	}
	j.reach(h, at.Unix())
	if id := h.params["pv_id"]; h.isPage() && id != "" {
		j.lost = append(j.lost, strings.Clone(id))
	}
}

func (s *Sink) beginning(h *hit, host string) journey {
	j := journey{host: strings.Clone(host)}
	for i := range traitNames {
		j.traits[i] = s.trait(h, i)
	}
	return j
}

func (j *journey) reach(h *hit, now int64) {
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
	if host != j.host {
		s.rules.report(h, RuleHost, "url", host+" after "+j.host)
	}
	again := h.isPage() && slices.Contains(j.lost, h.params["pv_id"]) // perhaps the entry, sent again
	if from := hostOf(h.params["urlref"]); from != "" && from != host && !again {
		s.rules.report(h, RuleReferrer, "urlref", h.params["urlref"])
	}
	for i, name := range traitNames {
		if s.trait(h, i) != j.traits[i] {
			s.rules.report(h, RuleTrait, name, h.params[name])
		}
	}
}

// checkPageview ties what happens on a page to that page; a page itself must bring a fresh id.
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

// trait is a hash, because a million open visits should not hold a million user agents.
func (s *Sink) trait(h *hit, i int) uint64 {
	if traitNames[i] == "ua" {
		return maphash.String(s.seed, h.agent)
	}
	return maphash.String(s.seed, h.params[traitNames[i]])
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}
