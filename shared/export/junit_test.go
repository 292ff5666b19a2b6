package export_test

import (
	"encoding/xml"
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/shared/export"
)

func TestJUnit(t *testing.T) {
	code := func(n int) *int { return &n }
	for name, c := range map[string]struct {
		change                    func(*export.Run)
		failures, errors, skipped int
	}{
		"a missed threshold": {func(r *export.Run) { r.ExitCode = code(4) }, 1, 0, 0},
		"the error brake": {func(r *export.Run) {
			r.Summary.Reason, r.Summary.Message, r.ExitCode = "error_brake", "62 % were not accepted", code(4)
		}, 1, 1, 0},
		"no target":   {func(r *export.Run) { r.ExitCode = code(3) }, 1, 1, 0},
		"interrupted": {func(r *export.Run) { r.Summary.Reason, r.ExitCode = "interrupted", code(130) }, 1, 1, 0},
		"in progress": {func(r *export.Run) {
			r.Summary.Reason, r.Summary.Ended, r.Summary.Thresholds[0].Pending = "", time.Time{}, true
		}, 0, 0, 1},
	} {
		r := tenSeconds()
		c.change(r)
		var b strings.Builder
		if err := export.JUnit(&b, r); err != nil {
			t.Fatal(err)
		}
		var s struct {
			Tests    int     `xml:"tests,attr"`
			Failures int     `xml:"failures,attr"`
			Errors   int     `xml:"errors,attr"`
			Skipped  int     `xml:"skipped,attr"`
			Time     float64 `xml:"time,attr"`
			Cases    []struct {
				Name    string    `xml:"name,attr"`
				Failure *struct{} `xml:"failure"`
				Error   *struct{} `xml:"error"`
			} `xml:"testcase"`
		}
		if err := xml.Unmarshal([]byte(b.String()), &s); err != nil {
			t.Fatal(err)
		}
		if s.Tests != 3 || len(s.Cases) != 3 || s.Failures != c.failures || s.Errors != c.errors ||
			s.Skipped != c.skipped || s.Time < 0 {
			t.Errorf("%s: %s", name, b.String())
		}
		if message := r.Summary.Message; message != "" && !strings.Contains(b.String(), message) {
			t.Errorf("%s is not reported: %s", message, b.String())
		}
		if c.failures > 0 && !strings.Contains(b.String(), "failed: 120 ms") {
			t.Errorf("by how much is not reported: %s", b.String())
		}
	}
}
