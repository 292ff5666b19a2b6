package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/wakeup"
)

// The measured load generator and the sink have a core each.
const (
	senderCore = 0
	sinkCore   = 1
)

const (
	pollInterval = 20 * time.Millisecond
	// processTimeout is how long a process may take to start, and to end after SIGTERM.
	processTimeout = 20 * time.Second
)

// command is a program to start. A nil env inherits that of the benchmark.
type command struct {
	path  string
	args  []string
	env   []string
	stdin string
}

// process is a child process on one core.
type process struct {
	cmd    *exec.Cmd
	output syncBuffer
	ended  chan struct{}
	err    error // once ended
}

// start starts c on a core; it gets SIGTERM when ctx is done.
func start(ctx context.Context, core int, c command) (*process, error) {
	cmd := exec.CommandContext(ctx, "taskset", append([]string{"-c", strconv.Itoa(core), c.path}, c.args...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = processTimeout
	// A group of its own: Ctrl-C reaches it only through ctx.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Env, cmd.Stdin = c.env, strings.NewReader(c.stdin)
	p := &process{cmd: cmd, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &p.output, &p.output
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.path, err)
	}
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// runSender runs c on the core of the sender, calls during meanwhile, and returns the output of c.
func runSender(ctx context.Context, c command, during func(*process) error) (output string, err error) {
	ctx, cancel := context.WithCancel(ctx)
	p, err := start(ctx, senderCore, c)
	if err != nil {
		cancel()
		return "", err
	}
	defer func() { cancel(); <-p.ended }()
	if err := during(p); err != nil {
		return "", err
	}
	err = p.wait()
	return p.output.String(), err
}

// pid is that of the program itself: taskset executes it in its own process.
func (p *process) pid() int { return p.cmd.Process.Pid }

// wait waits for the end of the process. An error contains the end of its output.
func (p *process) wait() error {
	<-p.ended
	if p.err != nil {
		output := strings.TrimSpace(p.output.String())
		return fmt.Errorf("run %s: %w; its output: %s", p.cmd.Args[3], p.err, output[max(0, len(output)-1000):])
	}
	return nil
}

// waitForOutput waits until the output matches the pattern and returns its first group.
func (p *process) waitForOutput(ctx context.Context, pattern *regexp.Regexp) (found string, err error) {
	err = p.waitUntil(ctx, func() (bool, error) {
		match := pattern.FindStringSubmatch(p.output.String())
		if match != nil {
			found = match[1]
		}
		return match != nil, nil
	})
	return found, err
}

// waitUntil polls a condition. It fails if the process ends first, or after processTimeout.
func (p *process) waitUntil(ctx context.Context, condition func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, processTimeout)
	defer cancel()
	for {
		if done, err := condition(); done || err != nil {
			return err
		}
		select {
		case <-p.ended:
			if err := p.wait(); err != nil {
				return err
			}
			return fmt.Errorf("%s ended too soon; its output: %s", p.cmd.Args[3], p.output.String())
		default:
		}
		if !wakeup.Sleep(ctx, pollInterval) {
			return fmt.Errorf("wait for %s: %w; its output: %s", p.cmd.Args[3], ctx.Err(), p.output.String())
		}
	}
}

// syncBuffer is the output of a process, readable while it runs.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (o *syncBuffer) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *syncBuffer) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}
