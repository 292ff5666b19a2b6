package cli

import (
	"context"
	crand "crypto/rand"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"maps"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/console"
	"github.com/puttrix/trafficinator/loadgen/internal/host"
	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/loadgen/internal/run"
	"github.com/puttrix/trafficinator/loadgen/internal/sender"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/doctor"
	"github.com/puttrix/trafficinator/shared/envspec"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/outcome"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/spec"
)

func checkCommand(ctx context.Context, args []string, h host.Host) int {
	set := flag.NewFlagSet("check", flag.ContinueOnError)
	file := set.String("env-file", "",
		"also read settings from this `file`; the environment takes precedence, as with docker compose")
	connect := set.Bool("connect", false,
		"check the settings of every target, without creating visits")
	probe := set.Bool("probe", false,
		"send every target one marked visit with each kind of hit, and compare it with what Matomo recorded")
	if code, ok := parseFlags(set, args, h); !ok {
		return code
	}
	var problems problem.List
	if *file != "" {
		data, err := exchange.ReadStream(h.FS, *file)
		if err != nil {
			_, _ = fmt.Fprintf(h.Stderr, "error: --env-file=%q: cannot be read: %v\n", *file, err)
			return exitcode.BadConfig
		}
		var settings map[string]string
		settings, problems = exchange.ParseEnv(*file, data)
		problems = append(problems, spec.Unknown(*file, settings, problem.Warning)...)
		problems = append(problems, warnDockerRun(*file, data)...)
		maps.DeleteFunc(settings, func(key, _ string) bool { return !spec.IsKnown(key) })
		h.Env = plan.Overlay(settings, h.Env)
	}
	p, _, more := load(h, nil)
	problems = append(problems, more...)
	if p != nil {
		problems = append(problems, p.LimitConcurrency(h.Descriptors)...)
		problems = append(problems, run.CheckOutputs(h.FS, p.Files)...)
		if p.Kind() == runsummary.BackfillJob {
			days, more := p.Backfill(h.Now())
			problems = append(problems, more...)
			p.Notes = append(p.Notes, fmt.Sprintf("backfill: %d visits on %d days", calendar.Total(days), len(days)))
		}
	}
	console.Problems(h.Stderr, h.JSONLines(), problems)
	if problems.Err() != nil {
		return exitcode.BadConfig
	}
	printRun(h, p)
	for _, note := range p.Notes {
		_, _ = fmt.Fprintln(h.Stdout, note)
	}
	notChecked := []string{"Matomo's settings (--connect, --probe)"}
	if *probe {
		notChecked = []string{"Matomo's settings in its API (--connect)"}
	}
	if *connect {
		ok, rest := checkConnections(ctx, h, p)
		if !ok {
			return exitcode.NoTarget
		}
		notChecked = rest
	}
	if *probe && !probeTargets(ctx, h, p) {
		return exitcode.NoTarget
	}
	if len(notChecked) == 0 {
		_, _ = fmt.Fprintln(h.Stdout, "the settings are valid")
		return exitcode.OK
	}
	_, _ = fmt.Fprintf(h.Stdout, "the settings are valid\nnot checked: %s\n",
		strings.Join(notChecked, "\nnot checked: "))
	return exitcode.OK
}

// warnDockerRun warns of quotes and comments, which docker run --env-file passes on as part of the value.
func warnDockerRun(file string, data []byte) (problems problem.List) {
	_, faults := spec.Parse(exchange.DockerRunValues(data), nil)
	for _, f := range faults.Errors() {
		if f.Message == envspec.InQuotes || f.Message == envspec.HasComment {
			problems.Warn(file+": "+f.Where, "",
				f.Message+", which docker compose removes but docker run --env-file does not",
				"remove it to support docker run")
		}
	}
	return problems
}

// checkConnections checks every target and prints the results. It returns whether all would accept hits, and what could
// not be checked.
func checkConnections(ctx context.Context, h host.Host, p *plan.Plan) (ok bool, notChecked []string) {
	s, err := sender.New(p, h.Machine(h.Env), tracking.Options{Timeout: p.Sending.QueryTimeout})
	if err != nil {
		_, _ = fmt.Fprintln(h.Stdout, err)
		return false, nil
	}
	defer s.Close()
	examiner, expect := doctor.New(p.Sending.QueryTimeout, h.Machine(h.Env)), p.Expect(h.Now())
	ok = true
	for i, t := range p.Targets {
		start := time.Now()
		hit := ping(t.SiteID, t.Token.Reveal() != "")
		res := s.SendProbe(i, hit, 0)
		took, accepted := time.Since(start).Milliseconds(), res.Class.Outcome() == outcome.Accepted
		d := examiner.Diagnose(ctx, t, expect)
		if accepted {
			_, _ = fmt.Fprintf(h.Stdout, "target %s: %s accepts hits for site %d (%d ms)\n", t.Name, t.URL,
				t.SiteID, took)
		} else {
			_, _ = fmt.Fprintf(h.Stdout, "target %s: %s: %s\n", t.Name, t.URL, res.String())
		}
		printFindings(h.Stdout, d.Findings)
		if rest := d.NotChecked(); rest != "" {
			notChecked = append(notChecked, "target "+t.Name+": "+rest)
		}
		// The doctor does not contact metadata addresses of clouds; then only the hit counts.
		ok = ok && accepted && (d.Works || !d.Reachable)
		if accepted {
			ok = checkLargestRequest(h.Stdout, s, p, i, hit) && ok
		}
	}
	return ok, notChecked
}

