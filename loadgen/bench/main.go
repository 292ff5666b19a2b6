// Command bench measures how many hits the loadgen sends and how punctually, next to the other load generators on this
// machine. It uses the loadgen like a person: by its settings, summary and metrics. The fast sink counts for all alike.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/prometheus/procfs"
	"github.com/spf13/afero"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], afero.NewOsFs(), os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

type bench struct {
	fs      afero.Fs
	proc    procfs.FS
	out     io.Writer
	loadgen string // absolute path of the measured program
	folder  string // temporary
	runs    int    // of the loadgen so far

	rounds  int
	window  time.Duration // of each measurement of throughput
	pace    time.Duration // of each measurement of pacing
	soak    time.Duration
	profile time.Duration // of each measurement of profiles
}

func (b *bench) printf(format string, args ...any) { _, _ = fmt.Fprintf(b.out, format, args...) }

// part is one benchmark. It returns its results as Markdown.
type part struct {
	name, title string
	measure     func(*bench, context.Context) (string, error)
}

func parts() []part {
	return []part{
		{"single", "Single hits", (*bench).single},
		{"bulk", "Bulk requests of 100 hits", (*bench).bulk},
		{"pacing", "Pacing", (*bench).pacing},
		{"starting", "Start with old ledgers", (*bench).startup},
		{"soak", "Soak test", (*bench).soakTest},
		{"micro", "Micro-benchmarks", (*bench).micro},
		{"profiles", "Load profiles", (*bench).profiles},
	}
}

func run(ctx context.Context, args []string, fsys afero.Fs, stdout, stderr io.Writer) int {
	b := &bench{fs: fsys, out: stdout}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	only := f.String("only", "single,bulk,pacing,starting,micro", "`parts` to measure; soak and profiles only if named")
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

// runParts measures the named parts. It saves each result at once, because the next part may fail.
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
		b.printf("\n%s\n%s\n", p.title, on)
		result, err := p.measure(b, ctx)
		if err != nil {
			return fmt.Errorf("measure %s: %w", p.name, err)
		}
		b.printf("\n%s", result)
		if err := saveSection(b.fs, results, p, on+"\n"+result); err != nil {
			return err
		}
	}
	return nil
}

// prepare checks the requirements and writes the files for the peers.
func (b *bench) prepare() (err error) {
	if runtime.NumCPU() < 2 {
		return errors.New("one core is not enough: the sink needs its own")
	}
	if _, err := exec.LookPath("taskset"); err != nil {
		return fmt.Errorf("find taskset: %w; it is in util-linux", err)
	}
	if b.loadgen, err = exec.LookPath(b.loadgen); err == nil {
		b.loadgen, err = filepath.Abs(b.loadgen)
	}
	if err != nil {
		return fmt.Errorf("-loadgen: %w; make build creates bin/loadgen", err)
	}
	if b.proc, err = procfs.NewDefaultFS(); err != nil {
		return fmt.Errorf("open /proc: %w", err)
	}
	if b.folder, err = afero.TempDir(b.fs, "", "trafficinator-bench-"); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	return b.writeScripts()
}

func (b *bench) micro(ctx context.Context) (string, error) {
	args := []string{"test", "-run", "^$", "-bench", ".", "-benchmem"}
	for _, p := range []string{"visit", "engine", "tracking", "ledger"} {
		args = append(args, "./loadgen/internal/"+p)
	}
	output, err := exec.CommandContext(ctx, "go", args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("run go test: %w; its output: %s", err, output)
	}
	lines := slices.DeleteFunc(slices.Collect(strings.Lines(string(output))), func(line string) bool {
		return !strings.HasPrefix(line, "Benchmark")
	})
	return "```\n" + strings.Join(lines, "") + "```\n", nil
}

const preface = `# Benchmark results

Written by ` + "`make bench`" + `; [README.md](README.md) explains the tables. Each section starts with the time and the
machine of its measurement.
`

func saveSection(fsys afero.Fs, path string, p part, text string) error {
	old, err := afero.ReadFile(fsys, path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read results: %w", err)
	}
	if err := afero.WriteFile(fsys, path, []byte(replaceSection(string(old), p.title, text)), 0o644); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	return nil
}

func replaceSection(old, title, text string) string {
	sections := map[string]string{}
	for section := range strings.SplitSeq(old, "\n## ") {
		name, rest, _ := strings.Cut(section, "\n")
		sections[name] = strings.TrimSpace(rest)
	}
	sections[title] = strings.TrimSpace(text)
	all := preface
	for _, p := range parts() {
		if text, ok := sections[p.title]; ok {
			all += "\n## " + p.title + "\n\n" + text + "\n"
		}
	}
	return all
}

// markdownTable formats a table with aligned columns. The first row is its head.
func markdownTable(rows [][]string) string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var out strings.Builder
	for n, row := range rows {
		for i, cell := range row {
			blank := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				out.WriteString("| " + cell + blank)
			} else {
				out.WriteString(" | " + blank + cell)
			}
		}
		out.WriteString(" |\n")
		if n == 0 {
			out.WriteString("|" + strings.Repeat("-", widths[0]+2))
			for _, w := range widths[1:] {
				out.WriteString("|" + strings.Repeat("-", w+1) + ":")
			}
			out.WriteString("|\n")
		}
	}
	return out.String()
}
