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

	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/export"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// Options are what the command line asks of a run.
type Options struct {
	// Settings win over the environment and the file of LOADGEN_ENV_FILE.
	Settings map[string]string
	// Report and JUnit name files, "" for none.
	Report, JUnit string
}

// exports are the reports that were asked for.
func (o Options) exports() []exportFile {
	return slices.DeleteFunc([]exportFile{{"--report", o.Report, export.HTML}, {"--junit", o.JUnit, export.JUnit}},
		func(f exportFile) bool {
			return f.path == ""
		})
}

// exportFile is a report that goes into a file.
type exportFile struct {
	flag, path string
	write      func(io.Writer, *export.Run) error
}

// checkOutputs tries to write where the reports go, see Places.
func (o Options) checkOutputs(fsys afero.Fs) (problems problem.List) {
	for _, f := range o.exports() {
		checkWritable(fsys, f.flag, f.path, &problems)
	}
	return problems
}

// writeExports writes the reports that were asked for.
func (o Options) writeExports(fsys afero.Fs, r *export.Run) error {
	var all error
	for _, f := range o.exports() {
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

// writeExports writes what the command line asked for.
func (r *Run) writeExports(sum *runsummary.Summary, code int) error {
	r.series.Add(r.now(), r.ledger.Counts)
	return r.options.writeExports(r.host.FS, &export.Run{
		Summary: *sum, ExitCode: &code, Zone: r.plan.Zone, Settings: exportSettings(r.plan.Changed()),
		Problems: r.warnings.all(), Version: r.host.Version, Series: r.series.Points(),
	})
}

// exportSettings are differences of a plan in the form of a report.
func exportSettings(differences []string) []export.Setting {
	out := make([]export.Setting, 0, len(differences))
	for _, d := range differences {
		key, value, _ := strings.Cut(d, "=")
		out = append(out, export.Setting{Key: key, Value: value})
	}
	return out
}
