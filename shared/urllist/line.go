package urllist

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode"

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
	if fault := faultOf(address); fault.message != "" {
		l.problems.Refuse(where, fault.shown, fault.message, fault.cure)
		return Page{}, false
	}
	if odd, hidden := textfile.FindHidden(title); hidden {
		if l.hidden++; l.hidden <= shownWarnings {
			l.problems.Warn(where, title, fmt.Sprintf("has %v of its title", odd), "remove it: Matomo takes it for a part of the title")
		}
	}
	return Page{URL: address, Title: title}, true
}

// fault is what is wrong with an address.
type fault struct{ shown, message, cure string }

func faultOf(address string) fault {
	if odd, is := textfile.FindOdd(address); is {
		cure := "remove it"
		if unicode.IsSpace(odd.Rune) {
			cure = "put a TAB or two plain spaces between address and title"
		}
		return fault{address, fmt.Sprintf("has %v", odd), cure}
	}
	if strings.Contains(address, " ") {
		return fault{address, "has a single space", "put a TAB or two spaces between address and title, and %20 into an address"}
	}
	path, _, _ := strings.Cut(address, "#")
	path, _, _ = strings.Cut(path, "?")
	if at := bareEscape(path); at >= 0 {
		return fault{address, fmt.Sprintf("has a %% that begins no escape, as character %d", len([]rune(path[:at]))+1), "write %25 for a percent sign"}
	}
	switch u, err := url.Parse(address); {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return fault{address, "is not an http or https address", "write https://host/page"}
	case u.User != nil:
		return fault{"", "holds a user name or password, which Matomo would record", "leave it out of the address of a page"}
	}
	return fault{}
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
