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
	"github.com/puttrix/trafficinator/shared/target"
)

// probeHit is a hit of a probe visit, and what Matomo's visitor log should show of it.
type probeHit struct {
	// at is how long after the first hit it happens.
	kind hit.Kind
	at   time.Duration
	form url.Values
	// recordedAs is the type of the action in Live.getLastVisitsDetails, "" for a hit that is none. shown are the
	// action's fields by name, with their texts.
	recordedAs string
	shown      map[string]string
}

const (
	// longest is what Matomo keeps of a title, in bytes, unless somebody has set less (page_maximum_length).
	longest = 1024
	// betweenHits lies between the hits of a page; the pause of Expect follows them.
	betweenHits = 5 * time.Second
	// pingAfter is how long the last page is looked at.
	pingAfter = 30 * time.Second
	// shortestPause and longestPause bound the pause: a visit ends by itself after half an hour
	// (visit_standard_length).
	shortestPause, longestPause = time.Minute, 29 * time.Minute
)

// names that make no ordinary page of an address, and names that Matomo takes off it, unless somebody has set others
// (campaign_var_name, campaign_keyword_var_name and url_query_parameter_to_exclude_from_url of config/global.ini.php,
// plugins/SitesManager/API.php).
var (
	campaignNames = strings.Fields("pk_cpn pk_campaign piwik_campaign mtm_campaign matomo_campaign utm_campaign " +
		"utm_source utm_medium")
	otherNames = strings.Fields("pk_kwd pk_keyword piwik_kwd mtm_kwd mtm_keyword matomo_kwd utm_term " +
		"q query s search searchword k keyword keywords ignore_referrer ignore_referer " +
		"gclid fbclid msclkid twclid wbraid gbraid yclid fb_xd_fragment fb_comment_id phpsessid jsessionid sessionid " +
		"aspsessionid doing_wp_cron sid pk_vid")
)

// probeHits are a visit that has each kind of hit that e tells of, in order.
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
	title := ProbeTitle + " " + strings.Repeat("x", longest-len(ProbeTitle)-1)
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
	last := url.Values{"url": {list}, "urlref": {page}, "action_name": {ProbeTitle}, "pv_id": {"probe2"}}
	hits = append(hits, probeHit{hit.Pageview, then, last, "action",
		map[string]string{"url": list, "pageTitle": ProbeTitle}})
	return append(hits, probeHit{kind: hit.Ping, at: then + pingAfter,
		form: url.Values{"ping": {"1"}, "url": {list}, "pv_id": {"probe2"}}})
}

// probePage lies below a page that is sent, so that a site which knows its URLs knows it too.
func probePage(pages []string) string {
	page := &url.URL{Scheme: "https", Host: "shop.example.test"}
	if len(pages) > 0 {
		if first, err := url.Parse(pages[0]); err == nil {
			page = first
		}
	}
	page = page.JoinPath("trafficinator-probe")
	page.RawQuery, page.Fragment = "", ""
	return page.String()
}

// parametersOf are the names of some of the parameters that pages carry, and of one that makes a campaign.
func parametersOf(pages []string) (names []string, campaign string) {
	const most = 20
	found := map[string]bool{}
	for _, page := range pages {
		u, err := url.Parse(page)
		if err != nil {
			continue
		}
		for name := range u.Query() {
			switch {
			case slices.Contains(campaignNames, name):
				campaign = cmp.Or(campaign, name)
			case !slices.Contains(otherNames, strings.ToLower(name)) && plainName(name):
				found[name] = true
			}
		}
	}
	names = slices.Sorted(maps.Keys(found))
	return names[:min(most, len(names))], campaign
}

// plainName says that Matomo writes the name of a parameter as it was sent.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`).MatchString

// address fills in whose hit it is, and when it happened.
func (h *probeHit) address(t target.Target, e *Expectation, visitor string, first time.Time) {
	h.form.Set("idsite", strconv.Itoa(t.SiteID))
	h.form.Set("rec", "1")
	h.form.Set("apiv", "1")
	h.form.Set("cid", visitor)
	h.form.Set("_id", visitor)
	h.form.Set("ua", matomo.UserAgent)
	h.form.Set("lang", "sv-SE")
	h.form.Set("res", "1920x1080")
	h.form.Set("cdt", first.Add(h.at).UTC().Format(time.DateTime))
	if t.Token != "" {
		h.form.Set("cip", probeAddress(e.Networks))
		h.form.Set("country", "se")
		h.form.Set("city", "Stockholm")
	}
	if e.Dimension > 0 {
		h.form.Set("dimension"+strconv.Itoa(e.Dimension), visitor)
	}
}

// probeAddress is one of the run's visitors, where they are known.
func probeAddress(networks []netip.Prefix) string {
	for _, n := range networks {
		if n.Addr().Is4() && n.Bits() <= 24 {
			b := n.Masked().Addr().As4()
			for i := n.Bits() / 8; i < len(b); i++ { // none is zero, as if it were masked
				b[i] |= 1
			}
			return netip.AddrFrom4(b).String()
		}
	}
	return someAddress
}

// probeVisit are the fields of the visit itself, as probeHit.shown.
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

// firstMoment is when a visit of some length begins that ended a little before now, on one day of the zone.
func firstMoment(now time.Time, length time.Duration, zone calendar.Zone) time.Time {
	end := now.Add(-10 * time.Second).Truncate(time.Second)
	if today := calendar.DateOf(end.In(zone.Location())).Start(zone.Location()); end.Add(-length).Before(today) {
		end = today.Add(-time.Minute)
	}
	return end.Add(-length)
}
