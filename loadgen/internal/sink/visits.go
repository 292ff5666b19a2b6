package sink

import (
	"strings"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/sink/reports"
)

const (
	defaultMaxOpen = 200_000
	defaultLength  = 30 * time.Minute
	idleVisitor    = 31 * time.Minute // after this nothing can join the visit any more
)

// visitor is what the sink keeps of one.
type visitor struct {
	visit   *reports.Visit // the latest, nil before the first is recorded
	journey journey
	seen    time.Time // by the sink's clock
}

// opens says whether a hit opens a visit rather than joining the latest (plugins/CoreHome/Tracker/
// VisitRequestProcessor.php). A visit that ended later than half an hour after the hit is not looked at
// (core/Tracker/VisitorRecognizer.php).
func (v *visitor) opens(h *hit, at time.Time, t *Tracker, zone *time.Location, source, campaign string) bool {
	was, over := v.visit, int64(t.visitLength/time.Second)
	switch now := at.Unix(); {
	case was == nil, filled(h.params["new_visit"]), was.Last > now+over, was.Last <= now-over, t.mostActions > 0 &&
		len(was.Actions) >= t.mostActions:
		return true
	case t.atMidnight && !sameDay(time.Unix(was.Last, 0).In(zone), at.In(zone)):
		return true
	default:
		return h.kind != kindPing && was.Source != referrerDirect &&
			(t.byCampaign && campaign != "" && campaign != was.Campaign || t.byReferrer && source == referrerWebsite &&
				source != was.Source)
	}
}

func sameDay(a, b time.Time) bool { return a.YearDay() == b.YearDay() && a.Year() == b.Year() }

// record books a hit that is neither rejected nor excluded, and a second time where it is told to. The caller holds the
// lock.
func (s *Sink) record(h *hit, at time.Time, twice bool) verdict {
	v := s.visitor(h.key)
	goesOn := s.follow(&v.journey, h, at)
	verdict := s.book(v, h, at, goesOn)
	if twice && verdict.reason == "" {
		s.counts.Faults["recorded twice"]++
		s.book(v, h, at, goesOn)
	}
	return verdict
}

// book books a hit of a visitor; goesOn says that it was meant for the visit before.
func (s *Sink) book(v *visitor, h *hit, at time.Time, goesOn bool) verdict {
	source, campaign := s.cfg.Tracker.referrerOf(h.params)
	split := goesOn && v.visit != nil
	zone := s.cfg.Sites[h.key.site].Zone
	opens := v.opens(h, at, s.cfg.Tracker, zone, source, campaign)
	if opens && h.kind == kindPing {
		return exclude("ping without a visit")
	}
	site := s.counts.Sites[h.key.site]
	date := at.In(zone).Format(time.DateOnly)
	day := site.day(date)
	if opens {
		day.Visits++
		if split && v.visit.Campaign != campaign && campaign != "" {
			s.rules.report(h, RuleCampaign, "url", campaign)
		}
		if split {
			site.SplitVisits++
		}
		s.open(site, v, h, at, source, campaign)
		v.visit.Day = date
		s.log.Touch(v.visit, s.now())
	} else {
		s.log.Touch(v.visit, s.now())
		site.join(v.visit, h, at, source, campaign)
	}
	if !s.cfg.Tracker.inactive["UserCountry"] {
		site.place(v.visit, h)
	}
	if !s.cfg.Tracker.inactive["CustomDimensions"] {
		dimensions(v.visit, h)
	}
	if h.kind == kindOrder {
		if !s.firstOrder(h) {
			return reject("ec_id was there before") // the visit stays
		}
		sale := saleOf(h)
		site.AddSales(sale)
		v.visit.AddSales(sale)
	}
	v.visit.Counts[h.kind.figure]++
	s.detail(v.visit, h, at, opens)
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

// join adds a hit to its visit. The duration is rewritten by every hit (plugins/CoreHome/Columns/VisitTotalTime.php);
// a ping moves nothing else.
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
	if v.Source == referrerDirect && source != referrerDirect { // upgraded in place
		c.Referrers[v.Source]--
		c.Referrers[source]++
		v.Source, v.Campaign = source, campaign
	}
}

// place files the visit under its country; a given one wins over the last, a guess only fills.
func (c *SiteCounts) place(v *reports.Visit, h *hit) {
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
