package urllist

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/puttrix/trafficinator/shared/textfile"
)

var separator = regexp.MustCompile(` *\t[ \t]*| {2,}[ \t]*`)

// line reads a line without the spaces around it; false where it has no page.
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

// Fault is what is wrong with the address of a page.
type Fault struct {
	// Message and Cure are as in a problem.
	Message, Cure string
	// Secret: the address holds a password.
	Secret bool
}

// Redacted is as much of the address as a problem may show.
func (f *Fault) Redacted(address string) string {
	if f.Secret {
		return ""
	}
	return address
}

// CheckAddress finds what is wrong with the address of a page, an outlink or a download; nil where it is in order.
func CheckAddress(address string) *Fault {
	if odd, is := textfile.FindSpecial(address); is {
		cure := "remove it"
		if unicode.IsSpace(odd.Rune) {
			cure = "put a TAB or two plain spaces between URL and title"
		}
		return &Fault{Message: fmt.Sprintf("has %v", odd), Cure: cure}
	}
	if strings.Contains(address, " ") {
		return &Fault{
			Message: "has a single space",
			Cure:    "put a TAB or two spaces between URL and title; write %20 for a space in a URL",
		}
	}
	path, _, _ := strings.Cut(address, "#")
	path, _, _ = strings.Cut(path, "?")
	if at := bareEscape(path); at >= 0 {
		place := utf8.RuneCountInString(path[:at]) + 1
		return &Fault{
			Message: fmt.Sprintf("has a %% without an escape sequence at position %d", place),
			Cure:    "write %25 for a percent sign",
		}
	}
	switch u, err := url.Parse(address); {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return &Fault{Message: "is not an http or https URL", Cure: "write https://host/page"}
	case u.User != nil:
		return &Fault{
			Message: "contains a user name or password, which Matomo would record", Cure: "remove it", Secret: true,
		}
	}
	return nil
}

// bareEscape is the offset of the first % in a path that no two hexadecimal digits follow, or -1.
func bareEscape(path string) int {
	for i := range len(path) {
		if path[i] == '%' && (i+2 >= len(path) || !isHex(path[i+1]) || !isHex(path[i+2])) {
			return i
		}
	}
	return -1
}

func isHex(b byte) bool { return b >= '0' && b <= '9' || b|0x20 >= 'a' && b|0x20 <= 'f' }
