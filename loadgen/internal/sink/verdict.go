package sink

import (
	"errors"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"
	"time"
)

// verdict is what becomes of a hit: recorded, excluded (answered as if recorded) or rejected, with the reason.
type verdict struct {
	rejected bool
	reason   string
}

func reject(reason string) verdict  { return verdict{rejected: true, reason: reason} }
func exclude(reason string) verdict { return verdict{reason: reason} }

const (
	oldest       = 20 * 365 * 24 * time.Hour
	noSuchAction = "ca=1, but no plugin takes the hit"
)

// guarded are the parameters that always need a token, beside cip (plugins/UserCountry/Columns/Base.php).
var guarded = []string{"country", "region", "city", "lat", "long"}

// timings must not be negative, but for -1 (plugins/PagePerformance/Columns/Base.php).
var timings = []string{"pf_net", "pf_srv", "pf_tfr", "pf_dm1", "pf_dm2", "pf_onl"}

// track judges one hit and records it where Matomo would.
func (s *Sink) track(h *hit) verdict {
	s.checkForm(h)
	now := s.now()
	v, at := s.judge(h, now)
	s.mu.Lock()
	defer s.mu.Unlock()
	lost, twice := s.chance.Float64() < s.cfg.LoseShare, s.chance.Float64() < s.cfg.DuplicateShare
	switch {
	case v.reason != "":
	case lost:
		s.counts.Faults["lost"]++
		s.passBy(h, at)
	default:
		v = s.record(h, at, twice)
	}
	switch {
	case v.rejected:
		s.counts.Rejected[v.reason]++
		s.fail(h, v.reason, now)
	case v.reason != "":
		s.counts.Excluded[v.reason]++
	}
	if !v.rejected {
		s.counts.Accepted++
	}
	s.shown.add(shownHit{At: now.UTC(), Site: h.key.site, Visitor: h.key.id, Kind: h.kind.name,
		Params: masked(h.params), Rejected: v.rejected, Reason: v.reason})
	return v
}

// judge decides what can be decided without knowing the visitor, in Matomo's order: what is excluded is not looked at
// any further, but for the site and the token that cip needs.
func (s *Sink) judge(h *hit, now time.Time) (verdict, time.Time) {
	if _, ok := s.cfg.Sites[h.key.site]; !ok {
		return reject("unknown site"), now
	}
	t := s.cfg.Tracker
	allowed := !t.needsToken || s.mayWrite(h.token, h.key.site)
	if h.has("cip") && !allowed {
		return reject("cip without a valid token"), now
	}
	if reason := s.excluded(h); reason != "" {
		return exclude(reason), now
	}
	if reason := refused(h); reason != "" {
		return reject(reason), now
	}
	for _, name := range guarded {
		if h.has(name) && !allowed {
			return reject(name + " without a valid token"), now
		}
	}
	at, ok := s.moment(h, now)
	if !ok && !allowed {
		return reject("cdt older than 24 hours without a valid token"), now
	}
	return verdict{}, at
}

func (s *Sink) mayWrite(token string, site int) bool {
	return token != "" && slices.Contains(s.cfg.Tokens[token], site)
}

// excluded is the reason for which Matomo drops a hit with an answer as if it were stored
// (core/Tracker/VisitExcluded.php).
func (s *Sink) excluded(h *hit) string {
	bots := filled(h.params["bots"])
	switch rec, _ := strconv.Atoi(h.params["rec"]); {
	case !bots && botAgent(h.agent):
		return "bot user agent"
	case !bots && botAddress(h.ip):
		return "bot address"
	case rec != 1:
		return "rec is not 1"
	default:
		return s.cfg.Tracker.excludes(h)
	}
}

// refused is the reason for which Matomo answers 400.
func refused(h *hit) string {
	if h.has("cid") && !h.has("uid") && !idPattern.MatchString(strings.ToLower(h.params["cid"])) {
		return "cid is not 16 hexadecimal characters"
	}
	if h.kind == kindEvent && (strings.TrimSpace(h.params["e_c"]) == "" || strings.TrimSpace(h.params["e_a"]) == "") {
		return "event without category or action"
	}
	if h.kind == kindGoal {
		return "unknown goal"
	}
	for _, name := range timings {
		if n, err := strconv.Atoi(h.params[name]); err == nil && n < -1 {
			return "negative " + name
		}
	}
	if noAction(h) {
		return noSuchAction
	}
	if halved(h) {
		return halfCharacter
	}
	return ""
}

// noAction is a hit for a plugin where none takes it (core/Tracker/Action.php).
func noAction(h *hit) bool { return h.params["ca"] == "1" && h.kind == kindPageview }

// moment is when the hit happened, to the second. A time in the future, older than 20 years or unreadable becomes now,
// without an error (core/Tracker/Request.php). recent is false where it needs a token.
func (s *Sink) moment(h *hit, now time.Time) (at time.Time, isRecent bool) {
	now = now.Truncate(time.Second)
	at = now
	if h.has("cdt") {
		t, err := parseTime(h.params["cdt"])
		if err != nil {
			return now, true // told as a bad value
		}
		at = t
	}
	if ago, err := strconv.Atoi(h.params["cdo"]); err == nil {
		at = at.Add(-time.Duration(max(ago, -ago)) * time.Second)
	}
	switch age := now.Sub(at); {
	case age < 0:
		s.rules.report(h, RuleFuture, "cdt", h.params["cdt"]+", clock "+now.UTC().Format(time.DateTime))
		return now, true
	case age >= oldest:
		return now, true
	default:
		return at, age < s.cfg.Tracker.untilOld
	}
}

// parseTime reads the forms that Matomo takes: UTC text, Unix seconds, ISO 8601 with an offset.
func parseTime(s string) (time.Time, error) {
	if seconds, err := strconv.ParseInt(s, 10, 64); err == nil {
		return time.Unix(seconds, 0), nil
	}
	for _, layout := range []string{time.DateTime, time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errors.New("not a time")
}

// firstOrder says whether the site sees the order id for the first time, and remembers it.
func (s *Sink) firstOrder(h *hit) bool {
	id := maphash.String(s.seed, strconv.Itoa(h.key.site)+" "+h.params["ec_id"])
	if _, ok := s.orders[id]; ok {
		return false
	}
	s.orders[id] = struct{}{}
	return true
}
