package console

import (
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/shared/runsummary"
)

func TestUnsentVisitsAreNotLeftToSend(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	backfill(&b, &runsummary.Backfill{Days: []runsummary.BackfillDay{{Date: "2026-06-16", Planned: 10, Sent: 6,
		Unsent: 1}}})
	if !strings.Contains(strings.Join(strings.Fields(b.String()), " "), "unsent left 2026-06-16 10 6 0 0 1 3") {
		t.Errorf("the table is\n%s", b.String())
	}
}
