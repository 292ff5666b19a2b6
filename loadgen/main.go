// Command loadgen sends Matomo the traffic of made-up visitors and keeps account of what became of every hit.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
	_ "time/tzdata" // the image has no zones of its own

	"github.com/spf13/afero"
	"golang.org/x/term"

	"github.com/puttrix/trafficinator/loadgen/internal/cli"
	"github.com/puttrix/trafficinator/loadgen/internal/host"
)

// version is set by the linker.
var version = "dev"

func main() {
	if cli.IgnoresBrokenPipe(os.Args[1:]) {
		signal.Ignore(syscall.SIGPIPE)
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	var files syscall.Rlimit
	_ = syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files) // what is not known is no bound
	os.Exit(cli.Run(context.Background(), os.Args[1:], host.Host{
		Version: version,
		Env:     host.ParseEnv(os.Environ()),
		FS:      afero.NewOsFs(),
		Stdout:  os.Stdout, Stderr: os.Stderr,
		Signals:     signals,
		Now:         time.Now,
		Descriptors: files.Cur,
		Terminal:    term.IsTerminal(int(os.Stderr.Fd())),
	}))
}
