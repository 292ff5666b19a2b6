package setup

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/puttrix/trafficinator/shared/urllist"
)

// Structure counts the pages of a list by domain and path (FEATURES VAL-12).
type Structure struct {
	Total   int     `json:"total"`
	Domains []Count `json:"domains"`
	// Categories are the first segments of paths, Subcategories the second ones; the largest first, and at most
	// maxBranches of each, so that a response stays small.
	Categories []Category `json:"categories"`
	// More is the number of categories left out.
	More int `json:"more_categories"`
}

// Category is a first segment of paths.
type Category struct {
	Count
	Subcategories []Count `json:"subcategories"`
	// More is the number of subcategories left out.
	More int `json:"more_subcategories"`
}

// Count is the number of pages with the same name.
type Count struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

const maxBranches = 100

// home is the category of pages without a path.
const home = "/"

func structureOf(pages []urllist.Page) Structure {
	domains, categories := map[string]int{}, map[string]int{}
	below := map[string]map[string]int{}
	for _, p := range pages {
		u, err := url.Parse(p.URL)
		if err != nil {
			continue // urllist accepts no such page
		}
		domains[u.Host]++
		first, rest, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
		if first == "" {
			first = home
		}
		categories[first]++
		if second, _, _ := strings.Cut(rest, "/"); second != "" {
			if below[first] == nil {
				below[first] = map[string]int{}
			}
			below[first][second]++
		}
	}
	s := Structure{Total: len(pages)}
	s.Domains, _ = largest(domains)
	top, more := largest(categories)
	s.More = more
	s.Categories = make([]Category, len(top))
	for i, c := range top {
		subs, more := largest(below[c.Name])
		s.Categories[i] = Category{c, subs, more}
	}
	return s
}

// largest returns the largest counts and how many are left out.
func largest(counts map[string]int) ([]Count, int) {
	out := make([]Count, 0, len(counts))
	for name, n := range counts {
		out = append(out, Count{name, n})
	}
	slices.SortFunc(out, func(a, b Count) int { return cmp.Or(b.Count-a.Count, cmp.Compare(a.Name, b.Name)) })
	kept := min(len(out), maxBranches)
	return out[:kept], len(out) - kept
}
