package sink

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // for machines without a time zone database
)

// Tracker has the settings of a Matomo and its sites that affect hits. NewTracker returns the defaults.
type Tracker struct {
	visitLength            time.Duration
	maxActions             int
	byCampaign, byReferrer bool // a change starts a new visit
	atMidnight             bool
	maxLength              int // of titles and URLs in bytes
	campaigns              []string
	cut                    []string // parameters of URLs
	searches               []string
	off                    bool
	bulkNeedsToken         bool
	needsToken             bool // for IP addresses, places and past times
	untilOld               time.Duration
	excluded               []exclusion
	inactive               map[string]bool   // plugins
	set                    map[string]string // values by name
	siteSearch             bool
	knownURLs              bool
	excludedIPs            []netip.Prefix
	excludedAgents         []string
	excludedReferrers      []string
	hashedOrders           bool
}

// exclusion is a condition of exclude_requests: a parameter equals a value, or contains it.
type exclusion struct {
	name, value string
	contains    bool
}

// NewTracker returns the settings of config/global.ini.php of Matomo 5.2.
func NewTracker() *Tracker {
	return &Tracker{
		visitLength: defaultLength, maxActions: 10_000, byCampaign: true, atMidnight: true, maxLength: maxURL,
		campaigns: strings.Split("mtm_campaign,matomo_campaign,piwik_campaign,pk_campaign,pk_cpn,utm_campaign,"+
			"utm_source,utm_medium", ","),
		cut: strings.Split("gclid,fbclid,msclkid,twclid,wbraid,gbraid,yclid,fb_xd_fragment,fb_comment_id,phpsessid,"+
			"jsessionid,sessionid,aspsessionid,doing_wp_cron,sid,pk_vid", ","),
		searches:   strings.Split("q,query,s,search,searchword,k,keyword,keywords", ","),
		needsToken: true, untilOld: 24 * time.Hour, siteSearch: true,
		inactive: map[string]bool{}, set: map[string]string{},
	}
}

// settings returns a setter by name. docs/matomo-settings.md describes their effects as measured on Matomo 5.2.
func (t *Tracker) settings() map[string]func(value string) error {
	return map[string]func(string) error{
		// config/config.ini.php, [Tracker]
		"visit_standard_length":                                                     seconds(&t.visitLength),
		"page_maximum_length":                                                       number(&t.maxLength),
		"record_statistics":                                                         toggle(&t.off, "0"),
		"create_new_visit_after_x_actions":                                          number(&t.maxActions),
		"create_new_visit_when_campaign_changes":                                    toggle(&t.byCampaign, "1"),
		"create_new_visit_when_website_referrer_changes":                            toggle(&t.byReferrer, "1"),
		"create_new_visit_after_midnight":                                           toggle(&t.atMidnight, "1"),
		"url_query_parameter_to_exclude_from_url":                                   names(&t.cut),
		"campaign_var_name":                                                         names(&t.campaigns),
		"bulk_requests_require_authentication":                                      toggle(&t.bulkNeedsToken, "1"),
		"tracking_requests_require_authentication":                                  toggle(&t.needsToken, "1"),
		"tracking_requests_require_authentication_when_custom_timestamp_newer_than": seconds(&t.untilOld),
		"exclude_requests":                                                          t.exclude,
		// settings of the site
		"site.sitesearch":                    toggle(&t.siteSearch, "1"),
		"site.sitesearch_keyword_parameters": names(&t.searches),
		"site.exclude_unknown_urls":          toggle(&t.knownURLs, "1"),
		"site.excluded_user_agents":          names(&t.excludedAgents),
		"site.excluded_referrers":            names(&t.excludedReferrers),
		"site.excluded_parameters": func(v string) error {
			t.cut = append(t.cut, strings.Split(v, ",")...)
			return nil
		},
		"site.excluded_ips": func(v string) error {
			p, err := netip.ParsePrefix(v)
			t.excludedIPs = append(t.excludedIPs, p)
			return err
		},
		"site.ts_created": func(v string) error {
			_, err := time.Parse(time.DateOnly, v)
			return err
		},
		// Administration, Privacy
		"privacy.anonymizeOrderId": toggle(&t.hashedOrders, "1"),
	}
}

