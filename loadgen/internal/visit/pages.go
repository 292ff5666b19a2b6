package visit

import (
	"math/rand/v2"
	"net/url"
	"sort"
	"strings"

	"github.com/puttrix/trafficinator/shared/urllist"
)

// sameSection is the chance that the next page lies in the section of the one before. A guess: no measured source.
const sameSection = 0.6

// maxDraws bounds the search for another page on a host whose lines may all name the same one.
const maxDraws = 100

// page is a line of the URL list with what Matomo will make of it.
type page struct {
	url, title string
	records    Kind
	// campaign pages open a visit but never stand inside one, where another campaign would split it.
	campaign bool
	section  *shelf
}

// shelf is a set of pages with their popularity: the n-th of the list is visited as often as 1/n (Zipf).
type shelf struct {
	pages      []*page
	cumulative []float64
}

func (s *shelf) add(p *page) {
	s.pages = append(s.pages, p)
	total := 0.0
	if n := len(s.cumulative); n > 0 {
		total = s.cumulative[n-1]
	}
	s.cumulative = append(s.cumulative, total+1/float64(len(s.pages)))
}

func (s *shelf) draw(rng *rand.Rand) *page {
	x := rng.Float64() * s.cumulative[len(s.cumulative)-1]
	return s.pages[sort.SearchFloat64s(s.cumulative, x)]
}

// host is a site of the URL list: a visit stays on one.
type host struct {
	entry, inner shelf
	byURL        map[string]*page // of inner
}

// next is the page after current: often of the same section, never the same page where there is another.
func (h *host) next(rng *rand.Rand, current *page) *page {
	if len(h.inner.pages) == 0 {
		return current
	}
	from := &h.inner
	if s := current.section; s != nil && len(s.pages) > 1 && rng.Float64() < sameSection {
		from = s
	}
	if len(from.pages) == 1 && from.pages[0] == current {
		return current
	}
	for range maxDraws {
		if p := from.draw(rng); p.url != current.url {
			return p
		}
	}
	return current
}

// find is the page of an address, which need not be one of the list.
func (h *host) find(url string) *page {
	if p := h.byURL[url]; p != nil {
		return p
	}
	return &page{url: url}
}

// siteMap is the URL list, by host.
type siteMap struct {
	hosts  map[string]*host
	names  []string
	weight []int // cumulative number of pages
}

func newSiteMap(list []urllist.Page) *siteMap {
	m := &siteMap{hosts: map[string]*host{}}
	sections := map[string]*shelf{}
	count := map[string]int{}
	for _, line := range list {
		name, section := place(line.URL)
		h := m.hosts[name]
		if h == nil {
			h = &host{byURL: map[string]*page{}}
			m.hosts[name] = h
			m.names = append(m.names, name)
		}
		recorded := urllist.Classify(line)
		p := &page{url: line.URL, title: line.Title, campaign: recorded.Campaign}
		if recorded.Search {
			p.records = Search
		}
		if p.title == "" {
			p.title = titleOf(line.URL)
		}
		count[name]++
		h.entry.add(p)
		if p.campaign {
			continue
		}
		h.inner.add(p)
		h.byURL[p.url] = p
		key := name + "/" + section
		if sections[key] == nil {
			sections[key] = &shelf{}
		}
		sections[key].add(p)
		p.section = sections[key]
	}
	total := 0
	for _, name := range m.names {
		total += count[name]
		m.weight = append(m.weight, total)
	}
	return m
}

// pick chooses a host by the number of its pages.
func (m *siteMap) pick(rng *rand.Rand) *host {
	n := rng.IntN(m.weight[len(m.weight)-1])
	return m.hosts[m.names[sort.SearchInts(m.weight, n+1)]]
}

// Host is the host of an address, "" where it has none.
func Host(raw string) string {
	host, _ := place(raw)
	return host
}

// place tells the host and the section, which is the first part of the path.
func place(raw string) (host, section string) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", ""
	}
	section, _, _ = strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	return strings.ToLower(u.Host), section
}

// titleOf makes a title of the last part of a path, for lines that give none.
func titleOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	parts := strings.FieldsFunc(u.Path, func(r rune) bool { return r == '/' })
	if len(parts) == 0 {
		return u.Host
	}
	last, _, _ := strings.Cut(parts[len(parts)-1], ".")
	return strings.NewReplacer("-", " ", "_", " ").Replace(last)
}
