package export_test

import (
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/shared/export"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

func TestReasonsAreInThePageAndInJUnit(t *testing.T) {
	r := tenSeconds()
	share := .9
	r.Summary.Thresholds = []runsummary.Verdict{{Expression: "error_share<50%", Metric: "error_share", Value: &share,
		BuiltIn: true}}
	r.Summary.Reasons = []runsummary.Reason{{Target: "main", Class: "in_front", Status: 403, Hits: 1234, Server: "gate",
		Excerpt: "Blocked <by> policy"}}
	r.Summary.Warnings = []runsummary.Reason{{Target: "main", Class: "accepted_no_receipt", Status: 200, Hits: 7}}
	text := page(t, r)
	for _, want := range []string{
		"Most hits were not accepted", "default", `<data value="1234">1,234</data>`, "Blocked &lt;by&gt; policy",
		"in_front", "accepted_no_receipt", "a queue is active",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	var b strings.Builder
	if err := export.JUnit(&b, r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`failures="1"`, `name="error_share&lt;50% (default)"`,
		`failed: 90 %; 1234 hits to main (in_front): something in front of Matomo answered 403 (Server: gate)`,
		"<system-out>not accepted: 1234 hits", "accepted, but: 7 hits",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("JUnit lacks %q:\n%s", want, b.String())
		}
	}
	r.Summary.Thresholds[0].Held = true
	if text := page(t, r); strings.Contains(text, ">Passed<") {
		t.Error("a run without thresholds of its own has passed")
	}
}
