// Package urllist owns urls.txt: the pages that visitors see, with their titles, and how Matomo records each. It
// knows neither who visits a page nor where the file lies.
package urllist

import (
	"bytes"
	"errors"
	"fmt"
	"io"
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
