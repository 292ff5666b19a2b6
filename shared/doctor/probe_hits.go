package doctor

import (
	"cmp"
	"maps"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/matomotext"
	"github.com/puttrix/trafficinator/shared/target"
	"github.com/puttrix/trafficinator/shared/urllist"
)

// probeHit is a hit of a probe visit, and what Matomo's visitor log should show of it.
type probeHit struct {
	kind hit.Kind
	at   time.Duration // its time after the first hit
	form url.Values
	// recordedAs is the type in Live.getLastVisitsDetails, "" for none; shown are the action's fields.
	recordedAs string
	shown      map[string]string
}

const (
	betweenHits = 5 * time.Second  // the time between the hits of a page; the pause of the Expectation follows them
	pingAfter   = 30 * time.Second // the time on the last page
	// The pause is at most longestPause: Matomo ends a visit after half an hour (visit_standard_length).
	shortestPause, longestPause = time.Minute, 29 * time.Minute
)

// probeHits are a visit with each kind of hit that e contains.
func probeHits(e *Expectation, visitor string) []probeHit {
	page := probePage(e.Pages)
	entry, list := page, page
	parameters, campaign := parametersOf(e.Pages)
	if campaign != "" {
		entry += "?" + campaign + "=trafficinator-probe"
	}
	if len(parameters) > 0 {
		list += "?" + strings.Join(parameters, "=1&") + "=1"
	}
	title := ProbeTitle + " " + strings.Repeat("x", matomotext.MaxText-len(ProbeTitle)-1)
	hits := []probeHit{{
		kind: hit.Pageview, recordedAs: "action",
		form: url.Values{
			"url": {entry}, "urlref": {"https://www.google.com/"}, "action_name": {title}, "pv_id": {"probe1"},
			"pf_net": {"40"}, "pf_srv": {"180"}, "pf_tfr": {"60"}, "pf_dm1": {"350"}, "pf_dm2": {"250"},
			"pf_onl": {"15"},
		},
		shown: map[string]string{"pageTitle": title, "pageLoadTimeMilliseconds": "895"},
	}}
	to, file, id := "https://trafficinator.example.test/probe", page+"/file.pdf", "probe-"+visitor
	for _, h := range []probeHit{
		{
			kind: hit.Search, recordedAs: "search",
			form: url.Values{"action_name": {ProbeTitle}, "search": {"trafficinator probe"}, "search_cat": {"probe"},
				"search_count": {"3"}},
			shown: map[string]string{"siteSearchKeyword": "trafficinator probe", "siteSearchCategory": "probe",
				"siteSearchCount": "3"},
		},
		{
			kind: hit.Event, recordedAs: "event",
			form: url.Values{"ca": {"1"}, "e_c": {"Trafficinator"}, "e_a": {"probe"}, "e_n": {"visit"}, "e_v": {"2.5"}},
			shown: map[string]string{"eventCategory": "Trafficinator", "eventAction": "probe", "eventName": "visit",
				"eventValue": "2.5"},
		},
		{kind: hit.Outlink, recordedAs: "outlink", form: url.Values{"link": {to}}, shown: map[string]string{"url": to}},
		{kind: hit.Download, recordedAs: "download", form: url.Values{"download": {file}},
			shown: map[string]string{"url": file}},
		{
			kind: hit.Order, recordedAs: "ecommerceOrder",
			form: url.Values{
				"idgoal": {"0"}, "ec_id": {id}, "revenue": {"29.50"}, "ec_st": {"20.00"}, "ec_tx": {"5.00"},
				"ec_sh":    {"4.50"},
				"ec_items": {`[["PROBE-1","Probe","Probe",5,2],["PROBE-2","Probe","Probe",10,1]]`},
			},
			shown: map[string]string{"orderId": id, "revenue": "29.5", "revenueSubTotal": "20", "revenueTax": "5",
				"revenueShipping": "4.5", "items": "3"},
		},
	} {
		if e.Sends[h.kind] {
			h.form.Set("pv_id", "probe1")
			h.form.Set("url", page)
			h.at = time.Duration(len(hits)) * betweenHits
			hits = append(hits, h)
		}
	}
	then := hits[len(hits)-1].at + min(max(e.Pause, shortestPause), longestPause)
	return append(hits,
		probeHit{hit.Pageview, then, url.Values{"url": {list}, "urlref": {page}, "action_name": {ProbeTitle},
			"pv_id": {"probe2"}}, "action", map[string]string{"url": list, "pageTitle": ProbeTitle}},
		probeHit{kind: hit.Ping, at: then + pingAfter,
			form: url.Values{"ping": {"1"}, "url": {list}, "pv_id": {"probe2"}}})
}

