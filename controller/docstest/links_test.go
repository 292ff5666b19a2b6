package docstest

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/puttrix/trafficinator/shared/testbed"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"`)
	fence   = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	inline  = regexp.MustCompile("`[^`\n]*`")
	heading = regexp.MustCompile(`(?m)^#+ +(.+?) *$`)
	named   = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
)

func TestEveryLinkOfThePagesLeadsSomewhere(t *testing.T) {
	t.Parallel()
	all := pages(t)
	if len(all) < 15 {
		t.Fatalf("found %d pages", len(all))
	}
	for name, page := range all {
		text := inline.ReplaceAllString(fence.ReplaceAllString(page, ""), "")
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if fault := follow(all, name, m[1]+m[2]); fault != "" {
				t.Errorf("%s: %s", name, fault)
			}
		}
	}
}

// pages are all pages of the repository by their paths.
func pages(t *testing.T) map[string]string {
	t.Helper()
	_ = os.Getenv("TRAFFICINATOR_PAGES") // a sum of them: go test does not notice changes outside of its module
	out := map[string]string{}
	skipped := []string{".git", "node_modules", "bin", "data", "dist", "screenshots", "results"}
	err := filepath.WalkDir(testbed.Root(), func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains(skipped, d.Name()):
			return filepath.SkipDir
		case filepath.Ext(path) != ".md":
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(testbed.Root(), path)
		out[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// follow says what is wrong with a link of a page, empty if nothing is. Nobody else's server is asked.
func follow(all map[string]string, from, to string) string {
	if regexp.MustCompile(`^[a-z]+:`).MatchString(to) {
		return ""
	}
	path, anchor, _ := strings.Cut(to, "#")
	file := from
	if path != "" {
		file = filepath.Join(filepath.Dir(from), path)
	}
	if _, err := os.Stat(filepath.Join(testbed.Root(), file)); err != nil {
		return fmt.Sprintf("the link %s leads to no file", to)
	}
	if anchor != "" && !slices.Contains(anchors(all[file]), anchor) {
		return fmt.Sprintf("the link %s leads to no heading", to)
	}
	return ""
}

// anchors are those that GitHub makes of the headings of a page.
func anchors(page string) (all []string) {
	seen := map[string]int{}
	for _, m := range heading.FindAllStringSubmatch(fence.ReplaceAllString(page, ""), -1) {
		slug := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, named.ReplaceAllString(m[1], "$1"))
		n := seen[slug]
		if seen[slug]++; n > 0 {
			slug = fmt.Sprintf("%s-%d", slug, n)
		}
		all = append(all, slug)
	}
	return all
}

func TestALinkThatLeadsNowhereIsFound(t *testing.T) {
	t.Parallel()
	all := map[string]string{"README.md": "# A b, `c`!\n\n## A b c\n```\n# no heading\n```\n"}
	for to, want := range map[string]bool{
		"#a-b-c": true, "#a-b-c-1": true, "#no-heading": false, "LICENSE": true, "docs/none.md": false,
		"https://example.com/none": true,
	} {
		if fault := follow(all, "README.md", to); (fault == "") != want {
			t.Errorf("%s: %q", to, fault)
		}
	}
}
