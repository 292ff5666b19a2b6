package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
)

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

// begin starts the program, which outlives the request that asks for it; who begins a child ends it. Its lines go into
// the journal and, with mark before them, into the log. It holds files open until it ends.
func (p *Process) begin(journal *launcher.Journal, mark string, files []*os.File, env ...string) (*child, error) {
	if err := p.program(); err != nil {
		return nil, fmt.Errorf("%w: %w", launcher.ErrMissing, err)
	}
	c := &child{started: time.Now().UTC(), done: make(chan struct{})}
	c.cmd = exec.Command(p.c.Bin, "run")
	c.cmd.Env = append(append([]string(nil), p.c.Env...), env...)
	out := &lines{log: p.c.Log, journal: journal, mark: mark}
	c.cmd.Stdout, c.cmd.Stderr = out, out
	c.cmd.ExtraFiles = files
	c.cmd.SysProcAttr = attributes()
	c.cmd.WaitDelay = time.Second
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", p.c.Bin, err)
	}
	go c.await(out)
	return c, nil
}

// await ends when the child has; end waits for it.
func (c *child) await(out *lines) {
	err := c.cmd.Wait()
	out.flush()
	c.ended, c.code = time.Now().UTC(), c.cmd.ProcessState.ExitCode()
	if ws, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		c.code = 128 + int(ws.Signal())
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		out.journal.Add(launcher.Line{Time: c.ended, Level: launcher.Warning,
			Text: "the end of the log may be missing: " + err.Error()})
	}
	close(c.done)
	out.journal.Wake()
}

// running reports whether the child lives.
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

// end asks the child to drain and kills it after timeout.
func (c *child) end(ctx context.Context, timeout time.Duration) error {
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

// tell fills in what there is to say of the child.
func (c *child) tell(s *launcher.Status) {
	s.ID, s.Started, s.Created = strconv.Itoa(c.cmd.Process.Pid), c.started, c.started
	if c.running() {
		s.State, s.Telemetry = launcher.Running, c.telemetry
		return
	}
	s.State, s.ExitCode, s.Ended = launcher.Exited, c.code, c.ended
}
