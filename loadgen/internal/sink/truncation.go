package sink

import (
	"strings"
	"unicode/utf8"
)

// halfCharacter is why the database refuses a hit: Matomo has cut one of its texts inside a character.
const halfCharacter = "a text is cut inside a character"

// cuts are the bytes at which Matomo cuts texts (core/Tracker/PageUrl.php,
// plugins/Actions/Actions/ActionSiteSearch.php). Texts of events are not cut. Each was tried on Matomo 5.2.0-b5.
var cuts = map[string]int{
	"url": maxURL, "urlref": maxURL, "link": maxURL, "download": maxURL, "action_name": maxURL, "search": maxURL,
	"search_cat": 200,
}

// halved tells whether a text of the hit is cut inside a character.
func halved(h *hit) bool {
	for name, limit := range cuts {
		if text := strings.TrimSpace(h.params[name]); len(text) > limit && !utf8.RuneStart(text[limit]) {
			return true
		}
	}
	return false
}
