package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// child is one process of a loadgen.
type child struct {
	cmd       *exec.Cmd
	telemetry string // base URL, empty if off
	started   time.Time
	// done is closed when it has exited; then ended and exitCode are valid.
	done     chan struct{}
	ended    time.Time
	exitCode int
}

// inherited are the variables that a child gets from the controller, so that it reaches the network in the same way.
// Settings come by file. The controller's API key must never be passed.
var inherited = []string{
	"PATH", "HOME", "TZ", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
	"SSL_CERT_FILE", "SSL_CERT_DIR",
}

// Environment returns the part of the controller's environment that a child gets, as KEY=value.
func Environment(environ map[string]string) []string {
	var out []string
	for key, v := range environ {
		if slices.Contains(inherited, key) {
			out = append(out, key+"="+v)
		}
	}
	slices.SortFunc(out, strings.Compare)
	return out
}

// startChild starts a process that listens on addr. It outlives the request that started it; Stop or Close end it. It
// keeps files open until it exits; prefix marks its lines in the log file.
func (l *loadgen) startChild(addr, prefix string, env []string, files ...*os.File) error {
	if err := l.p.checkProgram(); err != nil {
		return err
	}
	c := &child{started: time.Now().UTC(), done: make(chan struct{})}
	if addr != "off" {
		c.telemetry = "http://" + addr
	}
	c.cmd = l.p.command(context.Background(), append(env, "AUTO_START=false", "TELEMETRY_ADDR="+addr), "run")
	out := &lineWriter{file: l.p.c.Log, buffer: l.log, prefix: prefix}
	c.cmd.Stdout, c.cmd.Stderr = out, out
	c.cmd.ExtraFiles = files
	if err := c.cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", l.p.c.Bin, err)
	}
	go c.wait(out)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = c
	return nil
}

// command returns a command of the loadgen, which is killed when ctx is done.
func (p *Process) command(ctx context.Context, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.c.Bin, args...)
	cmd.Env = slices.Concat(p.c.Env, env)
	cmd.SysProcAttr = sysProcAttr()
	cmd.WaitDelay = time.Second
	return cmd
}

// wait returns when the child has exited; stop waits for it.
func (c *child) wait(out *lineWriter) {
	err := c.cmd.Wait()
	out.flush()
	c.ended, c.exitCode = time.Now().UTC(), c.cmd.ProcessState.ExitCode()
	if ws, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		c.exitCode = 128 + int(ws.Signal())
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		out.warn("the end of the log may be missing", err)
	}
	close(c.done)
	out.buffer.end()
}

// running reports whether the child runs; nil does not.
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

// stop requests the child to drain and kills it after timeout.
func (c *child) stop(ctx context.Context, timeout time.Duration) error {
	if !c.running() {
		return nil
	}
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil && c.running() {
		return fmt.Errorf("stop the loadgen: %w", err)
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
	}
	if err := c.cmd.Process.Kill(); err != nil && c.running() {
		return fmt.Errorf("kill the loadgen: %w", err)
	}
	<-c.done
	return nil
}
