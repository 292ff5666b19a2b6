package run

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/shared/exchange"
)

// controllable is a run whose rate can be scaled, and that can be paused and asked to finish its open visits.
type controllable interface {
	SetRate(scale float64)
	Pause(paused bool)
	Finish(within time.Duration)
}

// fixedRate is a run that sets its own rate, such as a capacity search, and can only be asked to finish.
type fixedRate struct{ controllable }

func (fixedRate) SetRate(float64) {}
func (fixedRate) Pause(bool)      {}

// followControl applies control.json of the exchange folder to a run until stop is called.
func (d *deps) followControl(ctx context.Context, run controllable) (stop func()) {
	if d.plan.Files.Exchange == "" {
		return func() {}
	}
	c := newControlFile(d.host.FS, d.plan.Files.Exchange, d.plan.RunID, run, d.log)
	c.poll()
	return d.goSupervised(ctx, "control", func(ctx context.Context) { everySecond(ctx, c.poll) })
}

type controlFile struct {
	fs     afero.Fs
	path   string
	target controllable
	log    *slog.Logger

	state     exchange.Control // applied last
	lastError string           // logged once
}

func newControlFile(fsys afero.Fs, dir, runID string, run controllable, log *slog.Logger) *controlFile {
	return &controlFile{fs: fsys, path: filepath.Join(dir, exchange.ControlFile), target: run, log: log,
		state: exchange.NoOverride(runID)}
}

// poll applies the file. One that is unreadable or invalid changes nothing.
func (c *controlFile) poll() {
	next, err := c.read()
	if err != nil {
		if err.Error() != c.lastError {
			c.log.Warn("control file ignored", "file", c.path, "err", err)
		}
		c.lastError = err.Error()
		return
	}
	c.lastError = ""
	if next == c.state {
		return
	}
	c.log.Info("control file applied", "paused", next.Paused, "scale", next.Scale, "finish_seconds", next.FinishSeconds)
	c.target.SetRate(next.Scale)
	c.target.Pause(next.Paused)
	// a request to finish cannot be withdrawn
	if next.FinishSeconds > 0 && next.FinishSeconds != c.state.FinishSeconds {
		c.target.Finish(plan.Seconds(next.FinishSeconds))
	}
	c.state = next
}

// read returns the content of the file, or no override if there is none for this run.
func (c *controlFile) read() (exchange.Control, error) {
	none := exchange.NoOverride(c.state.RunID)
	data, err := exchange.Read(c.fs, c.path)
	if errors.Is(err, fs.ErrNotExist) {
		return none, nil
	}
	if err != nil {
		return none, err
	}
	control, problems := exchange.ParseControl(data)
	if err := problems.Err(); err != nil || control.RunID != none.RunID {
		return none, err
	}
	return control, nil
}
