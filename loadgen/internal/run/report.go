package run

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/state"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/record"
	"github.com/puttrix/trafficinator/shared/report"
)

// Options are what the command line asks of a run.
type Options struct {
	// Settings win over the environment and the file of LOADGEN_ENV_FILE.
	Settings map[string]string
	// Report and JUnit name files, "" for none.
	Report, JUnit string
}

// files are the reports that were asked for.
func (o Options) files() []reportFile {
	return slices.DeleteFunc([]reportFile{{"--report", o.Report, report.HTML}, {"--junit", o.JUnit, report.JUnit}},
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
func (o Options) places(fsys afero.Fs) (problems problem.List) {
	for _, f := range o.files() {
		if err := state.Probe(fsys, filepath.Dir(f.path)); err != nil {
			problems.Refuse(f.flag, f.path, err.Error(),
				unlessFull(err, "name a file in a folder that exists and that this user may write to"))
		}
	}
	return problems
}

// write writes the reports that were asked for.
func (o Options) write(fsys afero.Fs, r *report.Run) error {
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
		Problems: s.problems.problems(), Version: s.h.Version,
	}
	if s.series != nil {
		s.series.Add(s.now(), s.ledger.Counts())
		r.Series = s.series.Points()
	}
	return s.options.write(s.h.FS, r)
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
