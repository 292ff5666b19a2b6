package doctor

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/matomotext"
)

const probed = "probe"

// row is a visit, or one of its actions, in Live.getLastVisitsDetails.
type row map[string]any

func (r row) text(name string) string {
	switch v := r[name].(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

func (r row) number(name string) int64 {
	n, _ := strconv.ParseInt(r.text(name), 10, 64) // 0 if missing
	return n
}

func (r row) began() int64 { return r.number("firstActionTimestamp") }

func (r row) visit() Visit {
	return Visit{Visitor: r.text("visitorId"), IP: r.text("visitIp"), Country: r.text("countryCode")}
}

// addActions adds a visit's actions by their Unix time. Their timestamps are in the site's time, the visit's in UTC:
// the first action is close to the start of the visit, and zones differ by multiples of 15 minutes.
func (r row) addActions(to map[int64]row) {
	const quarter = 15 * 60
	list, _ := r["actionDetails"].([]any)
	offset := int64(0)
	for i, a := range list {
		action, _ := a.(map[string]any)
		at := row(action).number("timestamp")
		if i == 0 {
			offset = int64(math.Round(float64(at-r.began())/quarter)) * quarter
		}
		to[at-offset] = action
	}
}

// compare returns the differences between the recorded visits and the accepted hits.
func (x *prober) compare(visits []row, hits []probeHit, first time.Time, visitor string) (out []Finding) {
	began := visits[0].began()
	if !slices.ContainsFunc(hits, func(h probeHit) bool { return first.Add(h.at).Unix() == began }) {
		return warning(probed,
			"use a token with write access (needed to send past times), and set the server's clock",
			"the first hit was sent as of %s, but recorded as of %s", first.UTC().Format(time.DateTime),
			time.Unix(began, 0).UTC().Format(time.DateTime))
	}
	actions := map[int64]row{}
	for _, v := range visits {
		v.addActions(actions)
	}
	var lost []string
	for _, h := range hits {
		is := actions[first.Add(h.at).Unix()]
		if is == nil && h.recordedAs != "" {
			lost = append(lost, h.kind.String())
			continue
		}
		for _, f := range h.compare(is) {
			if !slices.Contains(out, f) { // not the same as for the page before
				out = append(out, f)
			}
		}
	}
	if len(lost) > 0 {
		out = append(out, failed(probed, "check "+exclusionPlaces+", and the plugins it needs",
			"accepted, but not recorded: %s", strings.Join(lost, ", "))...)
	}
	if began == first.Unix() { // otherwise the hit with the visit's data is lost
		out = append(out, differences(visits[0], "visit", probeVisit(x.target, x.expect, visitor))...)
	}
	last := visits[len(visits)-1]
	length := last.began() + last.number("visitDuration") - first.Unix()
	want := int64(hits[len(hits)-1].at/time.Second) + 1
	switch {
	case len(visits) > 1:
		out = append(out, split(visits, hits, first)...)
	case length != want && began == first.Unix() && len(out) == 0:
		out = warning(probed, "check that the plugin Heartbeat is active: without it, visits end with their last page",
			"the visit lasted %d s, but %d s are recorded", want, length)
	}
	return out
}

func (h *probeHit) compare(is row) []Finding {
	got := is.text("type")
	if got == h.recordedAs {
		return differences(is, h.kind.String(), h.shown)
	}
	name := cmp.Or(map[string]string{"action": "a page", "ecommerceOrder": "an order"}[got], got)
	return failed(probed, cures[h.kind.String()], "the %s is recorded as %s", h.kind, name)
}

func differences(is row, what string, shown map[string]string) (out []Finding) {
	for _, name := range slices.Sorted(maps.Keys(shown)) {
		want, got := shown[name], is.text(name)
		switch cure := cures[name]; {
		case got == want:
		case name == "pageTitle" && got != "" && strings.HasPrefix(want, got):
			out = append(out, warning(probed, cure, "titles are cut at %d bytes, Matomo's default is %d",
				len(got), matomotext.MaxText)...)
		case name == "url" && what == "pageview":
			out = append(out, warning(probed, cure, "%s", describeURL(want, got))...)
		case strings.HasPrefix(name, "dimension"):
			out = append(out, warning(probed, cures["dimension"], "the %s of the visit is recorded as %q, not %q",
				name, got, want)...)
		default:
			out = append(out,
				warning(probed, cure, "%s of the %s is recorded as %q, not %q", name, what, got, want)...)
		}
	}
	return out
}

func describeURL(want, got string) string {
	var lost []string
	page, query, _ := strings.Cut(want, "?")
	for pair := range strings.SplitSeq(query, "&") {
		if !strings.Contains(got, pair) {
			lost = append(lost, strings.TrimSuffix(pair, "=1"))
		}
	}
	if strings.HasPrefix(got, page) && len(lost) > 0 {
		return fmt.Sprintf("the parameters %s are removed from page URLs: pages that differ only in these become one",
			some(lost))
	}
	return fmt.Sprintf("a page URL is recorded as %q, not %q", got, want)
}

func split(visits []row, hits []probeHit, first time.Time) []Finding {
	var where []string
	cure := cures["visit"]
	for _, v := range visits[1:] {
		at := time.Duration(v.began()-first.Unix()) * time.Second
		i := slices.IndexFunc(hits, func(h probeHit) bool { return h.at == at })
		if i < 1 {
			where = append(where, fmt.Sprintf("after %s", at))
			continue
		}
		pause := hits[i].at - hits[i-1].at
		where = append(where, fmt.Sprintf("before the %s, after a pause of %s", hits[i].kind, pause))
		if pause >= shortestPause {
			cure = cures["pause"]
		}
	}
	return warning(probed, cure, "the visit became %d visits: a new one began %s", len(visits),
		strings.Join(where, ", and "))
}

// exclusionPlaces are the settings that make Matomo drop hits silently (core/Tracker/VisitExcluded.php).
const exclusionPlaces = "the site's excluded IPs, user agents and unknown URLs, exclude_requests in config.ini.php, " +
	"spam plugins"

const (
	cureLocation = "look whether the plugin UserCountry is active, and whether the token may write to the site"
	cureDevice   = "activate the plugin DevicesDetection"
)

// cures say where to look, by the kind of hit that became another and by the field that differs. Settings in lower case
// with underscores are those of section [Tracker] of config/config.ini.php, which the API does not show.
var cures = map[string]string{
	"search":   "turn on site search in the site's settings, or set SITESEARCH_PROBABILITY=0",
	"event":    "activate the plugin Events, or set CLICK_EVENTS_PROBABILITY=0 and RANDOM_EVENTS_PROBABILITY=0",
	"order":    "activate the plugins Goals and Ecommerce, or set ECOMMERCE_PROBABILITY=0",
	"pageview": "look whether the page's address makes it a search (search parameters of the site)",
	"ping":     "activate the plugin Heartbeat",

	"pageTitle":                "look at page_maximum_length: what is longer is cut",
	"pageLoadTimeMilliseconds": "activate the plugin PagePerformance, else load times are not recorded",
	"url": "look at url_query_parameter_to_exclude_from_url and page_maximum_length, and at the " +
		"parameters that the site excludes",
	"orderId": "look at Administration, Privacy, Anonymise data: order ids are replaced there",
	"items":   "activate the plugin Ecommerce",
	"referrerType": "look at the plugin Referrers, at campaign_var_name, and at the referrers that the " +
		"site excludes or Privacy anonymises",
	"countryCode": cureLocation, "city": cureLocation,
	"browserCode": cureDevice, "operatingSystemCode": cureDevice,
	"resolution":   "activate the plugin Resolution",
	"languageCode": "activate the plugin UserLanguage",
	"dimension":    "look at RUN_DIMENSION, and at Administration, Websites, Custom dimensions",
	"visit": "look at create_new_visit_after_x_actions, create_new_visit_when_website_referrer_changes and " +
		"create_new_visit_when_campaign_changes",
	"pause": "raise visit_standard_length (1800 s by default), or keep visits shorter (VISIT_DURATION_MAX, delays of " +
		"funnels)",
}
