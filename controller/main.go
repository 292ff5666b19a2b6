// Command controller keeps configuration, files and life of a load generator for Matomo, behind one API.
package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	_ "time/tzdata" // the image has no zones of its own

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/app"
	"github.com/puttrix/trafficinator/controller/web"
	"github.com/puttrix/trafficinator/shared/licences"
)

// version is set by the build.
var version = "dev"

func main() {
	// Who reads our output may be gone before us. A server goes on; a list, as in `runs list | head`, need not.
	if len(os.Args) < 2 || os.Args[1] == "serve" {
		signal.Ignore(syscall.SIGPIPE)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	env := map[string]string{}
	for _, pair := range os.Environ() {
		if key, v, ok := strings.Cut(pair, "="); ok {
			env[key] = v
		}
	}
	hostname, _ := os.Hostname() // without one there is no container to share networks with
	bundle, err := fs.Sub(web.Dist, "dist")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	os.Exit(run(ctx, os.Args[1:], app.Host{
		Env: env, FS: afero.NewOsFs(), Stdout: os.Stdout, Stderr: os.Stderr, Bundle: bundle, Version: version,
		Hostname: hostname, User: fmt.Sprintf("%d:%d", os.Getuid(), os.Getgid()),
	}))
}

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

Settings come from the environment; the README lists them.
`

func run(ctx context.Context, args []string, h app.Host) int {
	command := "serve"
	if len(args) > 0 {
		command, args = args[0], args[1:]
	}
	switch command {
	case "serve":
		if len(args) > 0 {
			return told(h.Stderr, "serve takes no arguments: "+strings.Join(args, " "))
		}
		if limit, limited := h.MemoryLimit(); limited {
			debug.SetMemoryLimit(limit)
		}
		return app.Serve(ctx, h)
	case "login-link":
		return app.LoginLink(ctx, args, h)
	case "export-funnels":
		return app.ExportFunnels(ctx, args, h)
	case "backup":
		return app.Backup(ctx, args, h)
	case "import-original":
		return app.ImportOriginal(ctx, args, h)
	case "runs":
		return app.Runs(ctx, args, h)
	case "reconcile":
		return app.Reconcile(ctx, args, h)
	case "benchmark-reports":
		return app.BenchmarkReports(ctx, args, h)
	case "healthcheck":
		return app.HealthCheck(ctx, h)
	case "licences":
		if err := licences.Print(h.Stdout); err != nil {
			_, _ = fmt.Fprintln(h.Stderr, "error:", err)
			return app.Internal
		}
		return app.OK
	case "version":
		_, _ = fmt.Fprintln(h.Stdout, version)
		return app.OK
	case "help", "-h", "--help":
		_, _ = fmt.Fprint(h.Stdout, usage)
		return app.OK
	}
	return told(h.Stderr, fmt.Sprintf("there is no command %q\n\n%s", command, usage))
}

func told(w io.Writer, text string) int {
	_, _ = fmt.Fprintln(w, text)
	return app.BadInput
}
