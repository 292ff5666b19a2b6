package cli_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/shared/exitcode"
)

// backfill is what of the only job is looked at.
type backfill struct {
	State    string
	ExitCode *int `json:"exit_code"`
	Restarts int
	Error    *string
	Progress *struct {
		Planned uint64 `json:"visits_planned"`
		Sent    uint64 `json:"visits_sent"`
		Done    uint64 `json:"batches_done"`
		Days    []struct {
			Date string
			Sent uint64
		}
	}
}

func (c *controller) untilJob(what string, yes func(backfill) bool) backfill {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		data, err := json.Marshal(c.must(200, "GET", "/api/backfill/status", "")["runs"])
		if err != nil {
			c.t.Fatal(err)
		}
		var jobs []backfill
		if err := json.Unmarshal(data, &jobs); err != nil || len(jobs) != 1 {
			c.t.Fatalf("want one job: %v in %s", err, data)
		}
		if yes(jobs[0]) {
			return jobs[0]
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			c.t.Fatalf("waited in vain until %s: %s; log: %s", what, data, c.logs.String())
		}
	}
}

func TestABackfillGoesOnWithTheNextController(t *testing.T) {
	c := start(t)
	address, counts := c.sink()
	// The sink's site is in CET.
	c.must(
		200,
		"PUT",
		"/api/config",
		fmt.Sprintf(
			`{"config":{"MATOMO_URL":%q,"MATOMO_TOKEN_AUTH":%q,"TARGET_VISITS_PER_DAY":60,"BULK_SIZE":20,"TIMEZONE":"CET"}}`,
			address,
			token,
		),
	)
	c.must(202, "POST", "/api/backfill/run", `{"DAYS_BACK":3,"DURATION_DAYS":2,"RPS_LIMIT":4}`)
	before := c.untilJob("it has sent something", func(j backfill) bool {
		return j.Progress != nil && j.Progress.Done >= 3
	})
	if code := c.end(); code != exitcode.OK {
		t.Fatalf("exit code %d: %s", code, c.logs.String())
	}
	c.serve()
	after := c.untilJob("it has ended", func(j backfill) bool { return j.State == "exited" })
	if *after.ExitCode != 0 || after.Error != nil || after.Restarts != 0 ||
		after.Progress.Sent != after.Progress.Planned || after.Progress.Planned <= before.Progress.Sent {
		t.Errorf("want everything sent, and the end of a controller no crash: %+v", after)
	}
	sink, _ := counts()["counts"].(map[string]any)
	total, _ := sink["total"].(map[string]any)
	days, _ := total["days"].(map[string]any)
	for _, d := range after.Progress.Days {
		if day, _ := days[d.Date].(map[string]any); day["visits"] != float64(d.Sent) {
			t.Errorf("the sink has %v of %+v", day, d)
		}
	}
}
