package sink

import (
	"errors"
	"hash/maphash"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// verdict is how a hit is treated: recorded, excluded (with the response of a recorded one) or rejected, with the
// reason.
type verdict struct {
	rejected bool
	reason   string
}

func reject(reason string) verdict  { return verdict{rejected: true, reason: reason} }
func exclude(reason string) verdict { return verdict{reason: reason} }

const (
	maxAge       = 20 * 365 * 24 * time.Hour
	noSuchAction = "ca=1, but no plugin takes the hit"
)

// guarded are the parameters that always need a token, besides cip (plugins/UserCountry/Columns/Base.php).
var guarded = []string{"country", "region", "city", "lat", "long"}

// timings must not be below -1 (plugins/PagePerformance/Columns/Base.php).
var timings = []string{"pf_net", "pf_srv", "pf_tfr", "pf_dm1", "pf_dm2", "pf_onl"}

// track judges a hit and records it like Matomo.
func (s *Sink) track(h *hit) verdict {
	s.checkForm(h)
	now := s.now()
	v, at := s.judge(h, now)
	s.mu.Lock()
	defer s.mu.Unlock()
	lost, twice := s.hitRand.Float64() < s.cfg.LoseShare, s.hitRand.Float64() < s.cfg.DuplicateShare
	switch {
	case v.reason != "":
	case lost:
		s.counts.Faults["lost"]++
		s.skipLocked(h, at)
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
	s.lastHits = append(s.lastHits, shownHit{At: now.UTC(), Site: h.key.site, Visitor: h.key.id, Kind: h.kind.name,
		Params: masked(h.params), Rejected: v.rejected, Reason: v.reason})
	s.lastHits = s.lastHits[max(0, len(s.lastHits)-s.cfg.Keep):]
	return v
}

// judge returns the verdict as far as it does not depend on the visitor, in Matomo's order, and the time of the hit.
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
	at, isRecent := s.timeOf(h, now)
	if !isRecent && !allowed {
		return reject("cdt older than 24 hours without a valid token"), now
	}
	return verdict{}, at
}

func (s *Sink) mayWrite(token string, site int) bool {
	return token != "" && slices.Contains(s.cfg.Tokens[token], site)
}

// excluded returns why Matomo drops a hit with the response of a stored one, or "" (core/Tracker/VisitExcluded.php).
func (s *Sink) excluded(h *hit) string {
	bots := filled(h.params["bots"])
	switch rec, _ := strconv.Atoi(h.params["rec"]); {
	case !bots && botAgent(h.agent):
		return "bot user agent"
	case !bots && within(h.ip, botRanges):
		return "bot address"
	case rec != 1:
		return "rec is not 1"
	default:
		return s.cfg.Tracker.excludes(h)
	}
}

// refused returns why Matomo responds with 400, or "".
func refused(h *hit) string {
	p := h.params
	negative := slices.IndexFunc(timings, func(name string) bool {
		n, err := strconv.Atoi(p[name])
		return err == nil && n < -1
	})
	switch {
	case h.has("cid") && !h.has("uid") && !idPattern.MatchString(strings.ToLower(p["cid"])):
		return "cid is not 16 hexadecimal characters"
	case h.kind == kindEvent && (strings.TrimSpace(p["e_c"]) == "" || strings.TrimSpace(p["e_a"]) == ""):
		return "event without category or action"
	case h.kind == kindGoal:
		return "unknown goal"
	case negative >= 0:
		return "negative " + timings[negative]
	case noAction(h):
		return noSuchAction
	case halved(h):
		return halfCharacter
	default:
		return ""
	}
}

// noAction reports whether a hit is meant for a plugin, but no plugin handles it (core/Tracker/Action.php).
func noAction(h *hit) bool { return h.params["ca"] == "1" && h.kind == kindPageview }

// timeOf returns when the hit happened, to the second. A time in the future, older than 20 years or unreadable becomes
// now, without an error (core/Tracker/Request.php). A time that is not recent needs a token.
func (s *Sink) timeOf(h *hit, now time.Time) (at time.Time, isRecent bool) {
	now = now.Truncate(time.Second)
	at = now
	if h.has("cdt") {
		t, err := parseTime(h.params["cdt"])
		if err != nil {
			return now, true // reported as a bad value
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
	case age >= maxAge:
		return now, true
	default:
		return at, age < s.cfg.Tracker.untilOld
	}
}

// parseTime parses the formats of Matomo: UTC text, Unix seconds, ISO 8601 with an offset.
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

// firstOrder reports whether the order id is new for the site, and stores it.
func (s *Sink) firstOrder(h *hit) bool {
	id := maphash.String(s.seed, strconv.Itoa(h.key.site)+" "+h.params["ec_id"])
	if _, ok := s.orders[id]; ok {
		return false
	}
	s.orders[id] = struct{}{}
	return true
}

// halfCharacter is why the database rejects a hit: Matomo has truncated a text inside a character.
const halfCharacter = "a text is cut inside a character"

// cuts are the lengths in bytes to which Matomo truncates texts (core/Tracker/PageUrl.php,
// plugins/Actions/Actions/ActionSiteSearch.php), tested with Matomo 5.2.0-b5. Texts of events are not truncated.
var cuts = map[string]int{
	"url": maxURL, "urlref": maxURL, "link": maxURL, "download": maxURL, "action_name": maxURL, "search": maxURL,
	"search_cat": 200,
}

// halved reports whether a text of the hit is truncated inside a character.
func halved(h *hit) bool {
	for name, limit := range cuts {
		if text := strings.TrimSpace(h.params[name]); len(text) > limit && !utf8.RuneStart(text[limit]) {
			return true
		}
	}
	return false
}

// botRanges are the networks of crawlers (core/Tracker/VisitExcluded.php).
var botRanges = prefixes("216.239.32.0/19", "64.233.160.0/19", "66.249.80.0/20", "72.14.192.0/18", "209.85.128.0/17",
	"66.102.0.0/20", "74.125.0.0/16", "64.18.0.0/20", "207.126.144.0/20", "173.194.0.0/16", "64.4.0.0/18",
	"65.52.0.0/14", "157.54.0.0/15", "157.56.0.0/14", "157.60.0.0/16", "207.46.0.0/16", "207.68.128.0/18",
	"207.68.192.0/20", "131.253.26.0/20", "131.253.24.0/20", "72.30.198.0/20", "72.30.196.0/20", "98.137.207.0/20",
	"1.202.218.8/32")

// reservedRanges are not public (IANA special-purpose registries, RFC 6890 and its updates).
var reservedRanges = prefixes("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
	"172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
	"198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3", "2001:db8::/32", "2001::/23", "2002::/16", "3fff::/20")

var globalIPv6 = netip.MustParsePrefix("2000::/3")

// botWords occur in the user agents of bots (matomo-org/device-detector, regexes/bots.yml).
var botWords = []string{
	"bot", "crawl", "spider", "checker", "monitor", "probe", "scraper", "fetch", "research", "uptime", "validator",
	"security", "script", "k6/", "(compatible)",
}

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, p := range list {
		out[i] = netip.MustParsePrefix(p).Masked()
	}
	return out
}

func within(address string, ranges []netip.Prefix) bool {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(ranges, func(p netip.Prefix) bool { return p.Contains(a.Unmap()) })
}

func reserved(address string) bool {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	return within(address, reservedRanges) || (a.Unmap().Is6() && !globalIPv6.Contains(a))
}

func botAgent(agent string) bool {
	agent = strings.ToLower(agent)
	if agent == "chrome" || agent == "node" {
		return true
	}
	agent = strings.ReplaceAll(agent, "cubot", "") // a maker of phones
	return slices.ContainsFunc(botWords, func(word string) bool { return strings.Contains(agent, word) })
}
