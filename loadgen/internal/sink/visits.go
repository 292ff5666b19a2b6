package sink

import (
	"strings"
	"time"
)

const (
	visitLength = 1800   // seconds without action after which a visit is over (visit_standard_length)
	maxActions  = 10_000 // of a visit (create_new_visit_after_x_actions)

	defaultMaxOpen = 200_000
	idleVisitor    = 31 * time.Minute // after this nothing can join the visit any more
)

// visit is what Matomo holds in a row of log_visit, as far as the counts need it. Times are Unix seconds.
type visit struct {
	first, last int64
	seconds     int64
	actions     int
	source      string
	campaign    string
	country     string
}

// visitor is what the sink keeps of one.
type visitor struct {
	visit   *visit // the latest, nil before the first is recorded
	journey journey
	seen    time.Time // by the sink's clock
}

// opens says whether a hit opens a visit rather than joining the latest (plugins/CoreHome/Tracker/
// VisitRequestProcessor.php). A visit that ended later than half an hour after the hit is not looked at
// (core/Tracker/VisitorRecognizer.php).
func (v *visitor) opens(h *hit, at time.Time, zone *time.Location, campaign string) bool {
	was := v.visit
	switch now := at.Unix(); {
	case was == nil, filled(h.params["new_visit"]), was.last > now+visitLength, was.last <= now-visitLength, was.actions >= maxActions:
		return true
	case !sameDay(time.Unix(was.last, 0).In(zone), at.In(zone)):
		return true
	default:
		return h.kind != kindPing && campaign != "" && campaign != was.campaign && was.source != referrerDirect
	}
}

func sameDay(a, b time.Time) bool { return a.YearDay() == b.YearDay() && a.Year() == b.Year() }

// record books a hit that is neither rejected nor excluded. The caller holds the lock.
func (s *Sink) record(h *hit, at time.Time) verdict {
	v := s.visitor(h.key)
	source, campaign := referrerOf(h.params)
	split := s.follow(&v.journey, h, at) && v.visit != nil
	opens := v.opens(h, at, s.cfg.Sites[h.key.site].Zone, campaign)
	if opens && h.kind == kindPing {
		return exclude("ping without a visit")
	}
	site := s.counts.Sites[h.key.site]
	day := site.day(at.In(s.cfg.Sites[h.key.site].Zone).Format(time.DateOnly))
	if opens {
		day.Visits++
		if split && v.visit.campaign != campaign && campaign != "" {
			s.rules.report(h, RuleCampaign, "url", campaign)
		}
		if split {
			site.SplitVisits++
		}
		s.open(site, v, h, at, source, campaign)
	} else {
		site.join(v.visit, h, at, source, campaign)
	}
	site.place(v.visit, h)
	if h.kind == kindOrder {
		if !s.firstOrder(h) {
			return reject("ec_id was there before") // the visit stays
		}
		site.order(h.params)
	}
	if h.kind.counted() {
		site.Actions++
	}
	if h.kind == kindPageview {
		site.title(strings.TrimSpace(h.params["action_name"]))
	}
	site.Hits[string(h.kind)]++
	day.Hits[string(h.kind)]++
	return verdict{}
}

// visitor finds or makes what is kept of a visitor.
func (s *Sink) visitor(key visitorKey) *visitor {
	v, ok := s.visitors[key]
	if !ok {
		s.evict()
		v = &visitor{}
		s.visitors[key] = v
	}
	v.seen = s.now()
	return v
}

func (s *Sink) open(site *SiteCounts, v *visitor, h *hit, at time.Time, source, campaign string) {
	v.visit = &visit{first: at.Unix(), last: at.Unix(), source: source, campaign: campaign}
	if h.kind.counted() {
		v.visit.actions = 1
	}
	site.Visits++
	site.Bounces++ // until a second action
	site.Referrers[source]++
	if _, ok := s.unique[h.key]; !ok {
		s.unique[h.key] = struct{}{}
		site.UniqueVisitors++
	}
}

// join adds a hit to its visit. The duration is rewritten by every hit (plugins/CoreHome/Columns/VisitTotalTime.php);
// a ping moves nothing else.
func (c *SiteCounts) join(v *visit, h *hit, at time.Time, source, campaign string) {
	seconds := max(0, 1+at.Unix()-v.first)
	if h.kind == kindOrder {
		seconds += 2
	}
	c.Seconds += seconds - v.seconds
	v.seconds = seconds
	if h.kind == kindPing {
		return
	}
	v.last = at.Unix()
	if h.kind.counted() {
		v.actions++
		if v.actions == 2 {
			c.Bounces--
		}
	}
	if v.source == referrerDirect && source != referrerDirect { // upgraded in place
		c.Referrers[v.source]--
		c.Referrers[source]++
		v.source, v.campaign = source, campaign
	}
}

// place files the visit under its country; a given one wins over the last, a guess only fills.
func (c *SiteCounts) place(v *visit, h *hit) {
	if v.country != "" && !h.has("country") {
		return
	}
	country := countryOf(h)
	if country == v.country {
		return
	}
	if v.country != "" {
		c.Countries[v.country]--
	}
	c.Countries[country]++
	v.country = strings.Clone(country)
}

// evict forgets visitors nothing can join any more, once there are many; at most once a minute, because it looks at
// all of them.
func (s *Sink) evict() {
	now := s.now()
	if len(s.visitors) < s.cfg.MaxOpen || now.Sub(s.swept) < time.Minute {
		return
	}
	s.swept = now
	for key, v := range s.visitors {
		if now.Sub(v.seen) > idleVisitor {
			delete(s.visitors, key)
		}
	}
}
