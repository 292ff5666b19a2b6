package problem_test

import (
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/shared/problem"
)

func TestALongValueIsCutBetweenCharacters(t *testing.T) {
	t.Parallel()
	p := problem.Problem{Where: "TITLE", Value: strings.Repeat("a", 79) + "é", Message: "is long", Cure: "shorten it"}
	if got, want := p.String(), `TITLE="`+strings.Repeat("a", 79)+`…": is long; shorten it`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
