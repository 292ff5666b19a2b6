package urllist

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/puttrix/trafficinator/shared/matomotext"
)

var (
	// SearchParameters are the default site-search parameters (plugins/SitesManager/API.php), in the order tried.
	SearchParameters = []string{"q", "query", "s", "search", "searchword", "k", "keyword", "keywords"}
	// campaignParameters are campaign_var_name of config/global.ini.php.
	campaignParameters = []string{
		"pk_cpn", "pk_campaign", "piwik_campaign", "mtm_campaign", "matomo_campaign", "utm_campaign", "utm_source",
		"utm_medium",
	}
	// excludedParameters are what core/Tracker/PageUrl.php removes: url_query_parameter_to_exclude_from_url and
	// campaign_keyword_var_name of config/global.ini.php, two names of its own, and the campaign parameters.
	excludedParameters = append([]string{
		"gclid", "fbclid", "msclkid", "twclid", "wbraid", "gbraid", "yclid", "fb_xd_fragment", "fb_comment_id",
		"phpsessid", "jsessionid", "sessionid", "aspsessionid", "doing_wp_cron", "sid", "pk_vid", "pk_kwd",
		"pk_keyword", "piwik_kwd", "mtm_kwd", "mtm_keyword", "matomo_kwd", "utm_term", "ignore_referrer",
		"ignore_referer",
	}, campaignParameters...)
)

// Classification is how a default Matomo records a page differently from its URL and title.
type Classification struct {
	Search    bool     // recorded as a site search, not as a page view
	Campaign  bool     // starts a visit from a campaign
	Direct    bool     // forces a direct entry, whatever its referrer
	Excluded  []string // parameters that are removed from the URL
	Fragment  bool     // the fragment is removed
	TooLong   bool     // the URL is truncated at matomotext.MaxText
	LongTitle bool     // the title is truncated there
	Untitled  bool     // the title is treated as empty
}

// Classify applies the rules of core/Tracker/PageUrl.php, plugins/Actions/Actions/ActionSiteSearch.php and
// plugins/Referrers/Columns/Base.php.
func Classify(p Page) Classification {
	address, fragment, hasFragment := strings.Cut(cleaned(p.URL), "#")
	_, query, _ := strings.Cut(address, "?")
	inQuery := parameters(query)
	r := Classification{
		Search:    isSearch(parameters(query + "&" + queryOf(fragment))),
		Campaign:  !ignoresReferrer(inQuery) && (isCampaign(inQuery) || isCampaign(parameters(fragment))),
		Direct:    ignoresReferrer(inQuery),
		Fragment:  hasFragment,
		TooLong:   len(p.URL) > matomotext.MaxText,
		LongTitle: len(p.Title) > matomotext.MaxText,
		Untitled:  p.Title != "" && matomotext.IsEmpty(p.Title),
	}
	for _, q := range inQuery {
		if name := strings.ToLower(q.name); q.isExcluded() && !slices.Contains(r.Excluded, name) {
			r.Excluded = append(r.Excluded, name)
		}
	}
	return r
}

func (p parameter) isExcluded() bool {
	return slices.Contains(excludedParameters, strings.ToLower(p.name))
}

// cleaned is a URL as Matomo reads it: &amp; decoded, truncated, and `;` parameters, which only count without a
// question mark before them, replaced by usual ones.
func cleaned(raw string) string {
	raw = strings.ReplaceAll(raw, "&amp;", "&")
	raw = matomotext.Truncate(raw)
	semicolon, question := strings.IndexByte(raw, ';'), strings.IndexByte(raw, '?')
	if semicolon < 0 || question >= 0 && question < semicolon {
		return raw
	}
	raw = strings.Replace(raw, "?", ";", 1)
	raw = strings.Replace(raw, ";", "?", 1)
	return strings.ReplaceAll(raw, ";", "&")
}

// queryOf is the part of a fragment where Matomo looks for a search: after its question mark, or all of it.
func queryOf(fragment string) string {
	before, _, _ := strings.Cut(fragment, "#")
	if _, query, _ := strings.Cut(before, "?"); query != "" {
		return query
	}
	return fragment
}

// parameter is a parameter of a query. The value of an array, name[]=, is its first.
type parameter struct {
	name, value string
	array       bool
	written     string // the unparsed pair
}

// emptyIndex marks an array; for Matomo, name[0]= is another name instead.
var emptyIndex = regexp.MustCompile(`(?i)(\[|%5b)(\]|%5d)$`)

