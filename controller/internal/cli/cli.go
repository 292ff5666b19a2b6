// Package cli owns the commands that people type: flags, what is printed, and exit codes. Most are clients of the
// running controller. It knows no rule of what they ask for.
package cli

import (
	"context"
	"encoding/json"
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

// Host is the machine as a command meets it.
type Host struct {
	app.Host
	// Stdout gets what a person has to read, Stderr the log and complaints.
	Stdout, Stderr io.Writer
	// Ready, where it is not nil, gets the address once requests are answered.
	Ready func(addr net.Addr)
}

// usage names every command.
const usage = `usage: controller [command]

  serve           serve the API and the user interface (default)
  login-link      print a link that signs a browser in once, from the running controller
  export-funnels  write the enabled funnels as the loadgen reads them: [--output FILE]
  backup          write a consistent copy of the database: --output FILE
  import-original save presets and funnels of the original's database at the running controller: --db presets.db
  runs            look back at recorded runs: list, show, compare, export
  reconcile RUN   set what Matomo shows of a run beside its ledger; exit code 5 where hits are missing or too many, 6 where
                  its reports are not archived yet: [--limit 20m] [--json]
  benchmark-reports
                  time the reports of a Matomo; exit code 4 where a threshold is missed: [--target NAME] [--periods day,week]
                  [--threshold "p95<2s"] [--baseline] [--html FILE] [--json] and more, see --help
  healthcheck     ask a running controller for its health
  licences        print the licences of everything that this program is made of
  version         print the version

Settings come from the environment; docs/configuration.md lists them.
`

// commands are all but those that only print.
var commands = map[string]func(context.Context, []string, Host) int{
	"serve": Serve, "login-link": LoginLink, "export-funnels": ExportFunnels, "backup": Backup,
	"import-original": ImportOriginal, "runs": Runs, "reconcile": Reconcile, "benchmark-reports": BenchmarkReports,
	"healthcheck": HealthCheck, "licences": printLicences,
}

// Run runs the command that args name, serve where they name none, and returns its exit code.
func Run(ctx context.Context, args []string, h Host) int {
	command := "serve"
	if len(args) > 0 {
		command, args = args[0], args[1:]
	}
	switch do, ok := commands[command]; {
	case ok:
		return do(ctx, args, h)
	case command == "version":
		_, _ = fmt.Fprintln(h.Stdout, h.Version)
		return exitcode.OK
	case command == "help", command == "-h", command == "--help":
		_, _ = fmt.Fprint(h.Stdout, usage)
		return exitcode.OK
	}
	return h.refuse("there is no command %q\n\n%s", command, usage)
}

// printLicences prints the licences of everything that this program is made of.
func printLicences(_ context.Context, _ []string, h Host) int {
	if err := licences.Print(h.Stdout); err != nil {
		return h.fail(err)
	}
	return exitcode.OK
}

// printJSON prints v, indented.
func (h Host) printJSON(v any) error {
	e := json.NewEncoder(h.Stdout)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// fail prints err and returns the exit code of a fault.
func (h Host) fail(err error) int {
	_, _ = fmt.Fprintln(h.Stderr, "error:", err)
	return exitcode.Internal
}

// refuse prints why a command cannot be run as it was typed, and returns the exit code of that.
func (h Host) refuse(format string, args ...any) int {
	_, _ = fmt.Fprintf(h.Stderr, format+"\n", args...)
	return exitcode.BadConfig
}

// settings reads the settings and prints all their problems; false where they refuse the start.
func (h Host) settings() (settings.Settings, bool) {
	s, problems := settings.Parse(h.Env, func(path string) ([]byte, error) { return afero.ReadFile(h.FS, path) })
	problems = append(problems, spec.Misspelt(h.Env)...)
	h.print(problems)
	return s, problems.Err() == nil
}

// print writes problems for a person.
func (h Host) print(problems problem.List) {
	for _, p := range problems {
		_, _ = fmt.Fprintf(h.Stderr, "%s: %s\n", p.Severity, p)
	}
}
