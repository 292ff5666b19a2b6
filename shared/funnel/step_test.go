package funnel_test

import (
	"slices"
	"testing"

	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/hit"
)

func TestEachTypeOfAStepSendsAKindOfHit(t *testing.T) {
	for _, name := range funnel.Types {
		if _, ok := hit.OfStep(name); !ok {
			t.Errorf("a step %s sends nothing", name)
		}
	}
	for _, kind := range hit.Rows {
		if kind.Step != "" && !slices.Contains(funnel.Types, kind.Step) {
			t.Errorf("no step of a funnel sends a %s", kind.Name)
		}
	}
}
