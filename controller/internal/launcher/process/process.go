// Package process runs loadgens as child processes, so that the product works without containers. It knows the loadgen
// only by its path, signals, exit codes and log.
package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
)

// Config configures a Process.
type Config struct {
	// Bin is the path of the loadgen; Exchange and State are its EXCHANGE_DIR and STATE_DIR.
	Bin, Exchange, State string
	// Log receives the output of all children, see NewLogFile.
	Log io.Writer
	// Env is the environment of the children as KEY=value, see Environment.
	Env []string
}

// Process implements launcher.Runtime and launcher.JobRuntime with child processes. Use New.
type Process struct {
	*loadgen // the main one
	c        Config
	fs       afero.Fs

	mu   sync.Mutex // guards jobs
	jobs map[string]*loadgen
}

var (
	_ launcher.Runtime    = (*Process)(nil)
	_ launcher.JobRuntime = (*Process)(nil)
)

// maxLogLines and maxJobLogLines are the numbers of log lines that are kept.
const (
	maxLogLines    = 10_000
	maxJobLogLines = 2_000
)

// New returns a Process that has not started anything, and removes the plan folders that a killed controller left.
func New(fsys afero.Fs, c Config) *Process {
	p := &Process{c: c, fs: fsys, jobs: map[string]*loadgen{}}
	p.loadgen = &loadgen{p: p, name: filepath.Base(c.Bin), log: newLogBuffer(maxLogLines)}
	p.removeOldPlans(time.Now())
	return p
}

// Name implements launcher.Runtime.
func (p *Process) Name() string { return "process" }

// checkProgram returns launcher.ErrMissing if the loadgen cannot be started.
func (p *Process) checkProgram() error {
	info, err := p.fs.Stat(p.c.Bin)
	switch {
	case err != nil:
		return fmt.Errorf("%w: LOADGEN_BIN=%q: %w; build it with `make build` or set another path",
			launcher.ErrMissing, p.c.Bin, err)
	case info.IsDir() || info.Mode()&0o111 == 0:
		return fmt.Errorf("%w: LOADGEN_BIN=%q is not executable; set it to the path of the loadgen",
			launcher.ErrMissing, p.c.Bin)
	}
	return nil
}

// Heal implements launcher.Runtime. There is nothing to heal: Start works in every state of a process.
func (p *Process) Heal(context.Context) (string, error) {
	if err := p.checkProgram(); err != nil {
		return "", err
	}
	return "", launcher.ErrNothingToHeal
}

// JobName implements launcher.JobRuntime.
func (p *Process) JobName(id string) string { return launcher.JobName(p.name, id) }

// JobsDetached implements launcher.JobRuntime.
func (p *Process) JobsDetached() bool { return false }

// Job implements launcher.JobRuntime.
func (p *Process) Job(id string) launcher.Loadgen {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.jobs[id] == nil {
		p.jobs[id] = &loadgen{p: p, name: p.JobName(id), job: id, log: newLogBuffer(maxJobLogLines)}
	}
	return p.jobs[id]
}

// RemoveJob implements launcher.JobRuntime.
func (p *Process) RemoveJob(_ context.Context, id string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if j := p.jobs[id]; j != nil && j.child().running() {
		return launcher.JobRunningError(j.name)
	}
	delete(p.jobs, id)
	return nil
}

// Close implements launcher.Runtime. It stops all children at the same time.
func (p *Process) Close(ctx context.Context, timeout time.Duration) error {
	children := []*child{p.child()}
	p.mu.Lock()
	for _, j := range p.jobs {
		children = append(children, j.child())
	}
	p.mu.Unlock()
	errs := make([]error, len(children))
	var stopping sync.WaitGroup
	for i, c := range children {
		stopping.Go(func() { errs[i] = c.stop(ctx, timeout) })
	}
	stopping.Wait()
	return errors.Join(errs...)
}
