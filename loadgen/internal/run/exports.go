package run

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/export"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// Options are the command-line options of a run.
type Options struct {
	// Settings override the environment and LOADGEN_ENV_FILE.
	Settings map[string]string
	// Report and JUnit are file names, "" for none.
	Report, JUnit string
}

// exportFile is a file that a run is exported to.
type exportFile struct {
	flag, path string
	write      func(io.Writer, *export.Run) error
}

// exports returns the requested exports.
func (o Options) exports() []exportFile {
	return slices.DeleteFunc([]exportFile{{"--report", o.Report, export.HTML}, {"--junit", o.JUnit, export.JUnit}},
		func(f exportFile) bool { return f.path == "" })
}

// writeExports writes the requested exports.
func (r *Run) writeExports(sum *runsummary.Summary, code int) (err error) {
	r.series.Add(r.now(), r.ledger.Counts)
	exported := &export.Run{Summary: *sum, ExitCode: &code, Zone: r.plan.Zone, Problems: r.warnings.all(),
		Version: r.host.Version, Series: r.series.Points()}
	for _, changed := range r.plan.Changed() {
		key, value, _ := strings.Cut(changed, "=")
		exported.Settings = append(exported.Settings, export.Setting{Key: key, Value: value})
	}
	for _, f := range r.options.exports() {
		var b bytes.Buffer
		one := f.write(&b, exported)
		if one == nil {
			one = r.publish(f.path, b.Bytes())
		}
		if one != nil {
			err = errors.Join(err, fmt.Errorf("write %s: %w", f.path, one))
		}
	}
	return err
}

// publish writes a file atomically.
func (r *Run) publish(path string, data []byte) error {
	return exchange.Publish(r.host.FS, filepath.Dir(path), map[string][]byte{filepath.Base(path): data})
}
