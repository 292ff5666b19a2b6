// Package matomotext owns what Matomo makes of a text before it records it: where it cuts, and what it takes for none.
// What the text is for is the formats' to know.
package matomotext

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/puttrix/trafficinator/shared/textfile"
)

// Where texts end. Matomo cuts at bytes; where that is inside a character its database refuses the hit, and in bulk
// Matomo undoes the whole request.
const (
	// MaxText is for titles, keywords, and the addresses of pages, outlinks and downloads, in bytes
	// (page_maximum_length of config/global.ini.php).
	MaxText = 1024
	// MaxCategory is for the category of a search, in bytes (plugins/Actions/Actions/ActionSiteSearch.php).
	MaxCategory = 200
	// MaxEvent is for category, action and name of an event, in characters: it is not cut, and the database refuses
	// longer ones (log_action.name of core/Db/Schema/Mysql.php).
	MaxEvent = 4096
)

// Truncate is as much of a text as Matomo records, and no part of a character.
func Truncate(text string) string { return textfile.Truncate(text, MaxText) }

// TruncateURL is Cut for an address, which is cut inside no escape either.
func TruncateURL(address string) string {
	cut := Truncate(address)
	if at := strings.LastIndexByte(cut, '%'); len(cut) < len(address) && at >= len(cut)-2 {
		cut = cut[:at]
	}
	return cut
}

// blanks are what PHP's trim takes away.
const blanks = " \t\n\r\x00\x0b"

// IsEmpty tells whether Matomo takes a text for none: trimmed, nothing is left of it, or "0".
func IsEmpty(text string) bool {
	text = strings.Trim(text, blanks)
	return text == "" || text == "0"
}

// Check says what Matomo makes of a text otherwise than it stands there, and the cure; "" where it records all of it.
// limit is in bytes, 0 for none. An empty text is in order.
func Check(text string, limit int) (message, cure string) {
	hidden, isHidden := textfile.FindInvisible(text)
	switch {
	case text != "" && IsEmpty(text):
		return "is not recorded, because Matomo treats it as empty", "use another text"
	case isHidden:
		return fmt.Sprintf("has %v", hidden), "remove it: Matomo would record it"
	case limit > 0 && len(text) > limit:
		return fmt.Sprintf("is truncated at %d bytes, as in Matomo", limit), "shorten it"
	}
	return "", ""
}

// IsTooLong says that Matomo has no room for a text of an event and refuses the hit.
func IsTooLong(text string) bool { return utf8.RuneCountInString(text) > MaxEvent }
