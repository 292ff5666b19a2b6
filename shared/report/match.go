package report

import "github.com/puttrix/trafficinator/shared/record"

// matches are how a match is shown: of a row, of a target, and with which class of the page's style.
var matches = map[record.Match]struct{ row, target, tone string }{
	record.MatchEqual: {"✓ equal", "Everything that was accepted was recorded", "good"},
	record.MatchShort: {"✗ short", "Hits are missing", "bad"},
	record.MatchMore:  {"✗ more", "More was recorded than was sent, and nothing explains it", "bad"},
	record.MatchNotArchived: {"not archived", "The raw log holds what was sent; the reports do not show it yet",
		"warn"},
	record.MatchIncomparable: {"not comparable", "What was recorded cannot be compared with what was sent", "muted"},
	record.MatchNotAsked:     {"", "Matomo could not be asked", "warn"},
}

// Matched is what the verdict of a target means.
func Matched(m record.Match) string { return matches[m].target }
