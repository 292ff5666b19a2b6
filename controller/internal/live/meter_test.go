package live

import (
	"testing"
	"time"

	"github.com/puttrix/trafficinator/shared/status"
)

func TestSnapshotWithoutARun(t *testing.T) {
	var m meter
	sample, _ := m.take(time.Now(), &status.Snapshot{})
	if sample.RunID != "" || sample.Hits.Planned != 0 {
		t.Errorf("%+v", sample)
	}
}
