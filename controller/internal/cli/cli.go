// Package cli owns the commands: flags, output and exit codes. Most are clients of the running controller.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/app"
	"github.com/puttrix/trafficinator/controller/internal/settings"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/licences"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/spec"
)

// Host is the machine that a command runs on.
type Host struct {
	app.Host
	// Stdout gets the output of a command, Stderr the log and errors.
	Stdout, Stderr io.Writer
	// Ready, if set, is called with the address once requests are served.
	Ready func(addr net.Addr)
}

const usage = `usage: controller [command]

  serve           serve the API and the web interface (default)
  login-link      print a one-time sign-in link for a browser, from the running controller
  export-funnels  write the enabled funnels in the loadgen's format: [--output FILE]
  backup          write a consistent copy of the database: --output FILE
  import-original import presets and funnels of the original's database into the running controller: --db presets.db
  runs            show recorded runs: list, show, compare, export
  reconcile RUN   compare a run with Matomo's figures; exit code 5 if hits are missing or too many, 6 if Matomo has not
                  archived its reports yet: [--limit 20m] [--json]
  benchmark       measure how fast Matomo answers its Reporting API; exit code 4 if a threshold fails:
                  [--target NAME] [--periods day,week] [--threshold "p95<2s"] [--baseline] [--html FILE] [--json] and
                  more, see --help
  benchmark-reports
                  deprecated: use benchmark
  healthcheck     check the health of a running controller
  licences        print the licences of all dependencies
  version         print the version

Settings are environment variables; see docs/configuration.md.
`

var commands = map[string]func(context.Context, []string, Host) error{
	"serve": serve, "login-link": loginLink, "export-funnels": exportFunnels, "backup": backup,
	"import-original": importOriginal, "runs": runs, "reconcile": reconcile, "benchmark": runBenchmark,
	"benchmark-reports": runBenchmark, "healthcheck": healthCheck,
	"licences": func(_ context.Context, _ []string, h Host) error { return licences.Print(h.Stdout) },
}

// exit is the exit code of a command that has already printed why.
type exit int

// Error implements error.
func (e exit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// usageError reports invalid arguments.
type usageError string

// Error implements error.
func (e usageError) Error() string { return string(e) }

func badUsage(format string, args ...any) error { return usageError(fmt.Sprintf(format, args...)) }

// Run runs the command in args, by default serve, and returns its exit code.
func Run(ctx context.Context, args []string, h Host) int {
	name := "serve"
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	command, found := commands[name]
	switch {
	case found:
	case name == "version":
		_, _ = fmt.Fprintln(h.Stdout, h.Version)
		return exitcode.OK
	case name == "help", name == "-h", name == "--help":
		_, _ = fmt.Fprint(h.Stdout, usage)
		return exitcode.OK
	default:
		_, _ = fmt.Fprintf(h.Stderr, "unknown command %q\n\n%s\n", name, usage)
		return exitcode.BadConfig
	}
	err := command(ctx, args, h)
	var code exit
	var invalid usageError
	switch {
	case err == nil:
		return exitcode.OK
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &invalid):
		_, _ = fmt.Fprintln(h.Stderr, invalid)
		return exitcode.BadConfig
	}
	_, _ = fmt.Fprintln(h.Stderr, "error:", err)
	return exitcode.Internal
}

// printJSON prints v, indented.
func (h Host) printJSON(v any) error {
	e := json.NewEncoder(h.Stdout)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// settings parses the settings and prints all their problems.
func (h Host) settings() (settings.Settings, error) {
	s, problems := settings.Parse(h.Env, func(path string) ([]byte, error) { return afero.ReadFile(h.FS, path) })
	return s, h.printProblems(append(problems, spec.Misspelt(h.Env)...))
}

// printProblems prints problems and returns an error if one of them is an error.
func (h Host) printProblems(problems problem.List) error {
	for _, p := range problems {
		_, _ = fmt.Fprintf(h.Stderr, "%s: %s\n", p.Severity, p)
	}
	if problems.Err() != nil {
		return exit(exitcode.BadConfig)
	}
	return nil
}
