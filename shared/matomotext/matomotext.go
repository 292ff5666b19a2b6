// Package matomotext knows what Matomo truncates and what it treats as empty.
package matomotext

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/puttrix/trafficinator/shared/textfile"
)

// Maximum lengths. Matomo cuts at bytes; inside a character its database refuses the hit, and in bulk mode Matomo rolls
// back the entire request.
const (
	// MaxText is for titles, keywords, and URLs, in bytes (page_maximum_length of config/global.ini.php).
	MaxText     = 1024
	MaxCategory = 200 // for the category of a search, in bytes (plugins/Actions/Actions/ActionSiteSearch.php).
	// MaxEvent is for category, action and name of an event, in characters: the database refuses longer ones
	// (log_action.name of core/Db/Schema/Mysql.php).
	MaxEvent = 4096
)

// Truncate returns the part of a text that Matomo records, without a partial character.
func Truncate(text string) string { return textfile.Truncate(text, MaxText) }

// TruncateURL is Truncate for a URL, without a partial escape sequence.
func TruncateURL(address string) string {
	cut := Truncate(address)
	if at := strings.LastIndexByte(cut, '%'); len(cut) < len(address) && at >= len(cut)-2 {
		cut = cut[:at]
	}
	return cut
}

// blanks are the characters that PHP's trim removes.
const blanks = " \t\n\r\x00\x0b"

// IsEmpty reports whether Matomo treats a text as empty: trimmed, it is "" or "0".
func IsEmpty(text string) bool {
	text = strings.Trim(text, blanks)
	return text == "" || text == "0"
}

// Check describes how Matomo changes a text, with a cure, or "". limit is in bytes, 0 for none.
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

// IsTooLong reports that Matomo refuses a hit with this text of an event.
func IsTooLong(text string) bool { return utf8.RuneCountInString(text) > MaxEvent }
