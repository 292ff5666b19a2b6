package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/shared/exchange"
)

// JobName implements launcher.JobRuntime.
func (p *Process) JobName(id string) string { return filepath.Base(p.c.Bin) + "-backfill-" + id }

// JobsDetached implements launcher.JobRuntime.
func (p *Process) JobsDetached() bool { return false }

// job returns a job's loadgen and its last process, both nil if it was never started by this controller.
func (p *Process) job(id string) (*loadgen, *child) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if j := p.jobs[id]; j != nil {
		return j, j.child()
	}
	return nil, nil
}

// Job implements launcher.JobRuntime.
func (p *Process) Job(_ context.Context, id string) launcher.Status {
	_, c := p.job(id)
	return c.status(launcher.Missing, p.JobName(id), p.c.Bin)
}

// StartJob implements launcher.JobRuntime.
func (p *Process) StartJob(ctx context.Context, id string) error {
	p.mu.Lock()
	j := p.jobs[id]
	if j == nil {
		j = &loadgen{log: newLogBuffer(maxJobLogLines)}
		p.jobs[id] = j
	}
	p.mu.Unlock()
	j.changing.Lock()
	defer j.changing.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if j.child().running() {
		return nil
	}
	folder := exchange.JobFolder(id)
	lock, err := p.lock(filepath.Join(p.c.Exchange, folder))
	if err != nil {
		return err
	}
	defer lock.Close() //nolint:errcheck // nothing was written through it
	return p.startChild(j, "off", "["+id+"] ",
		launcher.Environ(filepath.Join(p.c.Exchange, folder), filepath.Join(p.c.State, folder)), lock)
}

// lock locks a job's folder. The child inherits the lock and holds it until it exits, so that a job that still drains
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

// StopJob implements launcher.JobRuntime.
func (p *Process) StopJob(ctx context.Context, id string, timeout time.Duration) error {
	_, c := p.job(id)
	return c.stop(ctx, timeout)
}

// RemoveJob implements launcher.JobRuntime.
func (p *Process) RemoveJob(_ context.Context, id string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if j := p.jobs[id]; j != nil && j.child().running() {
		return fmt.Errorf("%w: %s is still running; stop it first", launcher.ErrInvalidState, p.JobName(id))
	}
	delete(p.jobs, id)
	return nil
}

// JobLogs implements launcher.JobRuntime.
func (p *Process) JobLogs(ctx context.Context, id string, q launcher.LogQuery, each func(launcher.Line) error) error {
	j, c := p.job(id)
	if j == nil {
		return nil
	}
	return j.log.read(ctx, c, q, each)
}
