// Package urllist owns urls.txt: the pages that visitors see, with their titles, and how Matomo records each. It
// knows neither who visits a page nor where the file lies.
package urllist

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/textfile"
)

// The limits of a list.
const (
	MaxBytes = 32 << 20
	MaxLine  = 8 << 10
	MaxPages = 200_000
)

const (
	// fewPages and manyPages are told as warnings (FEATURES VAL-11).
	fewPages, manyPages = 100, 50_000
	// maxProblems ends the reading of a file that is no list at all.
	maxProblems = 100
	// shownWarnings is how many lines are warned of one by one for the same reason.
	shownWarnings = 5
)

// Page is a line of the list. Lines nearer the top are visited more often.
type Page struct {
	URL string
	// Title is empty where the line has none.
	Title string
	Line  int
}

// Parse reads urls.txt from r: a URL and, after a TAB or two spaces, a title a line; `#` begins a comment line. name
// is what problems call the file. A file that is something else altogether has one fault, not one in each line.
func Parse(name string, r io.Reader) ([]Page, problem.List) {
	var problems problem.List
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	switch {
	case err != nil:
		problems.Refuse(name, "", "cannot be read: "+err.Error(), "")
		return nil, problems
	case len(data) > MaxBytes:
		problems.Refuse(name, "", "is larger than 32 MiB", "keep the most important pages")
		return nil, problems
	}
	decoded, err := textfile.Decode(data)
	if err != nil {
		if errors.Is(err, textfile.ErrEncoding) {
			name = fmt.Sprintf("%s line %d", name, textfile.InvalidLine(data))
		}
		problems.Refuse(name, "", err.Error(), textfile.Cure(err))
		return nil, problems
	}
	text := lineEnds.Replace(string(decoded))
	if what, cure := otherKind(text); what != "" {
		problems.Refuse(name, "", what, cure)
		return nil, problems
	}
	l := list{name: name, first: map[string]int{}}
	if !l.read(text) {
		return nil, l.problems
	}
	l.conclude()
	return l.pages, l.problems
}

// lineEnds makes those of Windows and of old Macs ours.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// list is a list being read.
type list struct {
	name     string
	problems problem.List
	pages    []Page
	// first is the line in which an address stands first.
	first map[string]int
	// duplicates and hidden count lines that are warned of.
	duplicates, hidden int
}

// read reads the lines; false where there is no use in going on.
func (l *list) read(text string) bool {
	number := 0
	for raw := range strings.Lines(text) {
		number++
		where := fmt.Sprintf("%s line %d", l.name, number)
		raw = strings.TrimSuffix(raw, "\n")
		if len(raw) > MaxLine {
			l.problems.Refuse(where, "", "is longer than 8 KiB", "check that this is a list of URLs")
			return false
		}
		if p, ok := l.line(where, strings.TrimSpace(raw)); ok {
			p.Line = number
			l.add(where, p)
		}
		if len(l.problems.Errors()) >= maxProblems {
			l.problems.Refuse(l.name, "", "has more problems", "fix those above first")
			return false
		}
		if len(l.pages) > MaxPages {
			l.problems.Refuse(l.name, "", fmt.Sprintf("has more than %d pages", MaxPages),
				"keep the most important ones")
			return false
		}
	}
	return true
}

func (l *list) add(where string, p Page) {
	l.pages = append(l.pages, p)
	before, twice := l.first[p.URL]
	if !twice {
		l.first[p.URL] = p.Line
		return
	}
	if l.duplicates++; l.duplicates <= shownWarnings {
		l.problems.Warn(where, p.URL, fmt.Sprintf("is a duplicate of line %d", before),
			"remove one, or keep both so that it is visited more often")
	}
}