// parameters parses a query like core/UrlHelper.php: names stay escaped, and the last value of a name counts.
func parameters(query string) []parameter {
	var out []parameter
	for pair := range strings.SplitSeq(strings.TrimPrefix(query, "?"), "&") {
		p := parameter{written: pair}
		p.name, p.value, _ = strings.Cut(pair, "=")
		if base := emptyIndex.ReplaceAllString(p.name, ""); base != "" && base != p.name {
			p.name, p.array = base, true
		}
		switch at := slices.IndexFunc(out, func(o parameter) bool { return o.name == p.name }); {
		case at < 0:
			out = append(out, p)
		case !p.array || !out[at].array:
			out[at] = p
		}
	}
	return out
}

// isSearch checks the first search parameter that is not empty, ignoring the case of names.
func isSearch(ps []parameter) bool {
	for _, name := range SearchParameters {
		for _, p := range slices.Backward(ps) {
			if strings.ToLower(p.name) != name {
				continue
			}
			if p.array || !empty(p.value) {
				return !blank(p.value)
			}
			break
		}
	}
	return false
}

// isCampaign is case-sensitive and ignores arrays.
func isCampaign(ps []parameter) bool {
	return slices.ContainsFunc(ps, func(p parameter) bool {
		return !p.array && slices.Contains(campaignParameters, p.name) && !blank(p.value)
	})
}

// ignoresReferrer reports a forced direct entry, which overrides any campaign.
func ignoresReferrer(ps []parameter) bool {
	return slices.ContainsFunc(ps, func(p parameter) bool {
		return !p.array && p.value == "1" && (p.name == "ignore_referrer" || p.name == "ignore_referer")
	})
}

// empty is PHP's: "0" is empty too.
func empty(value string) bool { return value == "" || value == "0" }

// blank reports whether a value is empty after it is decoded and trimmed.
func blank(value string) bool {
	if decoded, err := url.QueryUnescape(value); err == nil {
		value = decoded
	}
	return matomotext.IsEmpty(value)
}

// Explain describes what is recorded differently, "" if nothing is.
func (r Classification) Explain() string {
	var out []string
	for _, c := range []struct {
		is   bool
		text string
	}{
		{r.Search, "is recorded as a site search because of a search parameter"},
		{r.Campaign, "is only used as an entry page, because its campaign parameter would split a visit"},
		{r.Direct, "is only used as an entry page of direct visits, because of ignore_referrer"},
		{len(r.Excluded) > 0, "is recorded without " + strings.Join(r.Excluded, ", ")},
		{r.Fragment, "is recorded without its fragment (#…)"},
		{r.TooLong, "is truncated at 1024 bytes"},
		{r.LongTitle, "has a title that is truncated at 1024 bytes"},
		{r.Untitled, "is recorded without a title, because Matomo treats 0 as empty"},
	} {
		if c.is {
			out = append(out, c.text)
		}
	}
	return strings.Join(out, "; ")
}

// Merged is a page that shares a row of Matomo's report of page URLs with another.
type Merged struct{ Page, With Page }

// MergedBy is the version of Matomo in which the rules of FindMerged were measured.
const MergedBy = "Matomo 5.2"

// FindMerged returns the pages that share a row with an earlier page of another URL. Scheme, host, www and port do not
// count, nor do fragments, removed parameters and double slashes; a final slash means /index, and of a repeated
// parameter the last value counts. Case counts (core/Tracker/PageUrl.php, plugins/Actions/ArchivingHelper.php).
func FindMerged(pages []Page) []Merged {
	var out []Merged
	first := make(map[string]Page, len(pages))
	for _, p := range pages {
		if Classify(p).Search {
			continue // it is in the report of searches
		}
		row := rowOf(p.URL)
		switch with, there := first[row]; {
		case !there:
			first[row] = p
		case with.URL != p.URL:
			out = append(out, Merged{p, with})
		}
	}
	return out
}

// rowOf is the path of a URL in the report.
func rowOf(address string) string {
	address, _, _ = strings.Cut(cleaned(address), "#")
	if _, after, found := strings.Cut(address, "://"); found {
		address = after
	}
	path, query, _ := strings.Cut(address, "?")
	_, path, _ = strings.Cut(path, "/")
	var kept []string
	for _, p := range parameters(query) {
		if p.name != "" && !p.isExcluded() {
			kept = append(kept, p.written)
		}
	}
	if len(kept) > 0 {
		path += "?" + strings.Join(kept, "&")
	}
	if path == "" || path[len(path)-1] == '/' {
		path += "index"
	}
	return strings.Join(strings.FieldsFunc(path, func(r rune) bool { return r == '/' }), "/")
}
