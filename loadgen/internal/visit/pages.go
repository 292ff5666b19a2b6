package visit

import (
	"math/rand/v2"
	"net/url"
	"strings"

	"github.com/puttrix/trafficinator/loadgen/internal/visitor"
	"github.com/puttrix/trafficinator/loadgen/internal/weighted"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/matomotext"
	"github.com/puttrix/trafficinator/shared/urllist"
)

// sameSection is the probability that the next page is in the same section. A guess, not measured.
const sameSection = 0.6

// maxDraws limits the search for another page on a host whose lines may all be the same page.
const maxDraws = 100

// page is a line of the URL list and how Matomo records it.
type page struct {
	url, title Text
	recordedAs hit.Kind
	// source overrides the source of a visit that starts on the page: a campaign or a direct entry, "" for most pages.
	// Campaign pages only start visits, because a new campaign would split one.
	source  visitor.SourceType
	host    *host
	section *pageSet
}

func newPage(address, title string) *page {
	is := urllist.Classify(urllist.Page{URL: address})
	if title == "" {
		title = titleOf(address)
	}
	p := &page{url: newURL(address), title: visitor.NewText(matomotext.Truncate(title))}
	switch {
	case is.Campaign:
		p.source = visitor.Campaign
	case is.Direct:
		p.source = visitor.Direct
	}
	if is.Search {
		p.recordedAs = hit.Search
	}
	return p
}

func newURL(address string) Text { return visitor.NewText(matomotext.TruncateURL(address)) }

// pageSet is a list of pages of which the n-th is drawn with weight 1/n (Zipf).
type pageSet struct {
	pages      []*page
	popularity weighted.Table
}

func (s *pageSet) build() {
	s.popularity = weighted.New(len(s.pages), func(i int) float64 { return 1 / float64(i+1) })
}

func (s *pageSet) draw(rng *rand.Rand) *page { return s.pages[s.popularity.Draw(rng)] }

// host has the pages of one host in the URL list; a visit stays on it.
type host struct {
	entry, inner pageSet
	byURL        map[string]*page // of inner
	downloads    []Text
}

// next draws the page after current: often in the same section, and another page if there is one.
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
		if p := from.draw(rng); p != current && p.url.Plain != current.url.Plain {
			return p
		}
	}
	return current
}

// find returns the page of a URL, which may be missing in the list.
func (h *host) find(address string) *page {
	if p := h.byURL[address]; p != nil {
		return p
	}
	return &page{url: newURL(address), host: h}
}

// siteIndex is the URL list by host.
type siteIndex struct {
	hosts    map[string]*host
	list     []*host
	weights  weighted.Table // numbers of pages
	searches bool           // some page is recorded as a search
}

func newSiteIndex(list []urllist.Page) *siteIndex {
	m := &siteIndex{hosts: map[string]*host{}}
	for _, line := range list {
		m.add(newPage(line.URL, line.Title))
	}
	m.build()
	return m
}

func (m *siteIndex) add(p *page) {
	name := Host(p.url.Plain)
	h := m.hosts[name]
	if h == nil {
		h = &host{byURL: map[string]*page{}}
		m.hosts[name] = h
		m.list = append(m.list, h)
	}
	p.host = h
	m.searches = m.searches || p.recordedAs == hit.Search
	h.entry.pages = append(h.entry.pages, p)
	if p.source != visitor.Campaign {
		h.inner.pages = append(h.inner.pages, p)
		h.byURL[p.url.Plain] = p
	}
}

func (m *siteIndex) build() {
	for _, h := range m.list {
		h.build()
	}
	m.weights = weighted.New(len(m.list), func(i int) float64 { return float64(len(m.list[i].entry.pages)) })
}

func (h *host) build() {
	sections := map[string]*pageSet{}
	common := h.commonFolders()
	for _, p := range h.inner.pages {
		name := ""
		if parts := segments(p.url.Plain); len(parts) > common {
			name = parts[common]
		}
		if sections[name] == nil {
			sections[name] = &pageSet{}
		}
		sections[name].pages = append(sections[name].pages, p)
		p.section = sections[name]
	}
	for _, s := range sections {
		s.build()
	}
	h.entry.build()
	if len(h.inner.pages) > 0 {
		h.inner.build()
	}
	for file := range strings.FieldsSeq(downloads) {
		h.downloads = append(h.downloads, resolve(h.entry.pages[0].url.Plain, file))
	}
}

// commonFolders returns how many leading folders all pages of the host share; the next one is the section.
func (h *host) commonFolders() int {
	first := segments(h.entry.pages[0].url.Plain)
	n := max(0, len(first)-1) // the last part is the page
	for _, p := range h.entry.pages {
		parts := segments(p.url.Plain)
		if len(parts) <= n {
			n = max(0, len(parts)-1)
		}
		for i := range n {
			if parts[i] != first[i] {
				n = i
				break
			}
		}
	}
	return n
}

// segments returns the parts of a URL's path.
func segments(raw string) []string {
	u, err := url.Parse(raw)
	if err != nil {
		return nil
	}
	return strings.FieldsFunc(u.Path, func(r rune) bool { return r == '/' })
}

// Host returns the host of a URL, "" if it has none.
func Host(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}

// titleOf returns a title for lines without one: the last part of the path.
func titleOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	parts := segments(raw)
	if len(parts) == 0 {
		return u.Host
	}
	last, _, _ := strings.Cut(parts[len(parts)-1], ".")
	return strings.NewReplacer("-", " ", "_", " ").Replace(last)
}
