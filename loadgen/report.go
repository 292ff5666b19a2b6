package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/state"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/record"
	"github.com/puttrix/trafficinator/shared/report"
)

// options are what the command line asks of a run.
type options struct {
	// settings win over the environment and the file of LOADGEN_ENV_FILE.
	settings map[string]string
	// report and junit name files, "" for none.
	report, junit string
}

const runUsage = `usage: loadgen run [--profile P] [--threshold T]... [--report FILE] [--junit FILE]

Sends traffic until a limit is reached or it is interrupted. Settings come from the environment; these win over it:

  --profile P     LOAD_PROFILE: constant, week, or stages with rates in visits a day: 10m:0->20000, 1h:20000
  --threshold T   THRESHOLDS: what must hold for the run to pass, as error_share<1% or p95<800ms; may be repeated
  --report FILE   write the run as one page of HTML
  --junit FILE    write the verdicts as JUnit XML

Exit codes: 0 finished, 1 internal error, 2 bad settings, 3 no target took a hit, 4 a threshold was missed or the error
brake was pulled, 130 interrupted.
`

// runOptions reads the arguments of run; ok is false where the command ends with code.
func runOptions(args []string, h host) (o options, code int, ok bool) {
	o.settings = map[string]string{}
	set := flag.NewFlagSet("run", flag.ContinueOnError)
	set.Usage = func() { _, _ = io.WriteString(set.Output(), runUsage) }
	set.Func("profile", "", func(v string) error { o.settings["LOAD_PROFILE"] = v; return nil })
	set.Func("threshold", "", func(v string) error {
		o.settings["THRESHOLDS"] = strings.TrimPrefix(o.settings["THRESHOLDS"]+","+v, ",")
		return nil
	})
	set.StringVar(&o.report, "report", "", "")
	set.StringVar(&o.junit, "junit", "", "")
	code, ok = parseFlags(set, args, h)
	return o, code, ok
}

// files are the reports that were asked for.
func (o options) files() []reportFile {
	return slices.DeleteFunc([]reportFile{{"--report", o.report, report.HTML}, {"--junit", o.junit, report.JUnit}},
		func(f reportFile) bool {
			return f.path == ""
		})
}

// reportFile is a report that goes into a file.
type reportFile struct {
	flag, path string
	write      func(io.Writer, *report.Run) error
}

// places tries to write where the reports go, see places.
func (o options) places(fsys afero.Fs) (problems problem.List) {
	for _, f := range o.files() {
		if err := state.Probe(fsys, filepath.Dir(f.path)); err != nil {
			problems.Refuse(f.flag, f.path, err.Error(),
				unlessFull(err, "name a file in a folder that exists and that this user may write to"))
		}
	}
	return problems
}

// write writes the reports that were asked for.
func (o options) write(fsys afero.Fs, r *report.Run) error {
	var all error
	for _, f := range o.files() {
		var b bytes.Buffer
		err := f.write(&b, r)
		if err == nil {
			err = exchange.Publish(fsys, filepath.Dir(f.path), map[string][]byte{filepath.Base(f.path): b.Bytes()})
		}
		if err != nil {
			all = errors.Join(all, fmt.Errorf("write %s: %w", f.path, err))
		}
	}
	return all
}

// writeReports writes what the command line asked for.
func (s *session) writeReports(sum *record.Summary, code int) error {
	r := &report.Run{
		Summary: *sum, ExitCode: &code, Zone: s.plan.Zone, Settings: settingsOf(s.plan.Differences(s.env)),
		Problems: s.problems.problems(), Version: version,
	}
	if s.series != nil {
		s.series.Add(s.now(), s.ledger.Counts())
		r.Series = s.series.Points()
	}
	return s.options.write(s.h.fs, r)
}

// settingsOf are differences of a plan in the form of a report.
func settingsOf(differences []string) []report.Setting {
	out := make([]report.Setting, 0, len(differences))
	for _, d := range differences {
		key, value, _ := strings.Cut(d, "=")
		out = append(out, report.Setting{Key: key, Value: value})
	}
	return out
}

// keptProblems is how many lines of the log a report tells.
const keptProblems = 50

// logLines keeps the first lines that a slog.TextHandler writes.
type logLines struct {
	mu    sync.Mutex
	lines []string
}

// Write implements io.Writer; a handler writes a line at a time.
func (l *logLines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.lines) < keptProblems {
		l.lines = append(l.lines, strings.TrimSpace(string(line)))
	}
	return len(line), nil
}

func (l *logLines) problems() []report.Problem {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]report.Problem, 0, len(l.lines))
	for _, line := range l.lines {
		stamp, rest, _ := strings.Cut(strings.TrimPrefix(line, "time="), " level=")
		level, text, _ := strings.Cut(rest, " ")
		at, _ := time.Parse(time.RFC3339, stamp) // the handler wrote it
		p := report.Problem{Time: at, Level: "warning", Text: text}
		if level == "ERROR" {
			p.Level = "error"
		}
		out = append(out, p)
	}
	return out
}
