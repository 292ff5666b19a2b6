package export

import (
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
	Failure *fault `xml:"failure,omitempty"`
	Error   *fault `xml:"error,omitempty"`
	Skipped *fault `xml:"skipped,omitempty"`
}

type fault struct {
	Message string `xml:"message,attr"`
}

// JUnit writes the verdicts of a run as JUnit XML, as CI systems read it: a test case for each threshold, and one for
// the run itself, which fails where it did not end as it should.
func JUnit(w io.Writer, r *Run) error {
	s := &r.Summary
	took := fmt.Sprintf("%.3f", s.Duration().Seconds())
	out := suite{
		Name: "trafficinator " + s.RunID, Time: took, Timestamp: s.Started.UTC().Format("2006-01-02T15:04:05"),
		Properties: []property{{"run_id", s.RunID}, {"seed", fmt.Sprint(s.Seed)}, {"plan_hash", s.PlanHash},
			{"reason", s.Reason}},
	}
	if len(s.Standstills) > 0 {
		out.Properties = append(out.Properties, property{"standstills", standstills(s)})
	}
	whole := testcase{Name: "run completes", Class: "trafficinator.run", Time: took}
	if why := wrong(r); why != "" {
		whole.Error = &fault{why}
		out.Errors++
	}
	out.Cases = []testcase{whole}
	for _, v := range s.Thresholds {
		c := testcase{Name: threshold.Label(v), Class: "trafficinator.threshold", Time: took}
		switch {
		case v.Pending:
			c.Skipped = &fault{"the run is in progress"}
			out.Skipped++
		case !v.Held:
			c.Failure = &fault{failureText(v, s.Reasons)}
			out.Failures++
		}
		out.Cases = append(out.Cases, c)
	}
	for _, section := range r.Sections {
		for _, c := range section.Cases() {
			out.add(c, took)
		}
	}
	out.Out = reasonLines("not accepted", s.Reasons) + reasonLines("accepted, but", s.Warnings)
	out.Tests = len(out.Cases)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("write JUnit: %w", err)
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(out); err != nil {
		return fmt.Errorf("write JUnit: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// add adds a test case of a section.
func (s *suite) add(c Case, took string) {
	out := testcase{Name: c.Name, Class: c.Class, Time: took}
	switch {
	case c.Failure != "":
		out.Failure = &fault{c.Failure}
		s.Failures++
	case c.Error != "":
		out.Error = &fault{c.Error}
		s.Errors++
	case c.Skipped != "":
		out.Skipped = &fault{c.Skipped}
		s.Skipped++
	}
	s.Cases = append(s.Cases, out)
}

// failureText says what was measured for a failed threshold, and the commonest reason for lost hits.
func failureText(v runsummary.Verdict, reasons []runsummary.Reason) string {
	text := fmt.Sprintf("%s failed: %s", threshold.Label(v), threshold.FormatValue(v))
	if len(reasons) > 0 {
		text += "; " + reasonLine(reasons[0])
	}
	return text
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

// wrong is why a run did not end as it should, thresholds apart; empty where it did.
func wrong(r *Run) string {
	s := &r.Summary
	if endreason.Reason(s.Reason).IsOrderly() &&
		(r.ExitCode == nil || *r.ExitCode == exitcode.OK || *r.ExitCode == exitcode.Missed) {
		return ""
	}
	if s.Message != "" {
		return s.Message
	}
	return "the run ended: " + s.Reason
}