// probePage is below a page that is sent, so that a site that only records its own URLs records it.
func probePage(pages []string) string {
	page, _ := url.Parse(urllist.DefaultSite)
	if len(pages) > 0 {
		if first, err := url.Parse(pages[0]); err == nil {
			page = first
		}
	}
	page = page.JoinPath("trafficinator-probe")
	page.RawQuery, page.Fragment = "", ""
	return page.String()
}

// plainName matches parameter names that Matomo writes as they were sent.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`).MatchString

// parametersOf returns up to 20 names of parameters in the pages' URLs, and one that makes a campaign. Names that turn
// a page into a search or that Matomo removes are left out.
func parametersOf(pages []string) (names []string, campaign string) {
	found := map[string]bool{}
	for _, page := range pages {
		u, err := url.Parse(page)
		if err != nil {
			continue
		}
		for name := range u.Query() {
			if !plainName(name) {
				continue
			}
			switch c := urllist.Classify(urllist.Page{URL: urllist.DefaultSite + "/?" + name + "=1"}); {
			case c.Campaign:
				campaign = cmp.Or(campaign, name)
			case !c.Search && len(c.Excluded) == 0:
				found[name] = true
			}
		}
	}
	names = slices.Sorted(maps.Keys(found))
	return names[:min(20, len(names))], campaign
}

func (h *probeHit) address(t target.Target, e *Expectation, visitor string, first time.Time) {
	for name, value := range map[string]string{
		"idsite": strconv.Itoa(t.SiteID), "rec": "1", "apiv": "1", "cid": visitor, "_id": visitor,
		"ua": matomo.UserAgent, "lang": "sv-SE", "res": "1920x1080", "cdt": first.Add(h.at).UTC().Format(time.DateTime),
	} {
		h.form.Set(name, value)
	}
	if t.Token != "" {
		h.form.Set("cip", probeAddress(e.Networks))
		h.form.Set("country", "se")
		h.form.Set("city", "Stockholm")
	}
	if e.Dimension > 0 {
		h.form.Set("dimension"+strconv.Itoa(e.Dimension), visitor)
	}
}

// probeAddress is the address of one of the run's visitors, if they are known.
func probeAddress(networks []netip.Prefix) string {
	for _, n := range networks {
		if n.Addr().Is4() && n.Bits() <= 24 {
			b := n.Masked().Addr().As4()
			for i := n.Bits() / 8; i < len(b); i++ { // no zero, which would look masked
				b[i] |= 1
			}
			return netip.AddrFrom4(b).String()
		}
	}
	return someAddress
}

func probeVisit(t target.Target, e *Expectation, visitor string) map[string]string {
	shown := map[string]string{
		"referrerType": "search", "browserCode": "FF", "operatingSystemCode": "LIN", "resolution": "1920x1080",
		"languageCode": "sv-se",
	}
	if _, campaign := parametersOf(e.Pages); campaign != "" {
		shown["referrerType"] = "campaign"
	}
	if t.Token != "" {
		shown["countryCode"], shown["city"] = "se", "Stockholm"
	}
	if e.Dimension > 0 {
		shown["dimension"+strconv.Itoa(e.Dimension)] = visitor
	}
	return shown
}

// firstMoment is the start of a visit of a given length that ended shortly before now, within one day of the zone.
func firstMoment(now time.Time, length time.Duration, zone calendar.Zone) time.Time {
	end := now.Add(-10 * time.Second).Truncate(time.Second)
	if today := calendar.DateOf(end.In(zone.Location())).Start(zone.Location()); end.Add(-length).Before(today) {
		end = today.Add(-time.Minute)
	}
	return end.Add(-length)
}
