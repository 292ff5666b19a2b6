// Package process runs loadgens as child processes, so that the whole product works without containers. It knows the
// loadgen only by its path, signals, exit codes and log.
package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
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
	c    Config
	fs   afero.Fs
	main *loadgen

	mu   sync.Mutex // guards jobs
	jobs map[string]*loadgen
}

var (
	_ launcher.Runtime    = (*Process)(nil)
	_ launcher.JobRuntime = (*Process)(nil)
)

// loadgen is the main loadgen or the one of a job, across its restarts.
type loadgen struct {
	log      *logBuffer
	changing sync.Mutex // held while it is started, and while the main one is stopped

	mu   sync.Mutex // guards last
	last *child     // the last process, nil before the first start
}

// child returns the last process, nil before the first start.
func (l *loadgen) child() *child {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

// maxLogLines and maxJobLogLines are the numbers of log lines that are kept.
const (
	maxLogLines    = 10_000
	maxJobLogLines = 2_000
)

// New returns a Process that has not started anything, and removes the plan folders that a killed controller left.
func New(fsys afero.Fs, c Config) *Process {
	p := &Process{c: c, fs: fsys, main: &loadgen{log: newLogBuffer(maxLogLines)}, jobs: map[string]*loadgen{}}
	p.removeOldPlans(time.Now())
	return p
}

// Name implements launcher.Runtime.
func (p *Process) Name() string { return "process" }

// Status implements launcher.Runtime.
func (p *Process) Status(context.Context) launcher.Status {
	s := p.main.child().status(launcher.Created, filepath.Base(p.c.Bin), p.c.Bin)
	if s.State == launcher.Running {
		return s
	}
	if err := p.checkProgram(); err != nil {
		s.State, s.Reason = launcher.Missing, err.Error()
	}
	return s
}

// checkProgram reports why the loadgen cannot be started.
func (p *Process) checkProgram() error {
	info, err := p.fs.Stat(p.c.Bin)
	switch {
	case err != nil:
		return fmt.Errorf("LOADGEN_BIN=%q: %w; build it with `make build` or set another path", p.c.Bin, err)
	case info.IsDir() || info.Mode()&0o111 == 0:
		return fmt.Errorf("LOADGEN_BIN=%q is not executable; set it to the path of the loadgen", p.c.Bin)
	}
	return nil
}

// Start implements launcher.Runtime.
func (p *Process) Start(ctx context.Context) error {
	p.main.changing.Lock()
	defer p.main.changing.Unlock()
	return p.startMain(ctx)
}

func (p *Process) startMain(ctx context.Context) error {
	if p.main.child().running() {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	addr, err := freePort(ctx)
	if err != nil {
		return err
	}
	return p.startChild(p.main, addr, "", launcher.Environ(p.c.Exchange, p.c.State))
}

// freePort returns a local address that nobody listens on. If another program takes it before the child does, the child
// reports that and exits.
func freePort(ctx context.Context) (string, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		return "", fmt.Errorf("free the port: %w", err)
	}
	return addr, nil
}

// Stop implements launcher.Runtime.
func (p *Process) Stop(ctx context.Context, timeout time.Duration) error {
	p.main.changing.Lock()
	defer p.main.changing.Unlock()
	return p.main.child().stop(ctx, timeout)
}

// Restart implements launcher.Runtime.
func (p *Process) Restart(ctx context.Context, timeout time.Duration) error {
	p.main.changing.Lock()
	defer p.main.changing.Unlock()
	if err := p.main.child().stop(ctx, timeout); err != nil {
		return err
	}
	return p.startMain(ctx)
}

// Heal implements launcher.Runtime. There is nothing to heal: Start works in every state of a process.
func (p *Process) Heal(context.Context) (string, error) {
	if err := p.checkProgram(); err != nil {
		return "", fmt.Errorf("%w: %w", launcher.ErrMissing, err)
	}
	return "", launcher.ErrNothingToHeal
}

// Logs implements launcher.Runtime.
func (p *Process) Logs(ctx context.Context, q launcher.LogQuery, each func(launcher.Line) error) error {
	return p.main.log.read(ctx, p.main.child(), q, each)
}

// Close implements launcher.Runtime. It stops the jobs too, all at the same time.
func (p *Process) Close(ctx context.Context, timeout time.Duration) error {
	children := []*child{p.main.child()}
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
