// Package process owns the loadgen as a child process: the whole product on a machine without containers. It knows
// the program by its path, signals, exit codes and log alone.
package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/runtime"
)

// Config says which program is kept and where its folders are.
type Config struct {
	// Bin is the loadgen; Exchange and State are its EXCHANGE_DIR and STATE_DIR.
	Bin, Exchange, State string
	// Log gets what the child writes; one that writes to a file should rotate it, see NewLog.
	Log io.Writer
	// Env is the child's environment as KEY=value, see Environment.
	Env []string
}

// Process is a runtime.Port. Its zero value is of no use.
type Process struct {
	c       Config
	fs      afero.Fs
	journal *runtime.Journal

	changing sync.Mutex // held while the state is being changed

	mu    sync.Mutex // guards what follows
	child *child     // nil before the first start
}

// child is one life of the program.
type child struct {
	cmd       *exec.Cmd
	telemetry string
	started   time.Time
	// done is closed when it has ended; ended and code are valid from then on.
	done  chan struct{}
	ended time.Time
	code  int
}

var _ runtime.Port = (*Process)(nil)

// kept is how many lines of the log can be asked for.
const kept = 10_000

// New makes a port that starts nothing yet.
func New(fsys afero.Fs, c Config) *Process {
	return &Process{c: c, fs: fsys, journal: runtime.NewJournal(kept)}
}

// Name implements runtime.Port.
func (p *Process) Name() string { return "process" }

func (p *Process) current() *child {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.child
}

// running tells whether the child lives.
func (c *child) running() bool {
	if c == nil {
		return false
	}
	select {
	case <-c.done:
		return false
	default:
		return true
	}
}

// Status implements runtime.Port.
func (p *Process) Status(context.Context) runtime.Status {
	s := runtime.Status{State: runtime.Created, Name: filepath.Base(p.c.Bin), Image: p.c.Bin}
	if c := p.current(); c != nil {
		s.ID, s.Started, s.Created = strconv.Itoa(c.cmd.Process.Pid), c.started, c.started
		if c.running() {
			s.State, s.Telemetry = runtime.Running, c.telemetry
			return s
		}
		s.State, s.ExitCode, s.Ended = runtime.Exited, c.code, c.ended
	}
	if err := p.program(); err != nil {
		s.State, s.Reason = runtime.Missing, err.Error()
	}
	return s
}

// program tells why there is nothing to start.
func (p *Process) program() error {
	info, err := p.fs.Stat(p.c.Bin)
	switch {
	case err != nil:
		return fmt.Errorf("LOADGEN_BIN=%q: %w; build it with `make build` or name another", p.c.Bin, err)
	case info.IsDir() || info.Mode()&0o111 == 0:
		return fmt.Errorf("LOADGEN_BIN=%q is no program; name the loadgen itself", p.c.Bin)
	}
	return nil
}

// Start implements runtime.Port.
func (p *Process) Start(ctx context.Context) error {
	p.changing.Lock()
	defer p.changing.Unlock()
	return p.start(ctx)
}

func (p *Process) start(ctx context.Context) error {
	if p.current().running() {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := p.program(); err != nil {
		return fmt.Errorf("%w: %w", runtime.ErrMissing, err)
	}
	addr, err := freePort(ctx)
	if err != nil {
		return err
	}
	c := &child{telemetry: "http://" + addr, started: time.Now().UTC(), done: make(chan struct{})}
	// The child outlives the request that starts it; Close ends it.
	c.cmd = exec.Command(p.c.Bin, "run")
	c.cmd.Env = append(append([]string(nil), p.c.Env...),
		"AUTO_START=false", "EXCHANGE_DIR="+p.c.Exchange, "STATE_DIR="+p.c.State, "TELEMETRY_ADDR="+addr)
	out := &lines{log: p.c.Log, journal: p.journal}
	c.cmd.Stdout, c.cmd.Stderr = out, out
	c.cmd.SysProcAttr = attributes()
	c.cmd.WaitDelay = time.Second
	if err := c.cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.c.Bin, err)
	}
	go p.await(c, out)
	p.mu.Lock()
	p.child = c
	p.mu.Unlock()
	return nil
}

// await ends when the child has; Stop and Close wait for it.
func (p *Process) await(c *child, out *lines) {
	err := c.cmd.Wait()
	out.flush()
	c.ended, c.code = time.Now().UTC(), c.cmd.ProcessState.ExitCode()
	if ws, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		c.code = 128 + int(ws.Signal())
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.journal.Add(runtime.Line{Time: c.ended, Level: runtime.Warning, Text: "the end of the log may be missing: " + err.Error()})
	}
	close(c.done)
	p.journal.Wake()
}

// freePort is an address nobody listens on. Another may take it before the child does, which then says so and ends.
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

// Stop implements runtime.Port.
func (p *Process) Stop(ctx context.Context, timeout time.Duration) error {
	p.changing.Lock()
	defer p.changing.Unlock()
	return p.stop(ctx, timeout)
}

func (p *Process) stop(ctx context.Context, timeout time.Duration) error {
	c := p.current()
	if !c.running() {
		return nil
	}
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil && c.running() {
		return fmt.Errorf("ask the loadgen to end: %w", err)
	}
	patience := time.NewTimer(timeout)
	defer patience.Stop()
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-patience.C:
	}
	if err := c.cmd.Process.Kill(); err != nil && c.running() {
		return fmt.Errorf("kill the loadgen: %w", err)
	}
	<-c.done
	return nil
}

// Restart implements runtime.Port.
func (p *Process) Restart(ctx context.Context, timeout time.Duration) error {
	p.changing.Lock()
	defer p.changing.Unlock()
	if err := p.stop(ctx, timeout); err != nil {
		return err
	}
	return p.start(ctx)
}

// Heal implements runtime.Port: a process is never in a state that Start cannot leave.
func (p *Process) Heal(context.Context) (string, error) {
	if err := p.program(); err != nil {
		return "", fmt.Errorf("%w: %w", runtime.ErrMissing, err)
	}
	return "", runtime.ErrHealthy
}

// Close implements runtime.Port.
func (p *Process) Close(ctx context.Context, timeout time.Duration) error {
	return p.Stop(ctx, timeout)
}
