package urllist

import (
	"fmt"
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

// Classification is how Matomo, as it is installed, records a page otherwise than as its address stands there.
type Classification struct {
	// Search: the hit is booked as a site search, not as a pageview.
	Search bool
	// Campaign: the address opens a visit from a campaign.
	Campaign bool
	// Direct: the address asks to be taken for a direct entry, whatever its referrer.
	Direct bool
	// Excluded are parameters that are dropped from the address.
	Excluded []string
	// Fragment: what follows # is dropped.
	Fragment bool
	// TooLong: the address is cut at matomotext.MaxText.
	TooLong bool
	// LongTitle: the title is cut there.
	LongTitle bool
	// Untitled: Matomo takes the title for none.
	Untitled bool
}

// Classify tells how Matomo records a page, by the rules of core/Tracker/PageUrl.php,
// plugins/Actions/Actions/ActionSiteSearch.php and plugins/Referrers/Columns/Base.php.
func Classify(p Page) Classification {
	address, fragment, hasFragment := strings.Cut(cleaned(p.URL), "#")
	_, query, _ := strings.Cut(address, "?")
	inQuery := parameters(query)
	r := Classification{
		Search:   isSearch(parameters(query + "&" + queryOf(fragment))),
		Campaign: !ignoresReferrer(inQuery) && (isCampaign(inQuery) || isCampaign(parameters(fragment))),
		Direct:   ignoresReferrer(inQuery),
		Fragment: hasFragment,
		TooLong:  len(p.URL) > matomotext.MaxText,

		LongTitle: len(p.Title) > matomotext.MaxText,
		Untitled:  p.Title != "" && matomotext.IsEmpty(p.Title),
	}
	for _, q := range inQuery {
		if name := strings.ToLower(q.name); slices.Contains(excludedParameters, name) &&
			!slices.Contains(r.Excluded, name) {
			r.Excluded = append(r.Excluded, name)
		}
	}
	return r
}

// cleaned is an address as Matomo reads it: &amp; decoded, cut, and `;` parameters, which only count where no
// question mark is before them, turned into usual ones.
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

// queryOf is where a search is looked for in a fragment: what follows its question mark, else all of it.
func queryOf(fragment string) string {
	before, _, _ := strings.Cut(fragment, "#")
	if _, query, _ := strings.Cut(before, "?"); query != "" {
		return query
	}
	return fragment
}

// parameter is one of a query. Of an array, name[]=, value is the first.
type parameter struct {
	name, value string
	array       bool
	// written is the pair as it stands there.
	written string
}

// emptyIndex marks an array; name[0]= is no array to Matomo but another name.
var emptyIndex = regexp.MustCompile(`(?i)(\[|%5b)(\]|%5d)$`)

// parameters splits a query as core/UrlHelper.php does: names stay escaped, and the last of a name counts.
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

// isSearch looks, whatever the case of the names, at the first search parameter that is not empty.
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

// isCampaign minds the case of the names and takes no array.
func isCampaign(ps []parameter) bool {
	return slices.ContainsFunc(ps, func(p parameter) bool {
		return !p.array && slices.Contains(campaignParameters, p.name) && !blank(p.value)
	})
}

// ignoresReferrer says whether the page asks for a direct entry, which goes before any campaign.
func ignoresReferrer(ps []parameter) bool {
	return slices.ContainsFunc(ps, func(p parameter) bool {
		return !p.array && p.value == "1" && (p.name == "ignore_referrer" || p.name == "ignore_referer")
	})
}

// empty is PHP's notion: "0" is empty too.
func empty(value string) bool { return value == "" || value == "0" }

// blank says whether a value is empty once it is decoded and trimmed.
func blank(value string) bool {
	if decoded, err := url.QueryUnescape(value); err == nil {
		value = decoded
	}
	return matomotext.IsEmpty(value)
}

// Explain says in words what is recorded otherwise, "" where nothing is.
func (r Classification) Explain() string {
	var out []string
	if r.Search {
		out = append(out, "is recorded as a site search because of a search parameter")
	}
	if r.Campaign {
		out = append(out, "is only used as an entry page, because its campaign parameter would split a visit")
	}
	if r.Direct {
		out = append(out, "is only used as an entry page of direct visits, because of ignore_referrer")
	}
	if len(r.Excluded) > 0 {
		out = append(out, fmt.Sprintf("is recorded without %s", strings.Join(r.Excluded, ", ")))
	}
	if r.Fragment {
		out = append(out, "is recorded without its fragment (#…)")
	}
	if r.TooLong {
		out = append(out, "is truncated at 1024 bytes")
	}
	if r.LongTitle {
		out = append(out, "has a title that is truncated at 1024 bytes")
	}
	if r.Untitled {
		out = append(out, "is recorded without a title, because Matomo treats 0 as empty")
	}
	return strings.Join(out, "; ")
}

// Merged is a page that Matomo's report of page addresses counts in one row with another.
type Merged struct{ Page, With Page }

// MergedBy is the version of Matomo in which the rules of Merge were measured.
const MergedBy = "Matomo 5.2"

// FindMerged finds the pages whose address differs from that of a page before and that have a row in common with it all the
// same. Scheme, host, www and port are no part of a row, nor are fragments, dropped parameters and doubled slashes; a
// final slash stands for /index, and of a parameter that is given twice the last counts. Upper and lower case differ
// (core/Tracker/PageUrl.php, plugins/Actions/ArchivingHelper.php).
func FindMerged(pages []Page) []Merged {
	var out []Merged
	first := make(map[string]Page, len(pages))
	for _, p := range pages {
		if Classify(p).Search {
			continue // it has a row among the searches
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

// rowOf is the path of an address in the report.
func rowOf(address string) string {
	address, _, _ = strings.Cut(cleaned(address), "#")
	if _, after, found := strings.Cut(address, "://"); found {
		address = after
	}
	path, query, _ := strings.Cut(address, "?")
	_, path, _ = strings.Cut(path, "/")
	if query = kept(query); query != "" {
		path += "?" + query
	}
	if path == "" || path[len(path)-1] == '/' {
		path += "index"
	}
	return strings.Join(strings.FieldsFunc(path, func(r rune) bool { return r == '/' }), "/")
}

// kept is a query without the parameters that Matomo drops.
func kept(query string) string {
	if query == "" {
		return ""
	}
	var out []string
	for _, p := range parameters(query) {
		if p.name != "" && !slices.Contains(excludedParameters, strings.ToLower(p.name)) {
			out = append(out, p.written)
		}
	}
	return strings.Join(out, "&")
}
