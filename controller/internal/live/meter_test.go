package live

import (
	"testing"
	"time"
)

func TestAScrapeWithoutARunIsTaken(t *testing.T) {
	var m meter
	sample, _ := m.take(time.Now(), &Scrape{counters: newCounters()})
	if sample.RunID != "" || sample.Hits.Planned != 0 {
		t.Errorf("%+v", sample)
	}
}
