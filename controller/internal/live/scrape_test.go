package live

import (
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/shared/metric"
)

func TestAScrapeTellsWhyNewVisitsPause(t *testing.T) {
	t.Parallel()
	s, err := parse(strings.NewReader("# TYPE trafficinator_pause gauge\ntrafficinator_pause{reason=\"asked\"} " +
		"0\ntrafficinator_pause{reason=\"state_full\"} 1\n"))
	if err != nil || s.Pause != metric.PauseState {
		t.Errorf("%+v, %v", s, err)
	}
}
