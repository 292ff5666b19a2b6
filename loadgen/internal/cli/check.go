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
	unread := []string{"Matomo's own settings (--connect, --probe)"}
	if *probe {
		unread = []string{"Matomo's own settings, as its API shows them (--connect)"}
	}
	if *connect {
		good, left := checkConnections(ctx, h, p)
		if !good {
			return exitcode.NoTarget
		}
		unread = left
	}
	if *probe && !probeTargets(ctx, h, p) {
		return exitcode.NoTarget
	}
	if len(unread) == 0 {
		_, _ = fmt.Fprintln(h.Stdout, "the settings are good")
		return exitcode.OK
	}
	_, _ = fmt.Fprintf(h.Stdout, "the settings are good as far as they were checked\nnot checked: %s\n",
		strings.Join(unread, "\nnot checked: "))
	return exitcode.OK
}

// warnDockerRun warns of what the loadgen would refuse if docker run --env-file read the file: it hands quotes and
// comments on as a part of the value, and compose does not.
func warnDockerRun(file string, data []byte) (problems problem.List) {
	_, faults := spec.Parse(exchange.DockerRunValues(data), nil)
	for _, f := range faults.Errors() {
		if f.Message == envspec.InQuotes || f.Message == envspec.HasComment {
			problems.Warn(file+": "+f.Where, "",
				f.Message+", which docker compose leaves out and docker run --env-file hands on",
				"remove it, and docker run can read the file too")
		}
	}
	return problems
}
