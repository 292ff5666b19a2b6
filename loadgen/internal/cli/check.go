package cli

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"strings"

	"github.com/puttrix/trafficinator/loadgen/internal/console"
	"github.com/puttrix/trafficinator/loadgen/internal/host"
	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/loadgen/internal/run"
	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/envspec"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/exitcode"
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