// conclude says what is wrong with the list as a whole.
func (l *list) conclude() {
	switch n, refused := len(l.pages), l.problems.Err() != nil; {
	case n == 0 && !refused:
		l.problems.Refuse(l.name, "", "has no pages", "add a line such as https://host/page")
	case n < fewPages && !refused:
		l.problems.Warn(l.name, "", fmt.Sprintf("has only %d pages; realistic reports need about %d", n, fewPages),
			"add pages")
	case n > manyPages:
		l.problems.Warn(l.name, "", fmt.Sprintf("has %d pages; Matomo groups the rarest as Others", n),
			"keep the most important ones")
	}
	if n := l.duplicates - shownWarnings; n > 0 {
		l.problems.Warn(l.name, "", fmt.Sprintf("has %d more duplicate lines", n), "remove them")
	}
	if n := l.hidden - shownWarnings; n > 0 {
		l.problems.Warn(l.name, "", fmt.Sprintf("has %d more lines with invisible characters in the title", n),
			"remove the characters")
	}
}

// Encode writes the list as urls.txt.
func Encode(pages []Page) []byte {
	var b bytes.Buffer
	for _, p := range pages {
		b.WriteString(p.URL)
		if p.Title != "" {
			b.WriteByte('\t')
			b.WriteString(p.Title)
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// DefaultSite is where the built-in pages lie unless the settings say otherwise.
const DefaultSite = "https://shop.example.test"

//go:embed default.txt
var builtIn []byte

// Default are the 2,000 built-in pages, on the site at siteURL (scheme, host and perhaps a path), or on DefaultSite
// where it is empty.
func Default(siteURL string) []Page {
	pages, problems := Parse("built-in pages", bytes.NewReader(builtIn))
	if problems.Err() != nil {
		panic(problems.Err()) // the file is part of the program
	}
	if siteURL = strings.TrimSuffix(siteURL, "/"); siteURL != "" {
		for i := range pages {
			pages[i].URL = siteURL + strings.TrimPrefix(pages[i].URL, DefaultSite)
		}
	}
	return pages
}

// looked is how many lines are looked at to tell what a file is.
const looked = 200

// otherKind says what a file is that is no list, and what to do about it; "" where it may be one.
func otherKind(text string) (what, cure string) {
	lines := sample(text)
	if len(lines) == 0 {
		return "", ""
	}
	const oneALine = "write one URL per line, with its title after a TAB"
	begin := strings.ToLower(strings.Join(lines[:min(len(lines), 10)], "\n"))
	switch {
	case begin[0] == '<' && (strings.Contains(begin, "<urlset") || strings.Contains(begin, "<sitemapindex")):
		return "is an XML sitemap", "write the URL of each <loc> on its own line"
	case strings.HasPrefix(begin, "<!doctype html"), strings.HasPrefix(begin, "<html"):
		return "is a web page", oneALine
	case begin[0] == '<':
		return "is XML", oneALine
	case begin[0] == '{', begin[0] == '[':
		return "is JSON", oneALine
	case isCSV(lines):
		return "is CSV, with commas or semicolons between URL and title",
			"separate them with a TAB: save as tab-delimited text"
	}
	return "", ""
}

// sample are the first lines that are neither blank nor comments.
func sample(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			if out = append(out, line); len(out) == looked {
				break
			}
		}
	}
	return out
}

var (
	quotedField = regexp.MustCompile(`^"https?://[^"]*"([,;]|$)`)
	// titled ends as no address does: with a quoted text, or with one that begins in upper case or holds a space, and
	// that has nothing of a path.
	titled = regexp.MustCompile(`^https?://[^\t]*[,;] ?("[^"]*"|\p{Lu}[^/.=&?%#,;]*|[^/.=&?%#,;]* [^/.=&?%#,;]*)$`)
)

// isCSV tells whether lines are rows of a table and not addresses with commas in them: no line has a TAB, all have a
// comma or semicolon behind the scheme, and half of them at least end with a title.
func isCSV(lines []string) bool {
	if head := lines[0]; len(lines) > 1 && !strings.Contains(head, "://") && strings.ContainsAny(head, ",;") {
		lines = lines[1:] // the names of the columns
	}
	titles := 0
	for _, line := range lines {
		switch {
		case quotedField.MatchString(line), titled.MatchString(line):
			titles++
		case strings.Contains(line, "\t"), !strings.ContainsAny(line, ",;"), !strings.HasPrefix(line, "http"):
			return false
		}
	}
	return 2*titles >= len(lines)
}
