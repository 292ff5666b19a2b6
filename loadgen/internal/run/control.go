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

// controlInterval is how often control.json is looked at.
const controlInterval = time.Second

// controllable is what can be told to change its rate, to pause, and to end once its open visits have.
type controllable interface {
	SetRate(scale float64)
	Pause(paused bool)
	Finish(within time.Duration)
}

// fixedRate is a run that sets its own rate, as a capacity search does: it can only be told to end.
type fixedRate struct{ controllable }

func (fixedRate) SetRate(float64) {}
func (fixedRate) Pause(bool)      {}

// followControl lets control.json of the exchange folder steer a run until stop is called.
func (p *deps) followControl(ctx context.Context, run controllable) (stop func()) {
	if p.plan.Files.Exchange == "" {
		return func() {}
	}
	c := newControlFile(p.host.FS, p.plan.Files.Exchange, p.plan.RunID, run, p.log)
	c.poll()
	return p.goSupervised(ctx, "control", c.watch)
}

// controlFile makes a run follow control.json of the exchange folder.
type controlFile struct {
	fs     afero.Fs
	path   string
	target controllable
	log    *slog.Logger

	state   exchange.Control // that the run follows
	ignored string           // why the file was ignored last, told once
}

// newControlFile is of a run that follows its plan so far.
func newControlFile(fsys afero.Fs, dir, runID string, run controllable, log *slog.Logger) *controlFile {
	return &controlFile{fs: fsys, path: filepath.Join(dir, exchange.ControlFile), target: run, log: log,
		state: exchange.NoOverride(runID)}
}

// watch looks at the file every second until ctx is done.
func (c *controlFile) watch(ctx context.Context) {
	tick := time.NewTicker(controlInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			c.poll()
		}
	}
}

// poll follows the file as it stands. One that cannot be read or that has faults changes nothing.
func (c *controlFile) poll() {
	told, err := c.read()
	if err != nil {
		if err.Error() != c.ignored {
			c.log.Warn("the run is not steered", "file", c.path, "err", err)
		}
		c.ignored = err.Error()
		return
	}
	c.ignored = ""
	if told == c.state {
		return
	}
	c.log.Info("the run is steered", "paused", told.Paused, "scale", told.Scale, "finish_seconds", told.FinishSeconds)
	c.target.SetRate(told.Scale)
	c.target.Pause(told.Paused)
	// an end that was begun is not taken back
	if told.FinishSeconds > 0 && told.FinishSeconds != c.state.FinishSeconds {
		c.target.Finish(plan.Seconds(told.FinishSeconds))
	}
	c.state = told
}

func (c *controlFile) read() (exchange.Control, error) {
	steady := exchange.NoOverride(c.state.RunID)
	data, err := exchange.Read(c.fs, c.path)
	if errors.Is(err, fs.ErrNotExist) {
		return steady, nil
	}
	if err != nil {
		return steady, err
	}
	told, problems := exchange.ParseControl(data)
	if err := problems.Err(); err != nil {
		return steady, err
	}
	if told.RunID != steady.RunID {
		return steady, nil
	}
	return told, nil
}
