package export

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/threshold"
)

type suite struct {
	XMLName    xml.Name   `xml:"testsuite"`
	Name       string     `xml:"name,attr"`
	Tests      int        `xml:"tests,attr"`
	Failures   int        `xml:"failures,attr"`
	Errors     int        `xml:"errors,attr"`
	Skipped    int        `xml:"skipped,attr"`
	Time       string     `xml:"time,attr"`
	Timestamp  string     `xml:"timestamp,attr"`
	Properties []property `xml:"properties>property"`
	Cases      []testcase `xml:"testcase"`
	Out        string     `xml:"system-out,omitempty"`
}

type property struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type testcase struct {
	Name    string `xml:"name,attr"`
	Class   string `xml:"classname,attr"`
	Time    string `xml:"time,attr"`
	Failure *text  `xml:"failure,omitempty"`
	Error   *text  `xml:"error,omitempty"`
	Skipped *text  `xml:"skipped,omitempty"`
}

type text struct {
	Message string `xml:"message,attr"`
}

// JUnit writes a run as JUnit XML: a test case for its orderly end, and one for each threshold.
func JUnit(w io.Writer, r *Run) error {
	s := &r.Summary
	took := fmt.Sprintf("%.3f", s.Duration().Seconds())
	out := suite{
		Name: "trafficinator " + s.RunID, Time: took, Timestamp: s.Started.UTC().Format("2006-01-02T15:04:05"),
		Properties: []property{{"run_id", s.RunID}, {"seed", fmt.Sprint(s.Seed)}, {"plan_hash", s.PlanHash},
			{"reason", s.Reason}},
		Out: reasonLines("not accepted", s.Reasons) + reasonLines("accepted, but", s.Warnings),
	}
	if len(s.Standstills) > 0 {
		out.Properties = append(out.Properties, property{"standstills", standstills(s)})
	}
	cases := []Case{{Name: "run completes", Class: "trafficinator.run", Error: failure(r)}}
	for _, v := range s.Thresholds {
		c := Case{Name: threshold.Label(v), Class: "trafficinator.threshold"}
		switch {
		case v.Pending:
			c.Skipped = "the run is in progress"
		case !v.Held:
			c.Failure = failureText(v, s.Reasons)
		}
		cases = append(cases, c)
	}
	for _, section := range r.Sections {
		cases = append(cases, section.Cases()...)
	}
	for _, c := range cases {
		out.add(c, took)
	}
	data, err := xml.MarshalIndent(out, "", "  ")
	if err == nil {
		_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, data)
	}
	if err != nil {
		return fmt.Errorf("write JUnit: %w", err)
	}
	return nil
}

func (s *suite) add(c Case, took string) {
	out := testcase{Name: c.Name, Class: c.Class, Time: took}
	switch {
	case c.Failure != "":
		out.Failure = &text{c.Failure}
		s.Failures++
	case c.Error != "":
		out.Error = &text{c.Error}
		s.Errors++
	case c.Skipped != "":
		out.Skipped = &text{c.Skipped}
		s.Skipped++
	}
	s.Cases = append(s.Cases, out)
	s.Tests++
}

// failureText is the measured value of a failed threshold, and the most frequent reason for lost hits.
func failureText(v runsummary.Verdict, reasons []runsummary.Reason) string {
	out := fmt.Sprintf("%s failed: %s", threshold.Label(v), threshold.FormatValue(v))
	if len(reasons) > 0 {
		out += "; " + reasonLine(reasons[0])
	}
	return out
}

func reasonLine(r runsummary.Reason) string {
	return fmt.Sprintf("%d hits to %s (%s): %s", r.Hits, r.Target, r.Class, r)
}

func reasonLines(title string, reasons []runsummary.Reason) string {
	var b strings.Builder
	for _, r := range reasons {
		b.WriteString(title + ": " + reasonLine(r) + "\n")
	}
	return b.String()
}

// failure is why a run did not end as it should, apart from thresholds; "" if it did.
func failure(r *Run) string {
	s := &r.Summary
	if endreason.Reason(s.Reason).IsOrderly() &&
		(r.ExitCode == nil || *r.ExitCode == exitcode.OK || *r.ExitCode == exitcode.Missed) {
		return ""
	}
	return cmp.Or(s.Message, "the run ended: "+s.Reason)
}
