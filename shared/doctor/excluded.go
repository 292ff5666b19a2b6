package doctor

import (
	"context"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/puttrix/trafficinator/shared/matomo"
)

// cureExcluded is where both kinds of lists are.
const cureExcluded = "remove it in Administration → Websites → Manage (this site) or Settings (all sites)"

// excluded tells what of the visitors the site, or the whole Matomo, does not record.
func (x *examination) excluded(ctx context.Context, site *matomo.Site) []Finding {
	networks := x.expect.Networks
	if x.target.Token == "" {
		networks = nil // hits come from the sender's own address
	}
	return []Finding{
		x.hidden(ctx, "addresses", "SitesManager.getExcludedIpsGlobal", site.ExcludedIPs, networks != nil,
			func(entry string) bool {
				return slices.ContainsFunc(networks, excludes(entry))
			}),
		x.hidden(ctx, "agents", "SitesManager.getExcludedUserAgentsGlobal", site.ExcludedAgents, x.expect.Agents != nil,
			func(entry string) bool {
				return slices.ContainsFunc(x.expect.Agents, matches(entry))
			}),
		x.hidden(ctx, "parameters", "SitesManager.getExcludedQueryParametersGlobal", site.ExcludedParameters,
			x.expect.Pages != nil, func(entry string) bool {
				return withParameter(x.expect.Pages, []string{entry}) != ""
			}),
	}
}

// hidden compares the entries of the site and of the whole Matomo with what is sent, where that is known.
func (x *examination) hidden(ctx context.Context, check, method string, entries []string, known bool,
	hits func(string) bool) Finding {
	what := map[string]string{"addresses": "visits from", "agents": "visits of browsers with",
		"parameters": "the parameters"}[check]
	global, err := x.GlobalList(ctx, x.target, method)
	entries = append(slices.Clone(entries), global...)
	concerned := slices.DeleteFunc(slices.Clone(entries), func(entry string) bool { return !hits(entry) })
	switch {
	case known && len(concerned) > 0 && check == "parameters":
		return warning(check, cureExcluded,
			"%s %s are removed from page URLs: pages that differ only in these become one", what, some(concerned))
	case known && len(concerned) > 0:
		return failed(check, cureExcluded, "%s %s are not recorded, and some of the visitors to send match",
			what, some(concerned))
	case !known && len(entries) > 0:
		return skipped(check, "",
			"run loadgen check --connect to compare them with the visitors, or see Administration → Websites",
			"excluded: %s %s", what, some(entries))
	case err != nil:
		return skipped(check, "admin access to at least one site", "see Administration → Websites → Settings",
			"this site excludes nothing that is sent; the global exclusions cannot be read: %v", err)
	case len(entries) > 0:
		return passed(check, "%d exclusions, none matches", len(entries))
	}
	return passed(check, "no exclusions")
}

// excludes reads an excluded address: single, with stars for bytes, or a range in bits (Matomo's Network library). An
// entry that cannot be read excludes nothing, in Matomo too.
func excludes(entry string) func(netip.Prefix) bool {
	if bytes := strings.Split(entry, "."); len(bytes) == 4 && strings.Contains(entry, "*") {
		kept := slices.IndexFunc(bytes, func(b string) bool { return b == "*" })
		for i := max(kept, 0); i < len(bytes); i++ {
			bytes[i] = "0"
		}
		entry = strings.Join(bytes, ".") + "/" + strconv.Itoa(8*max(kept, 0))
	}
	prefix, err := netip.ParsePrefix(entry)
	if err != nil {
		ip, err := netip.ParseAddr(entry)
		if err != nil {
			return func(netip.Prefix) bool { return false }
		}
		prefix = netip.PrefixFrom(ip, ip.BitLen())
	}
	return prefix.Masked().Overlaps
}

// matches reads an excluded user agent: a part of it whatever its case, or a pattern (core/Tracker/VisitExcluded.php).
func matches(entry string) func(agent string) bool {
	pattern := perl(entry)
	return func(agent string) bool {
		return strings.Contains(strings.ToLower(agent), strings.ToLower(entry)) || pattern != nil &&
			pattern.MatchString(agent)
	}
}

// perl reads /pattern/ and /pattern/i, nil where it is none that can be read here.
func perl(text string) *regexp.Regexp {
	end := strings.LastIndex(text, "/")
	if end < 1 || text[0] != '/' {
		return nil
	}
	inner := text[1:end]
	if strings.Contains(text[end:], "i") {
		inner = "(?i)" + inner
	}
	re, err := regexp.Compile(inner)
	if err != nil {
		return nil
	}
	return re
}

// withParameter is the first page whose address carries one of the parameters, empty where none does.
func withParameter(pages, names []string) string {
	var patterns []*regexp.Regexp
	for _, name := range names {
		if re := perl(name); re != nil {
			patterns = append(patterns, re)
		}
	}
	is := func(name string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }) ||
			slices.ContainsFunc(patterns, func(re *regexp.Regexp) bool { return re.MatchString(name) })
	}
	for _, page := range pages {
		_, query, found := strings.Cut(page, "?")
		if !found {
			continue
		}
		query, _, _ = strings.Cut(query, "#")
		parameters, _ := url.ParseQuery(query) // what cannot be read is no parameter
		for name := range parameters {
			if is(name) {
				return page
			}
		}
	}
	return ""
}

// urls reports whether pages are recorded where only the site's own are.
func (x *examination) urls(ctx context.Context, site *matomo.Site) Finding {
	if !site.KnownURLsOnly {
		return passed("urls", "pages of every host are recorded")
	}
	var own []string
	if err := x.Call(ctx, x.target, "SitesManager.getSiteUrlsFromId",
		url.Values{"idSite": {strconv.Itoa(x.target.SiteID)}}, &own); err != nil {
		own = []string{site.MainURL}
	}
	cure := "use pages below " + site.MainURL + ", or add their host to the site's URLs"
	if x.expect.Pages == nil {
		return warning("urls", cure, "only hits on the site's URLs are recorded: %s", some(own))
	}
	strange, example := 0, ""
	for _, page := range x.expect.Pages {
		if !slices.ContainsFunc(own, func(of string) bool { return within(of, page) }) {
			strange++
			example = page
		}
	}
	if strange > 0 {
		return failed("urls", cure,
			"%d of %d pages, such as %s, are outside the site's URLs (%s) and will not be recorded", strange,
			len(x.expect.Pages), example, some(own))
	}
	return passed("urls", "only the site's URLs are recorded, and all pages match")
}

// within reports whether a page is one of a site's URL: its host whatever its www, and its path from the beginning
// (plugins/SitesManager/SiteUrls.php).
func within(site, page string) bool {
	s, err := url.Parse(site)
	if err != nil {
		return false
	}
	p, err := url.Parse(page)
	if err != nil {
		return false
	}
	// A host that begins with a dot is one with all below it.
	if below := strings.ToLower(s.Hostname()); strings.HasPrefix(below, ".") &&
		strings.HasSuffix("."+strings.ToLower(p.Hostname()), below) {
		return true
	}
	plain := func(host string) string { return strings.TrimPrefix(strings.ToLower(host), "www.") }
	path := func(u *url.URL) string { return strings.TrimSuffix(strings.ToLower(u.Path), "/") + "/" }
	return plain(s.Hostname()) == plain(p.Hostname()) && strings.HasPrefix(path(p), path(s))
}
