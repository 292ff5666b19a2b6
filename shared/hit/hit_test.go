package hit_test

import (
	"testing"

	"github.com/puttrix/trafficinator/shared/hit"
)

func TestEachKindHasANameATitleAndAStepOfItsOwn(t *testing.T) {
	names, steps := map[string]bool{}, map[string]bool{}
	for k, row := range hit.Rows {
		if row.Name == "" || row.Title == "" || names[row.Name] || steps[row.Step] {
			t.Errorf("kind %d: %+v", k, row)
		}
		names[row.Name] = true
		if row.Step != "" {
			steps[row.Step] = true
			if kind, ok := hit.OfStep(row.Step); !ok || kind != hit.Kind(k) {
				t.Errorf("a step %s sends %v, %t", row.Step, kind, ok)
			}
		}
		if row.Action && !row.Opens {
			t.Errorf("%s: an action opens a visit", row.Name)
		}
	}
	if kind, ok := hit.OfStep("dance"); ok {
		t.Errorf("an unknown step sends %v", kind)
	}
	if got := hit.Title("later"); got != "later" {
		t.Errorf("a kind that is not known is called %q", got)
	}
}
