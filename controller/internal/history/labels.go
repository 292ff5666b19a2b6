package history

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/puttrix/trafficinator/shared/problem"
)

// MaxLabel is the longest label, in characters.
const MaxLabel = 50

// Labels are those that a person gave, without blanks around them and each once; nil stays nil. The error is a
// problem.List.
func Labels(given []string) ([]string, error) {
	if given == nil {
		return nil, nil
	}
	out, problems := []string{}, problem.List{}
	for i, l := range given {
		where := fmt.Sprintf("labels[%d]", i)
		switch l = strings.TrimSpace(l); {
		case l == "":
			problems.Refuse(where, "", "is empty", "write something or leave it out")
		case utf8.RuneCountInString(l) > MaxLabel:
			problems.Refuse(where, l, fmt.Sprintf("has more than %d characters", MaxLabel), "shorten it, and tell the rest in the note")
		case !slices.Contains(out, l):
			out = append(out, l)
		}
	}
	return out, problems.Err()
}
