package cli_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/puttrix/trafficinator/controller/internal/cli"
	"github.com/puttrix/trafficinator/controller/internal/reconcile/comparison"
	"github.com/puttrix/trafficinator/shared/exitcode"
)

// reconcile asks with the command and gives its exit code, what the API tells then, and what it prints.
func (c *controller) reconcile(run string) (code int, r comparison.Reconciliation, text string) {
	c.t.Helper()
	var out, faults written
	h := c.host
	h.Stdout, h.Stderr = &out, &faults
	code = cli.Run(c.t.Context(), []string{"reconcile", run, "--api-base", c.base, "--limit", "0"}, h)
	if out.String() == "" {
		c.t.Fatalf("exit code %d: %s", code, faults.String())
	}
	c.read("/api/runs/"+run+"/reconcile", &r)
	return code, r, out.String()
}

// run sends some visits with these settings and gives the id of the run once it has ended.
func (c *controller) run(settings map[string]any) string {
	c.t.Helper()
	all := map[string]any{
		"MATOMO_TOKEN_AUTH": token, "TARGET_VISITS_PER_DAY": 20_000_000, "PAUSE_BETWEEN_PVS_MIN": 0,
		"PAUSE_BETWEEN_PVS_MAX": 0.05,
		"STOP_AFTER_VISITS":     200, "TIMEZONE": "CET", "ECOMMERCE_PROBABILITY": 0.5,
	}
	for key, v := range settings {
		all[key] = v
	}
	config, err := json.Marshal(map[string]any{"config": all})
	if err != nil {
		c.t.Fatal(err)
	}
	c.must(200, "PUT", "/api/config", string(config))
	id := c.begun("/api/start", "")
	c.ended(id)
	return id
}

func TestRunsAreReconciledWithTheSink(t *testing.T) {
	c := start(t)
	for _, one := range []struct {
		name string
		test func(*testing.T, *controller)
	}{
		{"reports that are not archived are no loss", reportsThatAreNotArchivedAreNoLoss},
		{"a loss is found by the raw log whatever the reports show", aLossIsFoundByTheRawLogWhateverTheReportsShow},
		{"visits that matomo splits are a surplus with its cause", visitsThatMatomoSplitsAreASurplusWithItsCause},
		{"two trackers of one matomo are added up", twoTrackersOfOneMatomoAreAddedUp},
		{"a run of another site is asked for with the token of its address",
			aRunOfAnotherSiteIsAskedForWithTheTokenOfItsAddress},
		{"a backfill of which all is in doubt is not equal", aBackfillOfWhichAllIsInDoubtIsNotEqual},
		{"orders in doubt bound the money", ordersInDoubtBoundTheMoney},
		{"hits that were refused widen every row", hitsThatWereRefusedWidenEveryRow},
		{"a matomo that is away is not blamed on the token", aMatomoThatIsAwayIsNotBlamedOnTheToken},
	} {
		t.Run(one.name, func(t *testing.T) {
			c.t = t
			one.test(t, c)
		})
	}
}

// verdicts are those of the totals of the only target.
func verdicts(t *testing.T, r comparison.Reconciliation) map[string]comparison.Match {
	t.Helper()
	if len(r.Targets) != 1 {
		t.Fatalf("want one target: %+v", r.Targets)
	}
	out := map[string]comparison.Match{}
	for _, row := range r.Targets[0].Rows {
		if row.Group == "total" {
			out[row.Name] = row.Verdict
		}
	}
	return out
}

func reportsThatAreNotArchivedAreNoLoss(t *testing.T, c *controller) {
	t.Helper()
	address, _ := c.sink("--archive-delay", "2h", "--lose-share", "0", "--quiet")
	code, r, text := c.reconcile(c.run(map[string]any{"MATOMO_URL": address}))
	got := verdicts(t, r)
	if code != exitcode.NotArchived || r.Verdict != comparison.MatchNotArchived ||
		got["visits"] != comparison.MatchEqual ||
		got["actions"] != comparison.MatchEqual ||
		got["pageviews"] != comparison.MatchNotArchived {
		t.Errorf("exit code %d, %v\n%s", code, got, text)
	}
	if !strings.Contains(text, "core:archive") || strings.Contains(text, "short") {
		t.Errorf("want the cure, and no loss: %s", text)
	}
}

func aLossIsFoundByTheRawLogWhateverTheReportsShow(t *testing.T, c *controller) {
	t.Helper()
	address, _ := c.sink("--archive-delay", "2h", "--lose-share", "0.2", "--seed", "1", "--quiet")
	for range 2 { // of the second the reports were behind when it began
		code, r, text := c.reconcile(c.run(map[string]any{"MATOMO_URL": address}))
		if got := verdicts(t, r); code != exitcode.Lost || got["actions"] != comparison.MatchShort {
			t.Errorf("exit code %d, %v\n%s", code, got, text)
		}
	}
}

func visitsThatMatomoSplitsAreASurplusWithItsCause(t *testing.T, c *controller) {
	t.Helper()
	address, _ := c.sink("--tracker", "visit_standard_length=20", "--quiet")
	code, r, text := c.reconcile(c.run(map[string]any{"MATOMO_URL": address}))
	got := verdicts(t, r)
	if code != exitcode.Lost || got["visits"] != comparison.MatchMore || got["actions"] != comparison.MatchEqual ||
		!strings.Contains(text, "visit_standard_length") {
		t.Errorf("exit code %d, %v\n%s", code, got, text)
	}
}