var verdictWords = []struct {
	verdict doctor.Verdict
	word    string
}{{doctor.Error, "error"}, {doctor.Warning, "warning"}, {doctor.OK, "ok"}, {doctor.Skipped, "not checked"}}

// printFindings prints findings, errors first.
func printFindings(w io.Writer, findings []doctor.Finding) {
	for _, v := range verdictWords {
		for _, f := range findings {
			if f.Verdict != v.verdict {
				continue
			}
			_, _ = fmt.Fprintf(w, "  %-11s  %s: %s\n", v.word, f.Check, f.Message)
			if f.Right != "" {
				_, _ = fmt.Fprintf(w, "  %-11s  needs %s\n", "", f.Right)
			}
			if f.Cure != "" {
				_, _ = fmt.Fprintf(w, "  %-11s  -> %s\n", "", f.Cure)
			}
		}
	}
}

// probeTargets sends every target one visit and waits until Matomo shows it. It returns false if a visit is missing or
// differs.
func probeTargets(ctx context.Context, h host.Host, p *plan.Plan) bool {
	examiner, expect := doctor.New(p.Sending.QueryTimeout, h.Machine(h.Env)), p.Expect(h.Now())
	ok := true
	for _, t := range p.Targets {
		_, _ = fmt.Fprintf(h.Stdout, "target %s: sending a probe visit, waiting up to %s for it\n", t.Name,
			doctor.ProbeLimit)
		seen, err := examiner.Probe(ctx, t, expect)
		if err != nil {
			ok = false
			_, _ = fmt.Fprintf(h.Stdout, "target %s: %v\n", t.Name, err)
			continue
		}
		_, _ = fmt.Fprintf(h.Stdout, "target %s: %s\n", t.Name, seen)
		printFindings(h.Stdout, seen.Findings)
		ok = ok && seen.Works()
	}
	return ok
}

// ping returns a hit that Matomo checks but does not record: a heartbeat without a visit
// (plugins/Heartbeat/Tracker/PingRequestProcessor.php). With a token it contains an IP address, which requires a valid
// token.
func ping(site int, token bool) []byte {
	var id [8]byte
	_, _ = crand.Read(id[:]) // never fails, see crypto/rand
	body := fmt.Appendf(nil, "idsite=%d&rec=1&apiv=1&ping=1&cid=%s&url=https%%3A%%2F%%2Fshop.example.test%%2F", site,
		hex.EncodeToString(id[:]))
	if token {
		body = append(body, "&cip=90.224.0.10"...)
	}
	return body
}

// checkLargestRequest checks that a target accepts a request as large as the largest of the run. It returns false if
// hits would be lost.
func checkLargestRequest(w io.Writer, s *sender.Sender, p *plan.Plan, target int, hit []byte) bool {
	t := p.Targets[target]
	batch, size := p.Sending.Batch, max(s.LargestRequest(p, target), len(hit))
	res := s.SendProbe(target, hit, size-len(hit))
	if res.Class.Outcome() == outcome.Accepted {
		_, _ = fmt.Fprintf(w, "target %s: accepts the largest request of the run, %d bytes\n",
			t.Name, size)
		return true
	}
	accepted := size / 2
	for accepted > len(hit) && s.SendProbe(target, hit, accepted-len(hit)).Class.Outcome() != outcome.Accepted {
		accepted /= 2
	}
	_, _ = fmt.Fprintf(w, "target %s: rejects the largest request of the run, %d bytes, but accepts %d: %s\n", t.Name,
		size, accepted, res.String())
	cure := "allow larger requests on the server (nginx: client_max_body_size, PHP: post_max_size)"
	if batch > 1 {
		cure += fmt.Sprintf(", or set BULK_SIZE=%d", max(1, batch*accepted/size))
	}
	_, _ = fmt.Fprintf(w, "  %-11s  -> %s\n", "", cure)
	return res.Class.Splittable() && batch > 1 // the run reduces its requests
}
