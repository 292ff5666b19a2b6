package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/shared/exchange"
)

// job is what is known of one job; it is forgotten with the controller, and the job ends with it.
type job struct {
	changing sync.Mutex // held while a life begins
	journal  *launcher.Journal
	child    *child // the last life, nil before the first; guarded by Process.mu
}

// keptOfJob is how many lines of a job's log can be asked for.
const keptOfJob = 2_000

// JobName implements launcher.JobRuntime.
func (p *Process) JobName(id string) string { return filepath.Base(p.c.Bin) + "-backfill-" + id }

// JobsDetached implements launcher.JobRuntime.
func (p *Process) JobsDetached() bool { return false }

// known is a job with its last life; nil for one that was never started here.
func (p *Process) known(id string) (*job, *child) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if j := p.jobs[id]; j != nil {
		return j, j.child
	}
	return nil, nil
}

// Job implements launcher.JobRuntime.
func (p *Process) Job(_ context.Context, id string) launcher.Status {
	s := launcher.Status{State: launcher.Missing, Name: p.JobName(id), Image: p.c.Bin}
	if _, c := p.known(id); c != nil {
		c.tell(&s)
	}
	return s
}

// StartJob implements launcher.JobRuntime.
func (p *Process) StartJob(ctx context.Context, id string) error {
	p.mu.Lock()
	j := p.jobs[id]
	if j == nil {
		j = &job{journal: launcher.NewJournal(keptOfJob)}
		p.jobs[id] = j
	}
	p.mu.Unlock()
	j.changing.Lock()
	defer j.changing.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, c := p.known(id); c.running() {
		return nil
	}
	folder := filepath.Join(p.c.Exchange, exchange.JobFolder(id))
	lock, err := p.lock(folder)
	if err != nil {
		return err
	}
	defer lock.Close() //nolint:errcheck // nothing was written through it
	c, err := p.begin(j.journal, "["+id+"] ", []*os.File{lock}, "AUTO_START=false", "TELEMETRY_ADDR=off",
		"STATE_DIR="+filepath.Join(p.c.State, exchange.JobFolder(id)),
		"EXCHANGE_DIR="+folder, "LOADGEN_ENV_FILE="+filepath.Join(folder, exchange.EnvFile))
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	j.child = c
	return nil
}

// lock locks the folder of a job. The child inherits the lock and holds it to its end, so that a job whose controller
// was killed, and which still drains, is not started a second time beside itself.
func (p *Process) lock(folder string) (*os.File, error) {
	dir, err := p.fs.Open(folder)
	if err != nil {
		return nil, fmt.Errorf("open the job's folder: %w", err)
	}
	f, real := dir.(*os.File)
	if !real {
		return nil, fmt.Errorf("open the job's folder: no child can see %s", folder)
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
	_, c := p.known(id)
	return c.end(ctx, timeout)
}

// RemoveJob implements launcher.JobRuntime.
func (p *Process) RemoveJob(_ context.Context, id string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if j := p.jobs[id]; j != nil && j.child.running() {
		return fmt.Errorf("%w: %s still runs; stop it first", launcher.ErrInvalidState, p.JobName(id))
	}
	delete(p.jobs, id)
	return nil
}

// JobLogs implements launcher.JobRuntime.
func (p *Process) JobLogs(ctx context.Context, id string, q launcher.LogQuery, each func(launcher.Line) error) error {
	j, c := p.known(id)
	if j == nil {
		return nil
	}
	return read(ctx, c, j.journal, q, each)
}
