// Command bench measures how many hits the loadgen sends and how punctually, beside the load generators that are
// installed here. It knows the loadgen as a person does, by its settings, its summary and its metrics; what arrived
// is told by the fast sink, the same way for all.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/afero"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], afero.NewOsFs(), os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// bench is what all parts share.
type bench struct {
	fs      afero.Fs
	out     io.Writer
	loadgen string // the program that is measured, an absolute path
	folder  string // for files that are gone afterwards

	rounds  int
	window  time.Duration // of each measurement of throughput
	pace    time.Duration // of each measurement of pacing
	soak    time.Duration
	profile time.Duration // of each measurement of profiles
}

// part is one benchmark; it returns what it found as Markdown.
type part struct {
	name, title string
	measure     func(*bench, context.Context) (string, error)
}

func parts() []part {
	return []part{
		{"single", "Hits, one a request", (*bench).single},
		{"bulk", "Hits in bulk of 100", (*bench).bulk},
		{"pacing", "Distance from the ideal moment", (*bench).pacing},
		{"starting", "A start beside old ledgers", (*bench).startup},
		{"soak", "A long run", (*bench).soakTest},
		{"micro", "Micro-benchmarks", (*bench).micro},
		{"profiles", "Load profiles", (*bench).profiles},
	}
}

func run(ctx context.Context, args []string, fsys afero.Fs, stdout, stderr io.Writer) int {
	b := &bench{fs: fsys, out: stdout}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	only := f.String("only", "single,bulk,pacing,starting,micro", "`parts` to measure; there are soak and profiles too")
	results := f.String("results", "loadgen/bench/RESULTS.md", "`file` whose sections of these parts are replaced")
	long := f.Bool("long", false, "pacing for 60 s each, not 10 s")
	f.StringVar(&b.loadgen, "loadgen", "bin/loadgen", "`program` to measure")
	f.IntVar(&b.rounds, "rounds", 5, "rounds of single and bulk")
	f.DurationVar(&b.window, "window", 5*time.Second, "`time` of each measurement of single and bulk")
	f.DurationVar(&b.soak, "for", 10*time.Minute, "`time` of the soak")
	f.DurationVar(&b.profile, "profile", 5*time.Minute, "`time` of each measurement of profiles")
	switch err := f.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	b.pace = 10 * time.Second
	if *long {
		b.pace = time.Minute
	}
	if err := b.runParts(ctx, strings.Split(*only, ","), *results); err != nil {
		_, _ = fmt.Fprintf(stderr, "bench: %v\n", err)
		return 1
	}
	return 0
}

// runParts measures the named parts and keeps what each found at once: the next may fail.
func (b *bench) runParts(ctx context.Context, names []string, results string) (err error) {
	for _, name := range names {
		if !slices.ContainsFunc(parts(), func(p part) bool { return p.name == name }) {
			return fmt.Errorf("-only %q: the parts are single, bulk, pacing, starting, soak, micro and profiles", name)
		}
	}
	if err := b.prepare(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.fs.RemoveAll(b.folder)) }()
	for _, p := range parts() {
		if !slices.Contains(names, p.name) {
			continue
		}
		on, err := b.describeMachine(ctx)
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(b.out, "\n%s\n%s\n", p.title, on)
		found, err := p.measure(b, ctx)
		if err != nil {
			return fmt.Errorf("measure %s: %w", p.name, err)
		}
		_, _ = fmt.Fprintf(b.out, "\n%s", found)
		if err := saveSection(b.fs, results, p, on+"\n"+found); err != nil {
			return err
		}
	}
	return nil
}

// prepare finds what the benchmark cannot do without, and lays out the files for the peers.
func (b *bench) prepare() error {
	if runtime.NumCPU() < 2 {
		return errors.New("one core is not enough: the sink needs one of its own")
	}
	if _, err := exec.LookPath("taskset"); err != nil {
		return fmt.Errorf("find taskset: %w; it is in util-linux", err)
	}
	path, err := filepath.Abs(b.loadgen)
	if err != nil {
		return fmt.Errorf("find loadgen: %w", err)
	}
	if b.loadgen = path; !isFile(b.fs, path) {
		return fmt.Errorf("-loadgen %s: there is none; make build makes bin/loadgen", path)
	}
	if b.folder, err = afero.TempDir(b.fs, "", "trafficinator-bench-"); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	return b.writeScripts()
}

func isFile(fsys afero.Fs, path string) bool {
	info, err := fsys.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
