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

func (x *examination) excluded(ctx context.Context, site *matomo.Site) []Finding {
	networks := x.expect.Networks
	if x.target.Token == "" {
		networks = nil // hits come from the sender's own address
	}
	return slices.Concat(
		x.exclusions(ctx, "addresses", "visits from", "SitesManager.getExcludedIpsGlobal", site.ExcludedIPs,
			networks != nil, func(entry string) bool { return slices.ContainsFunc(networks, excludes(entry)) }),
		x.exclusions(ctx, "agents", "visits of browsers with", "SitesManager.getExcludedUserAgentsGlobal",
			site.ExcludedAgents, x.expect.Agents != nil,
			func(entry string) bool { return slices.ContainsFunc(x.expect.Agents, matches(entry)) }),
		x.exclusions(ctx, "parameters", "the parameters", "SitesManager.getExcludedQueryParametersGlobal",
			site.ExcludedParameters, x.expect.Pages != nil,
			func(entry string) bool { return withParameter(x.expect.Pages, []string{entry}) != "" }))
}

// exclusions compares the entries of the site and the global ones with what is sent, if that is known.
func (x *examination) exclusions(ctx context.Context, check, what, method string, entries []string, known bool,
	affects func(entry string) bool) []Finding {
	const cure = "remove it in Administration → Websites → Manage (this site) or Settings (all sites)"
	global, err := x.GlobalList(ctx, x.target, method)
	entries = slices.Concat(entries, global)
	var affecting []string
	for _, entry := range entries {
		if affects(entry) {
			affecting = append(affecting, entry)
		}
	}
	switch {
	case known && len(affecting) > 0 && check == "parameters":
		return warning(check, cure,
			"%s %s are removed from page URLs: pages that differ only in these become one", what, some(affecting))
	case known && len(affecting) > 0:
		return failed(check, cure, "%s %s are not recorded, and some of the visitors to send match",
			what, some(affecting))
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

// excludes parses an excluded address: single, with stars for bytes, or a range in bits (Matomo's Network library). An
// unreadable entry excludes nothing, as in Matomo.
func excludes(entry string) func(netip.Prefix) bool {
	if bytes := strings.Split(entry, "."); len(bytes) == 4 && strings.Contains(entry, "*") {
		kept := max(slices.Index(bytes, "*"), 0)
		for i := kept; i < len(bytes); i++ {
			bytes[i] = "0"
		}
		entry = strings.Join(bytes, ".") + "/" + strconv.Itoa(8*kept)
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

// matches parses an excluded user agent: a part of it in any case, or a pattern (core/Tracker/VisitExcluded.php).
func matches(entry string) func(agent string) bool {
	pattern := perl(entry)
	return func(agent string) bool {
		return strings.Contains(strings.ToLower(agent), strings.ToLower(entry)) || pattern != nil &&
			pattern.MatchString(agent)
	}
}

// perl parses /pattern/ and /pattern/i; nil for any other text, or syntax that Go does not have.
func perl(text string) *regexp.Regexp {
	end := strings.LastIndex(text, "/")
	if end < 1 || text[0] != '/' {
		return nil
	}
	inner := text[1:end]
	if strings.Contains(text[end:], "i") {
		inner = "(?i)" + inner
	}
	re, _ := regexp.Compile(inner) // nil with an error
	return re
}

func withParameter(pages, names []string) string {
	is := make([]func(string) bool, len(names))
	for i, name := range names {
		is[i] = func(parameter string) bool { return strings.EqualFold(parameter, name) }
		if re := perl(name); re != nil {
			is[i] = re.MatchString
		}
	}
	for _, page := range pages {
		_, query, _ := strings.Cut(page, "?")
		query, _, _ = strings.Cut(query, "#")
		parameters, _ := url.ParseQuery(query) // the readable ones
		for name := range parameters {
			if slices.ContainsFunc(is, func(is func(string) bool) bool { return is(name) }) {
				return page
			}
		}
	}
	return ""
}

func (x *examination) urls(ctx context.Context, site *matomo.Site) []Finding {
	const check = "urls"
	if !site.KnownURLsOnly {
		return passed(check, "pages of every host are recorded")
	}
	var own []string
	if x.Call(ctx, x.target, "SitesManager.getSiteUrlsFromId", x.forSite(), &own) != nil {
		own = []string{site.MainURL}
	}
	cure := "use pages below " + site.MainURL + ", or add their host to the site's URLs"
	if x.expect.Pages == nil {
		return warning(check, cure, "only hits on the site's URLs are recorded: %s", some(own))
	}
	outside, example := 0, ""
	for _, page := range x.expect.Pages {
		if !slices.ContainsFunc(own, func(site string) bool { return within(site, page) }) {
			outside++
			example = page
		}
	}
	if outside > 0 {
		return failed(check, cure,
			"%d of %d pages, such as %s, are outside the site's URLs (%s) and will not be recorded", outside,
			len(x.expect.Pages), example, some(own))
	}
	return passed(check, "only the site's URLs are recorded, and all pages match")
}

// within reports whether a page belongs to a site's URL: same host, with or without www, and the path begins with the
// site's (plugins/SitesManager/SiteUrls.php).
func within(site, page string) bool {
	s, err := url.Parse(site)
	p, err2 := url.Parse(page)
	if err != nil || err2 != nil {
		return false
	}
	// A host that begins with a dot includes all hosts below it.
	if below := strings.ToLower(s.Hostname()); strings.HasPrefix(below, ".") &&
		strings.HasSuffix("."+strings.ToLower(p.Hostname()), below) {
		return true
	}
	plain := func(host string) string { return strings.TrimPrefix(strings.ToLower(host), "www.") }
	path := func(u *url.URL) string { return strings.TrimSuffix(strings.ToLower(u.Path), "/") + "/" }
	return plain(s.Hostname()) == plain(p.Hostname()) && strings.HasPrefix(path(p), path(s))
}
