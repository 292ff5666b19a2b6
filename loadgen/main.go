// Command loadgen sends Matomo the traffic of made-up visitors and keeps account of what became of every hit.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // the image has no zones of its own

	"github.com/spf13/afero"
	"golang.org/x/term"

	"github.com/puttrix/trafficinator/shared/licences"
)

// version is set by the linker.
var version = "dev"

// Exit codes.
const (
	exitOK          = 0
	exitInternal    = 1
	exitConfig      = 2
	exitNoTarget    = 3
	exitThreshold   = 4
	exitInterrupted = 130
)

// host is what the program needs of the machine.
type host struct {
	env            map[string]string
	fs             afero.Fs
	stdout, stderr io.Writer
	// signals carries requests to stop: the first drains, the second breaks off.
	signals <-chan os.Signal
	// now is the clock by which a backfill knows today.
	now func() time.Time
	// descriptors is how many files this process may have open, 0 where nobody knows.
	descriptors uint64
	// terminal says that a person watches stderr.
	terminal bool
}

func main() {
	// Who reads our output may be gone before us. A run must then still end in order; a list, as in `plan | head`, need
	// not.
	if len(os.Args) < 2 || os.Args[1] == "run" || os.Args[1] == "sink" {
		signal.Ignore(syscall.SIGPIPE)
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	env := map[string]string{}
	for _, pair := range os.Environ() {
		if key, v, ok := strings.Cut(pair, "="); ok {
			env[key] = v
		}
	}
	var files syscall.Rlimit
	_ = syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files) // what is not known is no bound
	os.Exit(run(context.Background(), os.Args[1:], host{
		env: env, fs: afero.NewOsFs(), stdout: os.Stdout, stderr: os.Stderr,
		signals: signals, now: time.Now, descriptors: files.Cur, terminal: term.IsTerminal(int(os.Stderr.Fd())),
	}))
}

const usage = `usage: loadgen [command]

  run           send traffic (default): [--profile P] [--threshold T]... [--report FILE] [--junit FILE]
  check         check the settings: [--env-file FILE] [--connect] [--probe]
  plan          print the hits of the first visits, send nothing: [--visits N] [--format text|jsonl]
  sink          be a Matomo that counts and checks what it gets; see sink --help
  healthcheck   ask a running loadgen for its health
  licences      print the licences of everything that this program is made of
  version       print the version

Settings come from the environment; the README lists them.
`

func run(ctx context.Context, args []string, h host) int {
	command := "run"
	if len(args) > 0 {
		command, args = args[0], args[1:]
	}
	switch command {
	case "run":
		o, code, ok := runOptions(args, h)
		if !ok {
			return code
		}
		return runTraffic(ctx, h, o)
	case "check":
		return check(ctx, args, h)
	case "plan":
		return show(args, h)
	case "sink":
		return runSink(ctx, args, h)
	case "healthcheck":
		return healthcheck(ctx, h)
	case "licences":
		if err := licences.Print(h.stdout); err != nil {
			_, _ = fmt.Fprintln(h.stderr, "error:", err)
			return exitInternal
		}
		return exitOK
	case "version":
		_, _ = fmt.Fprintln(h.stdout, version)
		return exitOK
	case "help", "-h", "--help":
		_, _ = fmt.Fprint(h.stdout, usage)
		return exitOK
	default:
		_, _ = fmt.Fprintf(h.stderr, "there is no command %q\n\n%s", command, usage)
		return exitConfig
	}
}
