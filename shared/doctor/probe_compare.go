package doctor

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// probed is the check that findings of a probe visit belong to.
const probed = "probe"

// row is a visit, or an action of one, as Live.getLastVisitsDetails shows it.
type row map[string]any

// text is a field as text; none is empty.
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
	n, _ := strconv.ParseInt(r.text(name), 10, 64) // none is 0
	return n
}

func (r row) visit() Visit {
	return Visit{Visitor: r.text("visitorId"), IP: r.text("visitIp"), Country: r.text("countryCode")}
}

// actions are those of a visit by their moment. Their timestamps are of the site's clock, the visit's are of UTC: the
// first action lies close to the visit's beginning, and zones are whole quarters of an hour apart.
func (r row) actions(into map[int64]row) {
	const quarter = 15 * 60
	list, _ := r["actionDetails"].([]any)
	offset := int64(0)
	for i, a := range list {
		action, _ := a.(map[string]any)
		at := row(action).number("timestamp")
		if i == 0 {
			offset = int64(math.Round(float64(at-r.number("firstActionTimestamp"))/quarter)) * quarter
		}
		into[at-offset] = action
	}
}

// compare tells every difference between the visits that are recorded and the hits that were taken.
func (x *prober) compare(visits []row, hits []probeHit, first time.Time, visitor string) (out []Finding) {
	began := visits[0].number("firstActionTimestamp")
	if !slices.ContainsFunc(hits, func(h probeHit) bool { return first.Add(h.at).Unix() == began }) {
		return []Finding{warning(probed,
			"use a token with write access (needed to send past times), and set the server's clock",
			"the first hit was sent as of %s, but recorded as of %s", first.UTC().Format(time.DateTime),
			time.Unix(began, 0).UTC().Format(time.DateTime))}
	}
	actions := map[int64]row{}
	for _, v := range visits {
		v.actions(actions)
	}
	var lost []string
	for _, h := range hits {
		is := actions[first.Add(h.at).Unix()]
		if is == nil && h.recordedAs != "" {
			lost = append(lost, h.kind.String())
			continue
		}
		for _, f := range h.compare(is) {
			if !slices.Contains(out, f) { // as of the page before
				out = append(out, f)
			}
		}
	}
	if len(lost) > 0 {
		out = append(out, failed(probed, "check "+exclusions+", and the plugins it needs",
			"accepted, but not recorded: %s", strings.Join(lost, ", ")))
	}
	if began == first.Unix() { // else the hit is lost that tells of the visit
		out = append(out, different(visits[0], "visit", probeVisit(x.target, x.expect, visitor))...)
	}
	last := visits[len(visits)-1]
	length := last.number("firstActionTimestamp") + last.number("visitDuration") - first.Unix()
	meant := int64(hits[len(hits)-1].at/time.Second) + 1
	switch {
	case len(visits) > 1:
		out = append(out, split(visits, hits, first))
	case length != meant && began == first.Unix() && len(out) == 0:
		out = append(out, warning(probed,
			"check that the plugin Heartbeat is active: without it, visits end with their last page",
			"the visit lasted %d s, but %d s are recorded", meant, length))
	}
	return out
}

// compare tells the differences of one hit.
func (h *probeHit) compare(is row) []Finding {
	if got := is.text("type"); got != h.recordedAs {
		return []Finding{failed(probed, cures[h.kind.String()], "the %s is recorded as %s", h.kind, actionName(got))}
	}
	return different(is, h.kind.String(), h.shown)
}

// actionName is Live's type of an action in the words of the ledger.
func actionName(kind string) string {
	switch kind {
	case "action":
		return "a page"
	case "ecommerceOrder":
		return "an order"
	}
	return kind
}

// different compares fields by their names, in their order.
func different(is row, what string, shown map[string]string) (out []Finding) {
	for _, name := range slices.Sorted(maps.Keys(shown)) {
		want, got := shown[name], is.text(name)
		cure := cures[name]
		switch {
		case got == want:
		case name == "pageTitle" && got != "" && strings.HasPrefix(want, got):
			out = append(out, warning(probed, cure, "titles are cut at %d bytes, Matomo's default is %d",
				len(got), longest))
		case name == "url" && what == "pageview":
			out = append(out, warning(probed, cure, "%s", cutAddress(want, got)))
		case strings.HasPrefix(name, "dimension"):
			out = append(out, warning(probed, cures["dimension"], "the %s of the visit is recorded as %q, not %q",
				name, got, want))
		default:
			out = append(out, warning(probed, cure, "%s of the %s is recorded as %q, not %q", name, what, got, want))
		}
	}
	return out
}

// cutAddress tells which parameters a page's address has lost.
func cutAddress(want, got string) string {
	var lost []string
	_, query, _ := strings.Cut(want, "?")
	for pair := range strings.SplitSeq(query, "&") {
		if !strings.Contains(got, pair) {
			lost = append(lost, strings.TrimSuffix(pair, "=1"))
		}
	}
	if page, _, _ := strings.Cut(want, "?"); strings.HasPrefix(got, page) && len(lost) > 0 {
		return "the parameters " + some(lost) +
			" are removed from page URLs: pages that differ only in these become one"
	}
	return fmt.Sprintf("a page URL is recorded as %q, not %q", got, want)
}

// split tells where a visit became several.
func split(visits []row, hits []probeHit, first time.Time) Finding {
	var where []string
	cure := cures["visit"]
	for _, v := range visits[1:] {
		at := time.Duration(v.number("firstActionTimestamp")-first.Unix()) * time.Second
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

// exclusions are the places that make a Matomo drop hits without a word (core/Tracker/VisitExcluded.php).
const exclusions = "the site's excluded IPs, user agents and unknown URLs, exclude_requests in config.ini.php, spam plugins"

// cures are where to look, by the kind of hit that became another and by the field that differs. Settings in lower case
// with underscores are those of section [Tracker] of config/config.ini.php, which no method of the API shows.
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
	"countryCode": "look whether the plugin UserCountry is active, and whether the token may " +
		"write to the site",
	"city": "look whether the plugin UserCountry is active, and whether the token may " +
		"write to the site",
	"browserCode":         "activate the plugin DevicesDetection",
	"operatingSystemCode": "activate the plugin DevicesDetection",
	"resolution":          "activate the plugin Resolution",
	"languageCode":        "activate the plugin UserLanguage",
	"dimension":           "look at RUN_DIMENSION, and at Administration, Websites, Custom dimensions",
	"visit": "look at create_new_visit_after_x_actions, " +
		"create_new_visit_when_website_referrer_changes and create_new_visit_when_campaign_changes",
	"pause": "raise visit_standard_length (1800 s by default), or keep visits shorter " +
		"(VISIT_DURATION_MAX, delays of funnels)",
}

// cureRefused is where to look where a kind of hit is refused.
func cureRefused(kind string) string {
	if cure, ok := cures[kind]; ok && kind != "pageview" {
		return cure
	}
	return "look at the other checks of this target for the cause"
}
