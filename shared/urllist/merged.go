package urllist

import (
	"slices"
	"strings"
)

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