// Set applies NAME=VALUE. plugin.NAME=0 deactivates a plugin.
func (t *Tracker) Set(s string) error {
	name, value, _ := strings.Cut(s, "=")
	if plugin, ok := strings.CutPrefix(name, "plugin."); ok && value == "0" {
		t.inactive[plugin] = true
		return nil
	}
	settings := t.settings()
	set, ok := settings[name]
	if !ok {
		return fmt.Errorf("%q is unknown; known are plugin.NAME=0, %s", name,
			strings.Join(slices.Sorted(maps.Keys(settings)), ", "))
	}
	t.set[name] = value
	if err := set(value); err != nil {
		return fmt.Errorf("%s: %q is not a value of it", name, value)
	}
	return nil
}

func (t *Tracker) exclude(v string) error {
	for one := range strings.SplitSeq(v, ",") {
		name, value, isEqual := strings.Cut(one, "==")
		contains := false
		if !isEqual {
			if name, value, contains = strings.Cut(one, "=@"); !contains {
				return errors.New("neither == nor =@")
			}
		}
		t.excluded = append(t.excluded, exclusion{name, strings.ToLower(value), contains})
	}
	return nil
}

// excludes returns why the settings silently drop a hit, or "" (core/Tracker/VisitExcluded.php).
func (t *Tracker) excludes(h *hit) string {
	for _, e := range t.excluded {
		if is := strings.ToLower(h.params[e.name]); is == e.value || e.contains && strings.Contains(is, e.value) {
			return "exclude_requests"
		}
	}
	for _, part := range t.excludedAgents {
		if strings.Contains(strings.ToLower(h.agent), strings.ToLower(part)) {
			return "excluded user agent"
		}
	}
	if within(h.ip, t.excludedIPs) {
		return "excluded address"
	}
	if t.knownURLs && hostOf(h.params["url"]) != hostOf(mainURL) {
		return "unknown URL"
	}
	return ""
}

// text returns a title or URL as it is stored: truncated.
func (t *Tracker) text(s string) string { return strings.Clone(s[:min(len(s), t.maxLength)]) }

// page returns a URL as it is stored: without excluded and campaign parameters, and truncated.
func (t *Tracker) page(address string) string {
	address, _, _ = strings.Cut(address, "#")
	before, query, found := strings.Cut(address, "?")
	if !found {
		return t.text(address)
	}
	kept := slices.DeleteFunc(strings.Split(query, "&"), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return slices.Contains(t.cut, strings.ToLower(name)) || slices.Contains(t.campaigns, name)
	})
	if len(kept) > 0 {
		before += "?" + strings.Join(kept, "&")
	}
	return t.text(before)
}

func seconds(into *time.Duration) func(string) error {
	return func(v string) error {
		n, err := strconv.Atoi(v)
		*into = time.Duration(n) * time.Second
		return err
	}
}

func number(into *int) func(string) error {
	return func(v string) (err error) {
		*into, err = strconv.Atoi(v)
		return err
	}
}

// toggle sets a switch that is true for the value on.
func toggle(into *bool, on string) func(string) error {
	return func(v string) error {
		*into = v == on
		if v != on && v != "0" && v != "1" {
			return errors.New("not a switch")
		}
		return nil
	}
}

func names(into *[]string) func(string) error {
	return func(v string) error {
		*into = strings.Split(v, ",")
		return nil
	}
}

const defaultSites = 9

// zoneOf parses a time zone like Matomo (core/Date.php, extractUtcOffset).
func zoneOf(name string) (*time.Location, error) {
	if offset, ok := strings.CutPrefix(name, "UTC"); ok && offset != "" {
		hours, err := strconv.ParseFloat(offset, 64)
		return time.FixedZone(name, int(hours*3600)), err
	}
	if name == "" {
		return nil, errors.New("no name")
	}
	return time.LoadLocation(name)
}

// withZones returns a copy of the sites with a time zone each.
func withZones(sites map[int]Site) map[int]Site {
	cet, err := time.LoadLocation("CET")
	if err != nil {
		panic("load zone CET: " + err.Error()) // it is linked into the program
	}
	out := maps.Clone(sites)
	if sites == nil {
		out = map[int]Site{}
		for id := range defaultSites {
			out[id+1] = Site{}
		}
	}
	for id, site := range out {
		out[id] = Site{Zone: cmp.Or(site.Zone, cet)}
	}
	return out
}
