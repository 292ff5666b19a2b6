// Package cli owns the commands of the loadgen: their flags, output and exit codes. It does not depend on how
// traffic is generated or sent.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"github.com/puttrix/trafficinator/loadgen/internal/host"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/licences"
)

const usage = `usage: loadgen [command]

  run           send traffic (default): [--profile P] [--threshold T]... [--report FILE] [--junit FILE]
  check         check the settings: [--env-file FILE] [--connect] [--probe]
  plan          print the hits of the first visits, without sending: [--visits N] [--format text|jsonl] [--estimate]
  sink          run a fake Matomo that validates and counts hits; see sink --help
  healthcheck   check the health of a running loadgen
  licences      print the licences of this program and its dependencies
  version       print the version

Settings come from the environment; docs/configuration.md lists them.
`

// IgnoresBrokenPipe reports whether a command must keep running when its output is closed, unlike `plan | head`.
func IgnoresBrokenPipe(args []string) bool {
	return len(args) == 0 || args[0] == "run" || args[0] == "sink"
}

// Run runs a command and returns the exit code.
func Run(ctx context.Context, args []string, h host.Host) int {
	command := "run"
	if len(args) > 0 {
		command, args = args[0], args[1:]
	}
	switch command {
	case "run":
		return runCommand(ctx, args, h)
	case "check":
		return checkCommand(ctx, args, h)
	case "plan":
		return planCommand(args, h)
	case "sink":
		return sinkCommand(ctx, args, h)
	case "healthcheck":
		return healthCommand(ctx, h)
	case "licences":
		if err := licences.Print(h.Stdout); err != nil {
			_, _ = fmt.Fprintln(h.Stderr, "error:", err)
			return exitcode.Internal
		}
		return exitcode.OK
	case "version":
		_, _ = fmt.Fprintln(h.Stdout, h.Version)
		return exitcode.OK
	case "help", "-h", "--help":
		_, _ = fmt.Fprint(h.Stdout, usage)
		return exitcode.OK
	default:
		_, _ = fmt.Fprintf(h.Stderr, "unknown command %q\n\n%s", command, usage)
		return exitcode.BadConfig
	}
}

// parseFlags parses args. If ok is false, the command must return code.
func parseFlags(set *flag.FlagSet, args []string, h host.Host) (code int, ok bool) {
	set.SetOutput(h.Stderr)
	switch err := set.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return exitcode.OK, false
	case err != nil:
		return exitcode.BadConfig, false
	case set.NArg() > 0:
		_, _ = fmt.Fprintf(h.Stderr, "%s: unexpected argument %q\n", set.Name(), set.Arg(0))
		return exitcode.BadConfig, false
	}
	return exitcode.OK, true
}
