package history

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/textfile"
)

// MaxLabel is the maximum length of a label, in characters.
const MaxLabel = 50

// CheckNote checks a note of a person. The error is a problem.List.
func CheckNote(note string) error {
	var problems problem.List
	if odd, found := textfile.FindInvisible(note); found {
		problems.Refuse("note", "", "has "+odd.String(), "type it again without that")
	}
	return problems.Err()
}

// NormalizeLabels trims labels and removes duplicates; nil stays nil. The error is a problem.List.
func NormalizeLabels(given []string) ([]string, error) {
	if given == nil {
		return nil, nil
	}
	out, problems := []string{}, problem.List{}
	for i, l := range given {
		where := fmt.Sprintf("labels[%d]", i)
		l = strings.TrimSpace(l)
		odd, hidden := textfile.FindInvisibleInLine(l)
		switch {
		case l == "":
			problems.Refuse(where, "", "is empty", "write something or leave it out")
		case utf8.RuneCountInString(l) > MaxLabel:
			problems.Refuse(where, l, fmt.Sprintf("has more than %d characters", MaxLabel),
				"shorten it, and write the rest in the note")
		case hidden:
			problems.Refuse(where, "", "has "+odd.String(), "type it again without that")
		case !slices.Contains(out, l):
			out = append(out, l)
		}
	}
	return out, problems.Err()
}
