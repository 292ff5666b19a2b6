package sink

import (
	"hash/maphash"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/sink/reports"
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

const (
	defaultMaxOpen = 200_000
	defaultLength  = 30 * time.Minute
	idleVisitor    = 31 * time.Minute // then nothing can join the visit
)

type visitor struct {
	visit   *reports.Visit // the latest, or nil
	journey journey
	seen    time.Time // by the sink's clock
}

// startsVisit reports whether a hit starts a visit instead of joining the latest
// (plugins/CoreHome/Tracker/VisitRequestProcessor.php). Visits that ended more than half an hour after the hit are
// ignored (core/Tracker/VisitorRecognizer.php).
func (v *visitor) startsVisit(h *hit, at time.Time, t *Tracker, zone *time.Location, source, campaign string) bool {
	last, length := v.visit, int64(t.visitLength/time.Second)
	switch now := at.Unix(); {
	case last == nil, filled(h.params["new_visit"]), last.Last > now+length, last.Last <= now-length,
		t.maxActions > 0 && len(last.Actions) >= t.maxActions:
		return true
	case t.atMidnight && !sameDay(time.Unix(last.Last, 0).In(zone), at.In(zone)):
		return true
	default:
		return h.kind != kindPing && last.Source != referrerDirect &&
			(t.byCampaign && campaign != "" && campaign != last.Campaign ||
				t.byReferrer && source == referrerWebsite && source != last.Source)
	}
}

func sameDay(a, b time.Time) bool { return a.YearDay() == b.YearDay() && a.Year() == b.Year() }

// record records a hit that is neither rejected nor excluded, once or twice. The caller holds the lock.
func (s *Sink) record(h *hit, at time.Time, twice bool) verdict {
	v := s.visitor(h.key)
	continued := s.follow(&v.journey, h, at)
	verdict := s.recordOnce(v, h, at, continued)
	if twice && verdict.reason == "" {
		s.counts.Faults["recorded twice"]++
		s.recordOnce(v, h, at, continued)
	}
	return verdict
}

// recordOnce records a hit of a visitor. continued means that the sender meant the visitor's latest visit.
func (s *Sink) recordOnce(v *visitor, h *hit, at time.Time, continued bool) verdict {
	source, campaign := s.cfg.Tracker.referrerOf(h.params)
	split := continued && v.visit != nil
	zone := s.cfg.Sites[h.key.site].Zone
	starts := v.startsVisit(h, at, s.cfg.Tracker, zone, source, campaign)
	if starts && h.kind == kindPing {
		return exclude("ping without a visit")
	}
	site := s.counts.Sites[h.key.site]
	date := at.In(zone).Format(time.DateOnly)
	day := site.day(date)
	if starts {
		day.Visits++
		if split {
			s.rules.reportIf(v.visit.Campaign != campaign && campaign != "", h, RuleCampaign, "url", campaign)
			site.SplitVisits++
		}
		s.startVisit(site, v, h, at, source, campaign)
		v.visit.Day = date
		s.log.Touch(v.visit, s.now())
	} else {
		s.log.Touch(v.visit, s.now())
		site.join(v.visit, h, at, source, campaign)
	}
	if !s.cfg.Tracker.inactive["UserCountry"] {
		site.setCountry(v.visit, h)
	}
	if !s.cfg.Tracker.inactive["CustomDimensions"] {
		setDimensions(v.visit, h)
	}
	if h.kind == kindOrder {
		if !s.firstOrder(h) {
			return reject("ec_id is not unique") // the visit remains
		}
		sale := saleOf(h)
		site.AddSales(sale)
		v.visit.AddSales(sale)
	}
	v.visit.Counts[h.kind.figure]++
	s.detail(v.visit, h, at, starts)
	if h.kind.action {
		site.Actions++
	}
	if h.kind == kindPageview {
		site.title(strings.TrimSpace(h.params["action_name"]))
	}
	site.Hits[h.kind.name]++
	day.Hits[h.kind.name]++
	return verdict{}
}

func (s *Sink) visitor(key visitorKey) *visitor {
	v, ok := s.visitors[key]
	if !ok {
		s.evictIdle()
		v = &visitor{}
		s.visitors[key] = v
	}
	v.seen = s.now()
	return v
}

func (s *Sink) startVisit(site *SiteCounts, v *visitor, h *hit, at time.Time, source, campaign string) {
	_, returning := s.unique[h.key]
	v.visit = &reports.Visit{
		Visitor: h.key.id, First: at.Unix(), Last: at.Unix(), Source: source, Campaign: strings.Clone(campaign),
		Device: deviceOf(h.agent), Returning: returning,
	}
	if h.kind.action {
		v.visit.Actions = append(v.visit.Actions, 0)
	}
	s.log.Add(h.key.site, v.visit)
	site.Visits++
	site.Bounces++ // until a second action
	site.Referrers[source]++
	if !returning {
		s.unique[h.key] = struct{}{}
		site.UniqueVisitors++
	}
}

// join adds a hit to its visit. Every hit sets the duration (plugins/CoreHome/Columns/VisitTotalTime.php); a ping
// changes nothing else.
func (c *SiteCounts) join(v *reports.Visit, h *hit, at time.Time, source, campaign string) {
	seconds := max(0, 1+at.Unix()-v.First)
	if h.kind == kindOrder {
		seconds += 2
	}
	c.Seconds += seconds - v.Seconds
	v.Seconds = seconds
	if h.kind == kindPing {
		return
	}
	v.Last = at.Unix()
	if h.kind.action {
		v.Actions = append(v.Actions, int32(at.Unix()-v.First))
		if len(v.Actions) == 2 {
			c.Bounces--
		}
	}
	if v.Source == referrerDirect && source != referrerDirect {
		c.Referrers[v.Source]--
		c.Referrers[source]++
		v.Source, v.Campaign = source, campaign
	}
}

// setCountry sets the country of a visit. A guessed one does not replace an earlier one.
func (c *SiteCounts) setCountry(v *reports.Visit, h *hit) {
	if v.Country != "" && !h.has("country") {
		return
	}
	country := countryOf(h)
	if country == v.Country {
		return
	}
	if v.Country != "" {
		c.Countries[v.Country]--
	}
	c.Countries[country]++
	v.Country = strings.Clone(country)
}

// evictIdle removes idle visitors if there are too many, at most once a minute.
func (s *Sink) evictIdle() {
	now := s.now()
	if len(s.visitors) < s.cfg.MaxOpen || now.Sub(s.evicted) < time.Minute {
		return
	}
	s.evicted = now
	maps.DeleteFunc(s.visitors, func(_ visitorKey, v *visitor) bool { return now.Sub(v.seen) > idleVisitor })
}

// setDimensions sets the custom dimensions of a visit (plugins/CustomDimensions/Tracker). It does not change the
// existing map, which a report may use.
func setDimensions(v *reports.Visit, h *hit) {
	for name, value := range h.params {
		if value == "" || !strings.HasPrefix(name, "dimension") || v.Dimensions[name] == value {
			continue
		}
		all := maps.Clone(v.Dimensions)
		if all == nil {
			all = map[string]string{}
		}
		all[strings.Clone(name)] = strings.Clone(value)
		v.Dimensions = all
	}
}

// deviceOf returns the type of device by the user agent of common browsers (matomo-org/device-detector).
func deviceOf(agent string) string {
	has := func(word string) bool { return strings.Contains(agent, word) }
	switch {
	case has("iPad"), has("Android") && !has("Mobile"):
		return "tablet"
	case has("Mobile"), has("iPhone"):
		return "smartphone"
	case has("Windows NT"), has("Macintosh"), has("X11"), has("CrOS"):
		return "desktop"
	default:
		return "unknown"
	}
}
