// Package process owns the loadgen as a child process: the whole product on a machine without containers. It knows
// the program by its path, signals, exit codes and log alone.
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
	"github.com/puttrix/trafficinator/shared/exchange"
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

// Process is a launcher.Runtime. Its zero value is of no use.
type Process struct {
	c       Config
	fs      afero.Fs
	journal *launcher.Journal

	changing sync.Mutex // held while the state is being changed

	mu    sync.Mutex // guards what follows
	child *child     // nil before the first start
	jobs  map[string]*job
}

var (
	_ launcher.Runtime    = (*Process)(nil)
	_ launcher.JobRuntime = (*Process)(nil)
)

// kept is how many lines of the log can be asked for.
const kept = 10_000

// New makes a port that starts nothing yet, and removes what a killed one has left.
func New(fsys afero.Fs, c Config) *Process {
	p := &Process{c: c, fs: fsys, journal: launcher.NewJournal(kept), jobs: map[string]*job{}}
	p.sweepPlans(time.Now())
	return p
}

// Name implements launcher.Runtime.
func (p *Process) Name() string { return "process" }

func (p *Process) current() *child {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.child
}

// Status implements launcher.Runtime.
func (p *Process) Status(context.Context) launcher.Status {
	s := launcher.Status{State: launcher.Created, Name: filepath.Base(p.c.Bin), Image: p.c.Bin}
	if c := p.current(); c != nil {
		if c.tell(&s); s.State == launcher.Running {
			return s
		}
	}
	if err := p.program(); err != nil {
		s.State, s.Reason = launcher.Missing, err.Error()
	}
	return s
}

// program reports why there is nothing to start.
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

// Start implements launcher.Runtime.
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
	addr, err := freePort(ctx)
	if err != nil {
		return err
	}
	c, err := p.begin(p.journal, "", nil, "AUTO_START=false", "TELEMETRY_ADDR="+addr, "STATE_DIR="+p.c.State,
		"EXCHANGE_DIR="+p.c.Exchange, "LOADGEN_ENV_FILE="+filepath.Join(p.c.Exchange, exchange.EnvFile))
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c.telemetry = "http://" + addr
	p.child = c
	return nil
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

// Stop implements launcher.Runtime.
func (p *Process) Stop(ctx context.Context, timeout time.Duration) error {
	p.changing.Lock()
	defer p.changing.Unlock()
	return p.current().end(ctx, timeout)
}

// Restart implements launcher.Runtime.
func (p *Process) Restart(ctx context.Context, timeout time.Duration) error {
	p.changing.Lock()
	defer p.changing.Unlock()
	if err := p.current().end(ctx, timeout); err != nil {
		return err
	}
	return p.start(ctx)
}

// Heal implements launcher.Runtime: a process is never in a state that Start cannot leave.
func (p *Process) Heal(context.Context) (string, error) {
	if err := p.program(); err != nil {
		return "", fmt.Errorf("%w: %w", launcher.ErrMissing, err)
	}
	return "", launcher.ErrNothingToHeal
}

// Close implements launcher.Runtime; jobs end with it, all at once.
func (p *Process) Close(ctx context.Context, timeout time.Duration) error {
	p.mu.Lock()
	living := []*child{p.child}
	for _, j := range p.jobs {
		living = append(living, j.child)
	}
	p.mu.Unlock()
	ends := make([]error, len(living))
	var ending sync.WaitGroup
	for i, c := range living {
		ending.Go(func() { ends[i] = c.end(ctx, timeout) })
	}
	ending.Wait()
	return errors.Join(ends...)
}
