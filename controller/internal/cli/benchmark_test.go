package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/controller/internal/benchmark/timing"
	"github.com/puttrix/trafficinator/controller/internal/cli"
	"github.com/puttrix/trafficinator/shared/exitcode"
)

func TestReportsAreTimedOnTheCommandLine(t *testing.T) {
	c := start(t)
	address, _ := c.sink()
	c.must(200, "PUT", "/api/config", `{"config":{"MATOMO_URL":"`+address+`","MATOMO_TOKEN_AUTH":"`+token+`"}}`)
	name := "benchmark"
	command := func(args ...string) (int, string, string) {
		var out, err written
		h := c.host
		h.Stdout, h.Stderr = &out, &err
		code := cli.Run(t.Context(), append([]string{name, "--api-base", c.base}, args...), h)
		return code, out.String(), err.String()
	}
	two := []string{"--reports", "Visits summary; Goals", "--periods", "day", "--repeats", "3"}
	page := filepath.Join(c.dir, "page.html")
	code, text, err := command(append(two, "--baseline", "--html", page, "--threshold", "p95<1m")...)
	if code != exitcode.OK || !strings.Contains(text, "VisitsSummary") && !strings.Contains(text, "Visits summary") {
		t.Fatalf("%d %s %s", code, text, err)
	}
	if data, err := os.ReadFile(page); err != nil || !strings.Contains(string(data), "Visits summary") {
		t.Errorf("%v: %.300s", err, data)
	}
	// The sink does not know Actions.getPageTitles, which therefore fails.
	code, text, err = command("--reports", "Visits summary;Page titles", "--periods", "day", "--repeats", "3",
		"--parallel", "2", "--threshold", "p95<1ns,error_share<50%", "--json")
	if code != exitcode.Missed || strings.Count(err, "missed: p95<1ns") != 2 ||
		!strings.Contains(err, "error_share<50%: Page titles") {
		t.Errorf("%d %s", code, err)
	}
	var got struct {
		timing.ReportBenchmark
		Comparison *timing.BenchmarkComparison
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil || len(got.Results) != 2 ||
		got.Results[0].Parallel.Requests != 6 || got.Comparison == nil || got.Comparison.Missing != 1 {
		t.Errorf("%v: %s", err, text)
	}
	// A failing report is no success without a threshold either. Under its deprecated name, the command is the same.
	name = "benchmark-reports"
	code, text, err = command("--reports", "Visits summary;Page titles", "--periods", "day", "--repeats", "3")
	if code != exitcode.Missed || strings.Count(err, "missed: ") != 1 ||
		!strings.Contains(err, "missed: error_share<50%: Page titles") {
		t.Errorf("%d %s %s", code, err, text)
	}
	for _, wrong := range [][]string{{"--nothing"}, {"--threshold", "visits>2"}, {"again"}} {
		if code, _, err := command(wrong...); code != exitcode.BadConfig || err == "" {
			t.Errorf("%v: %d %s", wrong, code, err)
		}
	}
	code, _, err = command("--reports", "nothing", "--periods", "decade", "--target", "nowhere")
	if code != exitcode.Internal || !strings.Contains(err, `reports="nothing"`) ||
		!strings.Contains(err, `periods="decade"`) || !strings.Contains(err, `target="nowhere"`) {
		t.Errorf("%d %s", code, err)
	}
}
