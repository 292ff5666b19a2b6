package setup

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/puttrix/trafficinator/controller/internal/stored"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/textfile"
	"github.com/puttrix/trafficinator/shared/urllist"
)

// Source is where a list comes from.
type Source string

// The sources.
const (
	Custom  Source = "custom"
	Default Source = "default"
)

// URLReport is the result of validating a URL list.
type URLReport struct {
	Valid    bool         `json:"valid"`
	Count    int          `json:"url_count"`
	Lines    int          `json:"line_count"`
	Errors   problem.List `json:"errors"`
	Warnings problem.List `json:"warnings"`
	// Structure is empty if the list is invalid.
	Structure Structure `json:"structure"`
}

// ValidateURLs validates a list and saves nothing.
func (s *Service) ValidateURLs(content []byte) URLReport {
	_, report := readURLs(content)
	return report
}

func readURLs(content []byte) ([]urllist.Page, URLReport) {
	pages, problems := urllist.Parse("urls.txt", bytes.NewReader(content))
	r := URLReport{Count: len(pages), Lines: bytes.Count(content, []byte("\n")), Errors: problems.Errors(),
		Warnings: problems.Warnings(), Structure: structureOf(nil)}
	if n := len(content); n > 0 && content[n-1] != '\n' {
		r.Lines++
	}
	if r.Valid = len(r.Errors) == 0; r.Valid {
		r.Structure = structureOf(pages)
	}
	return pages, r
}

// pageCache keeps the last parsed list: parsing 50,000 lines takes 0.2 s, and paging clients request it repeatedly.
type pageCache struct {
	mu      sync.Mutex
	content []byte
	pages   []urllist.Page
	report  URLReport
}

// read is readURLs. Its result is shared and must not be changed.
func (c *pageCache) read(content []byte) ([]urllist.Page, URLReport) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.content == nil || !bytes.Equal(c.content, content) {
		c.content = content
		c.pages, c.report = readURLs(content)
	}
	return c.pages, c.report
}

// URLContent returns the list as it was saved, or the built-in one.
func (s *Service) URLContent(ctx context.Context) ([]byte, Source, error) {
	content, err := s.store.List(ctx, stored.URLs)
	if !errors.Is(err, ErrNotFound) {
		return content, Custom, err
	}
	c, err := s.config(ctx)
	return urllist.Encode(urllist.Default(c.plain["SITE_URL"])), Default, err
}

// URLs returns at most limit pages after skipping skip, and the report of the complete list.
func (s *Service) URLs(ctx context.Context, skip, limit int) ([]urllist.Page, URLReport, Source, error) {
	content, source, err := s.URLContent(ctx)
	if err != nil {
		return nil, URLReport{}, source, err
	}
	pages, report := s.pages.read(content)
	from := min(max(skip, 0), len(pages))
	return pages[from:min(from+max(limit, 0), len(pages))], report, source, nil
}

// SaveURLs saves a list unchanged, in UTF-8. The error is a problem.List.
func (s *Service) SaveURLs(ctx context.Context, content []byte) (URLReport, error) {
	return change(ctx, s, func(ctx context.Context) (URLReport, error) { return s.saveURLs(ctx, content) },
		exchange.URLsFile)
}

func (s *Service) saveURLs(ctx context.Context, content []byte) (URLReport, error) {
	content = textfile.TryDecode(content)
	_, report := readURLs(content)
	if err := report.Errors.Err(); err != nil {
		return report, err
	}
	return report, s.store.SaveList(ctx, stored.URLs, content)
}

// DeleteURLs restores the built-in list and reports whether another was saved.
func (s *Service) DeleteURLs(ctx context.Context) (bool, error) {
	return s.deleteList(ctx, stored.URLs, exchange.URLsFile)
}

func (s *Service) deleteList(ctx context.Context, name stored.List, file string) (bool, error) {
	return change(ctx, s, func(ctx context.Context) (bool, error) {
		err := s.store.DeleteList(ctx, name)
		if errors.Is(err, ErrNotFound) {
			return false, nil
		}
		return err == nil, err
	}, file)
}

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
		first = cmp.Or(first, home)
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
	var top []Count
	top, s.More = largest(categories)
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
