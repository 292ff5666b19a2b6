package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/shared/exchange"
)

// loadgen is the main loadgen or that of a job, across its restarts.
type loadgen struct {
	p    *Process
	name string
	job  string // its ID, "" for the main loadgen
	log  *logBuffer

	changing sync.Mutex // held while it is started or stopped

	mu   sync.Mutex // guards last
	last *child     // the last process, nil before the first start
}

// child returns the last process, nil before the first start.
func (l *loadgen) child() *child {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

// Status implements launcher.Loadgen.
func (l *loadgen) Status(context.Context) launcher.Status {
	s := launcher.Status{State: launcher.Missing, Name: l.name, Image: l.p.c.Bin}
	c := l.child()
	if c != nil {
		s.ID, s.Started, s.Created = strconv.Itoa(c.cmd.Process.Pid), c.started, c.started
	}
	switch {
	case c.running():
		s.State, s.Telemetry = launcher.Running, c.telemetry
		return s
	case c != nil:
		s.State, s.ExitCode, s.Ended = launcher.Exited, c.exitCode, c.ended
	case l.job == "":
		s.State = launcher.Created
	}
	if l.job == "" {
		if err := l.p.checkProgram(); err != nil {
			s.State, s.Reason = launcher.Missing, err.Error()
		}
	}
	return s
}

// Start implements launcher.Loadgen.
func (l *loadgen) Start(ctx context.Context) error {
	l.changing.Lock()
	defer l.changing.Unlock()
	if l.child().running() {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if l.job == "" {
		addr, err := freePort(ctx)
		if err != nil {
			return err
		}
		return l.startChild(addr, "", launcher.Environ(l.p.c.Exchange, l.p.c.State))
	}
	folder := exchange.JobFolder(l.job)
	lock, err := l.p.lock(filepath.Join(l.p.c.Exchange, folder))
	if err != nil {
		return err
	}
	defer lock.Close() //nolint:errcheck // nothing was written through it
	return l.startChild("off", "["+l.job+"] ",
		launcher.Environ(filepath.Join(l.p.c.Exchange, folder), filepath.Join(l.p.c.State, folder)), lock)
}

// freePort returns a local address that no program listens on. If another program takes it before the child does, the
// child reports that and exits.
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

// lock locks a job's folder. The child inherits the lock and keeps it until it exits, so that a job that still drains
// after its controller was killed is not started twice.
func (p *Process) lock(folder string) (*os.File, error) {
	dir, err := p.fs.Open(folder)
	if err != nil {
		return nil, fmt.Errorf("open the job's folder: %w", err)
	}
	f, ok := dir.(*os.File)
	if !ok {
		return nil, fmt.Errorf("open the job's folder: %s is not on disk", folder)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = launcher.ErrStillRunning
		}
		return nil, errors.Join(fmt.Errorf("lock the job's folder: %w", err), f.Close())
	}
	return f, nil
}

// Stop implements launcher.Loadgen.
func (l *loadgen) Stop(ctx context.Context, timeout time.Duration) error {
	l.changing.Lock()
	defer l.changing.Unlock()
	return l.child().stop(ctx, timeout)
}

// Logs implements launcher.LogReader.
func (l *loadgen) Logs(ctx context.Context, q launcher.LogQuery, each func(launcher.Line) error) error {
	return q.Read(func(q launcher.LogQuery, each func(launcher.Line) error) error {
		return l.log.read(ctx, l.child(), q, each)
	}, each)
}
