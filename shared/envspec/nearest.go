package envspec

import "strings"

// Nearest is the name that is closest to key by edit distance, whatever the case, or "" where all need more than most
// edits.
func Nearest(key string, names []string, most int) string {
	best, nearest := most+1, ""
	for _, name := range names {
		if d := distance(strings.ToUpper(key), name); d < best {
			best, nearest = d, name
		}
	}
	return nearest
}

// distance is Levenshtein's: how many insertions, deletions and replacements make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
