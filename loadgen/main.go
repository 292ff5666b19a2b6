// Command loadgen sends the traffic of simulated visitors to Matomo and accounts for every hit.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
	_ "time/tzdata" // the image has no time zone database

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
	_ = syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files) // 0 if unknown
	os.Exit(cli.Run(context.Background(), os.Args[1:], host.Host{
		Version: version, Env: host.ParseEnv(os.Environ()), FS: afero.NewOsFs(), Stdout: os.Stdout, Stderr: os.Stderr,
		Signals: signals, Now: time.Now, Descriptors: files.Cur, Terminal: term.IsTerminal(int(os.Stderr.Fd())),
	}))
}