func twoTrackersOfOneMatomoAreAddedUp(t *testing.T, c *controller) {
	t.Helper()
	address, _ := c.sink("--lose-share", "0.2", "--seed", "1", "--quiet")
	for name, url := range map[string]string{"one": address,
		"two": strings.Replace(address, "matomo.php", "piwik.php", 1)} {
		c.must(201, "POST", "/api/targets",
			fmt.Sprintf(`{"name":%q,"url":%q,"site_id":1,"token_auth":%q,"enabled":true}`, name, url, token))
	}
	c.must(200, "PUT", "/api/targets/routing", `{"mode":"multi"}`)
	defer c.must(200, "PUT", "/api/targets/routing", `{"mode":"single"}`)
	code, r, text := c.reconcile(c.run(map[string]any{"MATOMO_URL": address}))
	got := verdicts(t, r)
	if code != exitcode.Lost || strings.Contains(text, "Nobody looked") || got["pageviews"] != comparison.MatchShort ||
		len(r.Targets[0].Parts) != 2 || !strings.Contains(text, "one + two, site 1") {
		t.Errorf("exit code %d, %v\n%s", code, got, text)
	}
}

func aRunOfAnotherSiteIsAskedForWithTheTokenOfItsAddress(t *testing.T, c *controller) {
	t.Helper()
	address, _ := c.sink("--quiet")
	id := c.run(map[string]any{"MATOMO_URL": address})
	c.must(200, "PUT", "/api/config",
		fmt.Sprintf(`{"config":{"MATOMO_URL":%q,"MATOMO_SITE_ID":2,"MATOMO_TOKEN_AUTH":%q}}`, address, token))
	code, r, text := c.reconcile(id)
	if code != exitcode.OK || r.Verdict != comparison.MatchEqual || r.Targets[0].SiteID != 1 ||
		!strings.Contains(text, "is for site 2") {
		t.Errorf("exit code %d\n%s", code, text)
	}
}

func aBackfillOfWhichAllIsInDoubtIsNotEqual(t *testing.T, c *controller) {
	t.Helper()
	address, _ := c.sink("--drop-share", "1", "--seed", "1", "--quiet")
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
	c.must(202, "POST", "/api/backfill/run", `{"DAYS_BACK":3,"DURATION_DAYS":2}`)
	c.untilJob("it has ended", func(j backfill) bool { return j.State == "exited" })
	runs, _ := c.must(200, "GET", "/api/backfill/status", "")["runs"].([]any)
	job, _ := runs[0].(map[string]any)
	code, r, text := c.reconcile(fmt.Sprint(job["run_id"]))
	visits := r.Targets[0].Rows[0]
	if code != exitcode.OK || r.Verdict != comparison.MatchIncomparable || visits.Recorded == 0 ||
		visits.Most < visits.Recorded {
		t.Errorf("exit code %d, %+v\n%s", code, visits, text)
	}
}

func ordersInDoubtBoundTheMoney(t *testing.T, c *controller) {
	t.Helper()
	address, _ := c.sink("--drop-share", "0.2", "--seed", "1", "--quiet")
	code, r, text := c.reconcile(c.run(map[string]any{"MATOMO_URL": address, "ECOMMERCE_ORDER_VALUE_MAX": 40}))
	if code != exitcode.OK || verdicts(t, r)["revenue"] != comparison.MatchEqual {
		t.Errorf("exit code %d\n%s", code, text)
	}
	var orders, revenue comparison.ReconciledRow
	for _, row := range r.Targets[0].Rows {
		switch row.Name {
		case "orders":
			orders = row
		case "revenue":
			revenue = row
		}
	}
	if doubtful := orders.Most - orders.Sent; doubtful == 0 || revenue.Most != revenue.Sent+doubtful*40 {
		t.Errorf("%v orders in doubt, %+v", doubtful, revenue)
	}
}

func hitsThatWereRefusedWidenEveryRow(t *testing.T, c *controller) {
	t.Helper()
	address, _ := c.sink("--quiet")
	// Every fifth hit is recorded and answered with a 400, as where Matomo's database goes away in between.
	var n atomic.Int64
	front := proxy(t, address, func(w http.ResponseWriter) bool {
		if n.Add(1)%5 > 0 {
			return false
		}
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte("GIF89a part of Matomo"))
		return true
	})
	code, r, text := c.reconcile(c.run(map[string]any{"MATOMO_URL": front, "CONCURRENCY": 1}))
	if code != exitcode.OK || r.Verdict != comparison.MatchEqual {
		t.Errorf("exit code %d\n%s", code, text)
	}
}

// proxy stands before a sink and lets instead answer what the sink has taken.
func proxy(t *testing.T, tracker string, instead func(http.ResponseWriter) bool) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		req, err := http.NewRequestWithContext(r.Context(), r.Method, strings.TrimSuffix(tracker, "/matomo.php")+
			r.URL.String(), r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		req.Header = r.Header.Clone()
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer resp.Body.Close() //nolint:errcheck // only read
		if strings.HasSuffix(r.URL.Path, "matomo.php") && instead(w) {
			return
		}
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/matomo.php"
}

func aMatomoThatIsAwayIsNotBlamedOnTheToken(t *testing.T, c *controller) {
	t.Helper()
	address, counts := c.sink("--quiet")
	id := c.run(map[string]any{"MATOMO_URL": address})
	counts() // ends it
	code, r, text := c.reconcile(id)
	if code != exitcode.Internal || r.Verdict != comparison.MatchNotAsked || strings.Contains(text, "token") ||
		!strings.Contains(text, "refused") {
		t.Errorf("exit code %d\n%s", code, text)
	}
}
