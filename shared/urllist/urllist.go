// Package urllist owns urls.txt: the pages that visitors see, with their titles, and how Matomo records each.
package urllist

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

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
	// Fewer or more pages than these are warned of (FEATURES VAL-11).
	fewPages, manyPages = 100, 50_000
	// maxProblems stops reading a file that is not a list.
	maxProblems   = 100
	shownWarnings = 5 // the number of lines shown for each kind of warning
)

// Page is a line of the list. Pages near the top are visited more often.
type Page struct {
	URL string
	// Title may be empty.
	Title string
	Line  int
}

// Parse reads urls.txt: a URL per line and, after a TAB or two spaces, a title; `#` starts a comment line. name is the
// file's name in problems. A file of another kind has one problem, not one per line.
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

// lineEnds converts those of Windows and of old Macs.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

type list struct {
	name     string
	problems problem.List
	pages    []Page
	first    map[string]int // the first line of a URL
	// duplicates and hidden count lines with a warning.
	duplicates, hidden int
}

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

// DefaultSite is the default site of the built-in pages.
const DefaultSite = "https://shop.example.test"

//go:embed default.txt
var builtIn []byte

// Default returns the 2,000 built-in pages, on siteURL (scheme, host and perhaps a path) or DefaultSite.
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

// otherKind recognises a file of another kind, with its cure; "" if it may be a list.
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

func sample(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			if out = append(out, line); len(out) == 200 {
				break
			}
		}
	}
	return out
}

var (
	quotedField = regexp.MustCompile(`^"https?://[^"]*"([,;]|$)`)
	// titled ends with quoted text, or with text in upper case or with a space and no characters of a path.
	titled = regexp.MustCompile(`^https?://[^\t]*[,;] ?("[^"]*"|\p{Lu}[^/.=&?%#,;]*|[^/.=&?%#,;]* [^/.=&?%#,;]*)$`)
)

// isCSV reports whether lines are rows of a table instead of URLs with commas: no line has a TAB, all have a comma or
// semicolon after the scheme, and at least half of them end with a title.
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

var separator = regexp.MustCompile(` *\t[ \t]*| {2,}[ \t]*`)

// line parses a trimmed line; false if it has no page.
func (l *list) line(where, text string) (Page, bool) {
	if text == "" || text[0] == '#' {
		return Page{}, false
	}
	address, title := text, ""
	if cut := separator.FindStringIndex(text); cut != nil {
		address, title = text[:cut[0]], strings.TrimSpace(text[cut[1]:])
	}
	if fault := CheckAddress(address); fault != nil {
		l.problems.Refuse(where, fault.Redacted(address), fault.Message, fault.Cure)
		return Page{}, false
	}
	if odd, hidden := textfile.FindInvisible(title); hidden {
		if l.hidden++; l.hidden <= shownWarnings {
			l.problems.Warn(where, title, fmt.Sprintf("has %v of the title", odd),
				"remove it: Matomo records it in the title")
		}
	}
	return Page{URL: address, Title: title}, true
}

// Fault is a problem of a page's URL.
type Fault struct {
	// Message and Cure are as in problem.Problem.
	Message, Cure string
	Secret        bool // means that the URL contains a password
}

// Redacted is the part of the URL that a problem may show.
func (f *Fault) Redacted(address string) string {
	if f.Secret {
		return ""
	}
	return address
}

// CheckAddress checks the URL of a page, an outlink or a download; nil if it is valid.
func CheckAddress(address string) *Fault {
	if odd, is := textfile.FindSpecial(address); is {
		cure := "remove it"
		if unicode.IsSpace(odd.Rune) {
			cure = "put a TAB or two plain spaces between URL and title"
		}
		return &Fault{Message: fmt.Sprintf("has %v", odd), Cure: cure}
	}
	if strings.Contains(address, " ") {
		return &Fault{Message: "has a single space",
			Cure: "put a TAB or two spaces between URL and title; write %20 for a space in a URL"}
	}
	path, _, _ := strings.Cut(address, "#")
	path, _, _ = strings.Cut(path, "?")
	if at := bareEscape(path); at >= 0 {
		return &Fault{Cure: "write %25 for a percent sign", Message: fmt.Sprintf(
			"has a %% without an escape sequence at position %d", utf8.RuneCountInString(path[:at])+1)}
	}
	switch u, err := url.Parse(address); {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return &Fault{Message: "is not an http or https URL", Cure: "write https://host/page"}
	case u.User != nil:
		return &Fault{"contains a user name or password, which Matomo would record", "remove it", true}
	}
	return nil
}

// bareEscape is the offset of the first % in a path without two hexadecimal digits after it, or -1.
func bareEscape(path string) int {
	for i := range len(path) {
		if path[i] == '%' && (i+2 >= len(path) || !isHex(path[i+1]) || !isHex(path[i+2])) {
			return i
		}
	}
	return -1
}

func isHex(b byte) bool { return b >= '0' && b <= '9' || b|0x20 >= 'a' && b|0x20 <= 'f' }
