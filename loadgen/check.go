package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/loadgen/internal/telemetry"
	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/envspec"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/spec"
)

// parseFlags reads args; ok is false where the command ends with code.
func parseFlags(set *flag.FlagSet, args []string, h host) (code int, ok bool) {
	set.SetOutput(h.stderr)
	switch err := set.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return exitOK, false
	case err != nil:
		return exitConfig, false
	case set.NArg() > 0:
		_, _ = fmt.Fprintf(h.stderr, "%s does not take %q\n", set.Name(), set.Arg(0))
		return exitConfig, false
	}
	return exitOK, true
}

func check(ctx context.Context, args []string, h host) int {
	set := flag.NewFlagSet("check", flag.ContinueOnError)
	file := set.String("env-file", "",
		"read the settings from this file too; those of the environment win, as with docker compose")
	connect := set.Bool("connect", false,
		"ask every target, without leaving a visit there, whether its settings suit the run")
	probe := set.Bool("probe", false,
		"send every target one marked visit with each kind of hit of the run, and compare what Matomo made of it")
	if code, ok := parseFlags(set, args, h); !ok {
		return code
	}
	var problems problem.List
	if *file != "" {
		data, err := exchange.ReadStream(h.fs, *file)
		if err != nil {
			_, _ = fmt.Fprintf(h.stderr, "error: --env-file=%q: cannot be read: %v\n", *file, err)
			return exitConfig
		}
		var settings map[string]string
		settings, problems = exchange.ParseEnv(*file, data)
		problems = append(problems, spec.Unknown(*file, settings, problem.Warning)...)
		problems = append(problems, asDockerRun(*file, data)...)
		maps.DeleteFunc(settings, func(key, _ string) bool { return !spec.Known(key) })
		h.env = plan.Over(settings, h.env)
	}
	p, _, _, more := load(h, nil)
	problems = append(problems, more...)
	if p != nil {
		problems = append(problems, fit(p, h.descriptors)...)
		problems = append(problems, places(h.fs, p.Spec)...)
		if p.Spec.BackfillEnabled {
			days, more := p.Backfill(h.now())
			problems = append(problems, more...)
			p.Notes = append(p.Notes, fmt.Sprintf("backfill: %d visits on %d days", calendar.Total(days), len(days)))
		}
	}
	tell(h, problems)
	if problems.Err() != nil {
		return exitConfig
	}
	tellRun(h, p)
	for _, note := range p.Notes {
		_, _ = fmt.Fprintln(h.stdout, note)
	}
	unread := []string{"Matomo's own settings (--connect, --probe)"}
	if *probe {
		unread = []string{"Matomo's own settings, as its API shows them (--connect)"}
	}
	if *connect {
		good, left := connectAll(ctx, h, p)
		if !good {
			return exitNoTarget
		}
		unread = left
	}
	if *probe && !probeAll(ctx, h, p) {
		return exitNoTarget
	}
	if len(unread) == 0 {
		_, _ = fmt.Fprintln(h.stdout, "the settings are good")
		return exitOK
	}
	_, _ = fmt.Fprintf(h.stdout, "the settings are good as far as they were checked\nnot checked: %s\n",
		strings.Join(unread, "\nnot checked: "))
	return exitOK
}

// asDockerRun warns of what the loadgen would refuse if docker run --env-file read the file: it hands quotes and
// comments on as a part of the value, and compose does not.
func asDockerRun(file string, data []byte) (problems problem.List) {
	_, faults := spec.Parse(exchange.AsDockerRun(data), nil)
	for _, f := range faults.Errors() {
		if f.Message == envspec.InQuotes || f.Message == envspec.HasComment {
			problems.Warn(file+": "+f.Where, "",
				f.Message+", which docker compose leaves out and docker run --env-file hands on",
				"remove it, and docker run can read the file too")
		}
	}
	return problems
}

func healthcheck(ctx context.Context, h host) int {
	env, _, _ := plan.Settings(h.fs, h.env) // problems of the file are the run's to tell
	s, problems := spec.Parse(env, func(path string) ([]byte, error) { return exchange.Read(h.fs, path) })
	if s.TelemetryAddr == "" {
		tell(h, problems)
		return exitConfig
	}
	if s.TelemetryAddr == "off" {
		_, _ = fmt.Fprintln(h.stdout, "TELEMETRY_ADDR is off: nobody can be asked")
		return exitOK // a container that does its work must not be called unhealthy
	}
	name, port, err := net.SplitHostPort(s.TelemetryAddr)
	if err != nil {
		tell(h, problems)
		return exitConfig
	}
	if name == "" || name == "0.0.0.0" || name == "::" {
		name = "127.0.0.1"
	}
	s.TelemetryAddr = net.JoinHostPort(name, port)
	return askHealth(ctx, h, s)
}

// askHealth asks the loadgen at s.TelemetryAddr. Where nobody chose that address the run may be at another one.
func askHealth(ctx context.Context, h host, s spec.Spec) int {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.TelemetryAddr+"/healthz", nil)
	if err != nil {
		_, _ = fmt.Fprintln(h.stderr, err)
		return exitConfig
	}
	unset := ""
	if !s.Set["TELEMETRY_ADDR"] {
		unset = "; TELEMETRY_ADDR is not set, so that a run takes a free port where this one is taken: set it " +
			"to what the run's log says"
	}
	resp, err := (&http.Client{Transport: &http.Transport{}}).Do(req) // which no proxy of the environment answers for
	if err != nil {
		_, _ = fmt.Fprintf(h.stderr, "not healthy: %v%s\n", err, unset)
		return exitInternal
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	var health telemetry.Health
	switch {
	case err != nil || resp.StatusCode != http.StatusOK:
		_, _ = fmt.Fprintf(h.stderr, "not healthy: answered %d%s\n", resp.StatusCode, unset)
	case json.Unmarshal(body, &health) != nil || health.Phase == "":
		_, _ = fmt.Fprintf(h.stderr, "not healthy: what answers at %s is no loadgen%s\n", s.TelemetryAddr, unset)
	case unset != "" && s.RunID != "" && health.RunID != s.RunID:
		_, _ = fmt.Fprintf(h.stderr, "not healthy: the loadgen at %s has the run %q, not %q%s\n", s.TelemetryAddr,
			health.RunID, s.RunID, unset)
	default:
		_, _ = h.stdout.Write(body)
		return exitOK
	}
	return exitInternal
}
