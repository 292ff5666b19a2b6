// Package urllist owns urls.txt: the pages that visitors see, with their titles, and how Matomo records each. It
// knows neither who visits a page nor where the file lies.
package urllist

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/puttrix/trafficinator/shared/problem"
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
	// shownDuplicates is how many duplicates are told one by one.
	shownDuplicates = 5
)

// Page is a line of the list. Lines nearer the top are visited more often.
type Page struct {
	URL string
	// Title is empty where the line has none.
	Title string
	Line  int
}

var separator = regexp.MustCompile(` *\t[ \t]*| {2,}[ \t]*`)

// Parse reads urls.txt from r: a URL and, after a TAB or two spaces, a title a line; `#` begins a comment line. name
// is what problems call the file.
func Parse(name string, r io.Reader) ([]Page, problem.List) {
	var problems problem.List
	var pages []Page
	first := map[string]int{}
	duplicates, read := 0, 0
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4<<10), MaxLine+len("\r\n"))
	number := 0
	for lines.Scan() {
		number++
		raw := lines.Bytes()
		if read += len(raw) + 1; read > MaxBytes {
			problems.Refuse(name, "", "is larger than 32 MiB", "keep the pages that matter")
			return nil, problems
		}
		if number == 1 {
			raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
		}
		where := fmt.Sprintf("%s line %d", name, number)
		if !utf8.Valid(raw) {
			problems.Refuse(where, "", "is not UTF-8", "save the file as UTF-8")
		} else if p, ok := parseLine(where, strings.TrimSpace(string(raw)), &problems); ok {
			p.Line = number
			if before, twice := first[p.URL]; twice {
				if duplicates++; duplicates <= shownDuplicates {
					problems.Warn(where, p.URL, fmt.Sprintf("stands in line %d too", before), "remove one, or keep it to be visited more often")
				}
			} else {
				first[p.URL] = number
			}
			pages = append(pages, p)
		}
		if len(problems.Errors()) >= maxProblems {
			problems.Refuse(name, "", "has many more faults", "mend those above first")
			return nil, problems
		}
		if len(pages) > MaxPages {
			problems.Refuse(name, "", fmt.Sprintf("holds more than %d pages", MaxPages), "keep the pages that matter")
			return nil, problems
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		problems.Refuse(fmt.Sprintf("%s line %d", name, number+1), "", "is longer than 8 KiB", "is this a list of addresses?")
	case err != nil:
		problems.Refuse(name, "", "cannot be read: "+err.Error(), "")
	case len(pages) == 0 && problems.Err() == nil:
		problems.Refuse(name, "", "holds no page", "add a line such as https://host/page")
	case len(pages) < fewPages && problems.Err() == nil:
		problems.Warn(name, "", fmt.Sprintf("holds %d pages; reports look real from about %d on", len(pages), fewPages), "add pages")
	case len(pages) > manyPages:
		problems.Warn(name, "", fmt.Sprintf("holds %d pages; Matomo folds the tail of its reports into Others", len(pages)), "keep the pages that matter")
	}
	if duplicates > shownDuplicates {
		problems.Warn(name, "", fmt.Sprintf("holds %d lines more that stand there twice", duplicates-shownDuplicates), "remove them")
	}
	return pages, problems
}

func parseLine(where, line string, problems *problem.List) (Page, bool) {
	if line == "" || line[0] == '#' {
		return Page{}, false
	}
	address, title := line, ""
	if cut := separator.FindStringIndex(line); cut != nil {
		address, title = line[:cut[0]], line[cut[1]:]
	}
	if strings.Contains(address, " ") {
		problems.Refuse(where, line, "has a single space", "put a TAB or two spaces between address and title, and %20 into an address")
		return Page{}, false
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		problems.Refuse(where, address, "is not an http or https address", "write https://host/page")
		return Page{}, false
	}
	return Page{URL: address, Title: title}, true
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
