package urllist

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// maxURL is where Matomo cuts a page's address, in bytes (page_maximum_length of config/global.ini.php).
const maxURL = 1024

var (
	// searchParameters are the default site-search parameters (plugins/SitesManager/API.php), compared without case.
	searchParameters = []string{"q", "query", "s", "search", "searchword", "k", "keyword", "keywords"}
	// campaignParameters are campaign_var_name of config/global.ini.php.
	campaignParameters = []string{
		"pk_cpn", "pk_campaign", "piwik_campaign", "mtm_campaign", "matomo_campaign", "utm_campaign", "utm_source", "utm_medium",
	}
	// excludedParameters are url_query_parameter_to_exclude_from_url of config/global.ini.php and the campaign
	// parameters beyond the name, which core/Tracker/PageUrl.php removes as well.
	excludedParameters = []string{
		"gclid", "fbclid", "msclkid", "twclid", "wbraid", "gbraid", "yclid", "fb_xd_fragment", "fb_comment_id", "phpsessid",
		"jsessionid", "sessionid", "aspsessionid", "doing_wp_cron", "sid", "pk_vid",
		"pk_kwd", "pk_keyword", "piwik_kwd", "mtm_kwd", "mtm_keyword", "matomo_kwd", "utm_term",
		"ignore_referrer", "ignore_referer",
	}
)

// Recorded is how Matomo, as it is installed, records a page otherwise than as its address stands there.
type Recorded struct {
	// Search: the hit is booked as a site search, not as a pageview.
	Search bool
	// Campaign: the address opens a visit from a campaign.
	Campaign bool
	// Excluded are parameters that are dropped from the address.
	Excluded []string
	// Fragment: what follows # is dropped.
	Fragment bool
	// TooLong: the address is cut at 1024 bytes.
	TooLong bool
}

// Classify tells how Matomo records a page. Parameters count in the query and in the fragment, as in
// plugins/Actions/Actions/ActionSiteSearch.php and plugins/Referrers/Columns/Base.php.
func Classify(p Page) Recorded {
	r := Recorded{TooLong: len(p.URL) > maxURL}
	address, fragment, hasFragment := strings.Cut(p.URL, "#")
	r.Fragment = hasFragment
	if _, inside, ok := strings.Cut(fragment, "?"); ok {
		fragment = inside
	}
	_, query, _ := strings.Cut(address, "?")
	for pair := range strings.SplitSeq(query+"&"+fragment, "&") {
		raw, value, _ := strings.Cut(pair, "=")
		key, err := url.QueryUnescape(raw)
		if err != nil {
			continue
		}
		key, _, _ = strings.Cut(strings.ToLower(key), "[")
		if value, err = url.QueryUnescape(value); err != nil {
			continue
		}
		// PHP takes "0" for empty.
		if value = strings.TrimSpace(value); value == "" || value == "0" {
			value = ""
		}
		switch {
		case value != "" && slices.Contains(searchParameters, key):
			r.Search = true
		case value != "" && slices.Contains(campaignParameters, key):
			r.Campaign = true
		case slices.Contains(excludedParameters, key) && !slices.Contains(r.Excluded, key):
			r.Excluded = append(r.Excluded, key)
		}
	}
	return r
}

// Explain says in words what is recorded otherwise, "" where nothing is.
func (r Recorded) Explain() string {
	var out []string
	if r.Search {
		out = append(out, "is recorded as a site search, not as a pageview, because of a search parameter")
	}
	if r.Campaign {
		out = append(out, "only begins visits, because its campaign parameter would split one")
	}
	if len(r.Excluded) > 0 {
		out = append(out, fmt.Sprintf("is recorded without %s", strings.Join(r.Excluded, ", ")))
	}
	if r.Fragment {
		out = append(out, "is recorded without what follows #")
	}
	if r.TooLong {
		out = append(out, "is cut at 1024 bytes")
	}
	return strings.Join(out, "; ")
}
