package sink

import (
	"net/netip"
	"slices"
	"strings"
)

// botRanges is Matomo's list of crawlers' networks (core/Tracker/VisitExcluded.php).
var botRanges = prefixes("216.239.32.0/19", "64.233.160.0/19", "66.249.80.0/20", "72.14.192.0/18", "209.85.128.0/17",
	"66.102.0.0/20", "74.125.0.0/16", "64.18.0.0/20", "207.126.144.0/20", "173.194.0.0/16", "64.4.0.0/18",
	"65.52.0.0/14", "157.54.0.0/15", "157.56.0.0/14", "157.60.0.0/16", "207.46.0.0/16", "207.68.128.0/18",
	"207.68.192.0/20", "131.253.26.0/20", "131.253.24.0/20", "72.30.198.0/20", "72.30.196.0/20", "98.137.207.0/20",
	"1.202.218.8/32")

// reservedRanges belong to nobody's home (IANA special-purpose registries, RFC 6890 and its updates).
var reservedRanges = prefixes("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
	"172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
	"198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3", "2001:db8::/32", "2001::/23", "2002::/16", "3fff::/20")

var globalIPv6 = netip.MustParsePrefix("2000::/3")

// botWords mark a user agent as a bot wherever they stand (matomo-org/device-detector, regexes/bots.yml).
var botWords = []string{
	"bot", "crawl", "spider", "checker", "monitor", "probe", "scraper", "fetch", "research", "uptime", "validator",
	"security", "script", "k6/", "(compatible)",
}

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, p := range list {
		out[i] = netip.MustParsePrefix(p).Masked()
	}
	return out
}

func within(address string, ranges []netip.Prefix) bool {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(ranges, func(p netip.Prefix) bool { return p.Contains(a.Unmap()) })
}

func botAddress(address string) bool { return within(address, botRanges) }

func reserved(address string) bool {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	return within(address, reservedRanges) || (a.Unmap().Is6() && !globalIPv6.Contains(a))
}

func botAgent(agent string) bool {
	agent = strings.ToLower(agent)
	if agent == "chrome" || agent == "node" {
		return true
	}
	agent = strings.ReplaceAll(agent, "cubot", "") // a maker of phones
	return slices.ContainsFunc(botWords, func(word string) bool { return strings.Contains(agent, word) })
}
