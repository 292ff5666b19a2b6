package run

import (
	"testing"

	"github.com/puttrix/trafficinator/shared/spec"
)

func TestACapacitySearchHasNoBuiltInThreshold(t *testing.T) {
	t.Parallel()
	if _, thresholds := newJudge(&spec.Spec{CapacitySearch: true}); len(thresholds) > 0 {
		t.Errorf("%+v", thresholds)
	}
	if judge, thresholds := newJudge(&spec.Spec{ThresholdAbort: true}); judge != nil || len(thresholds) != 1 {
		t.Errorf("the built-in one may end a run early: %+v, %+v", judge, thresholds)
	}
}
