package cli

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/console"
	"github.com/puttrix/trafficinator/loadgen/internal/host"
	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/shared/exitcode"
)

// planCommand prints the hits of the first visits. Times are relative to the first hit of a visit, so that the output
// depends only on the plan, the seed and the run id.
func planCommand(args []string, h host.Host) int {
	set := flag.NewFlagSet("plan", flag.ContinueOnError)
	n := set.Uint64("visits", 3, "`number` of visits to print")
	format := set.String("format", "text", "`format`: text or jsonl")
	estimated := set.Bool("estimate", false, "print an estimate of the run as JSON instead of hits")
	if code, ok := parseFlags(set, args, h); !ok {
		return code
	}
	if *format != "text" && *format != "jsonl" {
		_, _ = fmt.Fprintf(h.Stderr, "--format=%q: must be text or jsonl\n", *format)
		return exitcode.BadConfig
	}
	p, _, problems := load(h, nil)
	console.Problems(h.Stderr, h.JSONLines(), problems)
	if p == nil {
		return exitcode.BadConfig
	}
	if *estimated {
		return printEstimate(p, h)
	}
	printRun(h, p)
	write := writeText
	if *format == "jsonl" {
		write = writeJSON
	}
	out := bufio.NewWriter(h.Stdout)
	for number := range *n {
		v := p.Visits.Visit(number)
		for i := range v.Hits {
			if err := write(out, p, v, i); err != nil {
				_, _ = fmt.Fprintln(h.Stderr, err)
				return exitcode.Internal
			}
		}
	}
	if err := out.Flush(); err != nil {
		_, _ = fmt.Fprintln(h.Stderr, err)
		return exitcode.Internal
	}
	return exitcode.OK
}

// sizeSample is the number of visits whose size is measured, which is slower than to outline them.
const sizeSample = 500

func printEstimate(p *plan.Plan, h host.Host) int {
	e, bytes := p.Estimate(h.Now()), 0
	for number := range uint64(sizeSample) {
		v := p.Visits.Visit(number)
		for i := range v.Hits {
			bytes += len(body(p, v, i))
		}
	}
	e.BytesPerVisit = float64(bytes) / sizeSample
	if err := json.NewEncoder(h.Stdout).Encode(e); err != nil {
		_, _ = fmt.Fprintln(h.Stderr, err)
		return exitcode.Internal
	}
	return exitcode.OK
}

// body returns a hit as sent to the first target, without the parameters that depend on the clock.
func body(p *plan.Plan, v *visit.Visit, i int) []byte {
	form := tracking.Form{SiteID: p.SiteID, RunID: p.RunID, RunDimension: p.Sending.RunDimension}
	if len(p.Targets) > 0 {
		form.SiteID, form.WithPlace = p.Targets[0].SiteID, p.Targets[0].Token.Reveal() != ""
	}
	return tracking.Append(nil, v, i, form, time.Time{})
}

func writeText(w io.Writer, p *plan.Plan, v *visit.Visit, i int) error {
	h := &v.Hits[i]
	_, err := fmt.Fprintf(w, "visit %d  sent +%s  recorded +%s  %-8s  %s\n", v.Number,
		h.SendOffset.Round(time.Millisecond), h.Offset, h.Kind, body(p, v, i))
	return err
}

type line struct {
	Visit           uint64            `json:"visit"`
	Visitor         string            `json:"visitor"`
	Funnel          string            `json:"funnel,omitempty"`
	Kind            string            `json:"kind"`
	Records         string            `json:"records"`
	SentSeconds     json.Number       `json:"sent_seconds"`
	RecordedSeconds int               `json:"recorded_seconds"`
	Parameters      map[string]string `json:"parameters"`
}

func writeJSON(w io.Writer, p *plan.Plan, v *visit.Visit, i int) error {
	h := &v.Hits[i]
	values, err := url.ParseQuery(string(body(p, v, i)))
	if err != nil {
		return fmt.Errorf("parse hit: %w", err)
	}
	l := line{
		Visit: v.Number, Visitor: v.ID.String(), Funnel: v.Funnel, Kind: h.Kind.String(),
		Records:         h.RecordedAs.String(),
		SentSeconds:     json.Number(strconv.FormatFloat(h.SendOffset.Seconds(), 'f', 3, 64)),
		RecordedSeconds: int(h.Offset.Seconds()), Parameters: map[string]string{},
	}
	for name := range values {
		l.Parameters[name] = values.Get(name)
	}
	return json.NewEncoder(w).Encode(l)
}
