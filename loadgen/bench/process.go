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
)

// The sender under test and the sink have a core each.
const (
	senderCore = 0
	sinkCore   = 1
)

const (
	pollInterval = 20 * time.Millisecond
	// processTimeout is how long a process may take to begin, and to end when asked.
	processTimeout = 20 * time.Second
)

// command is a program to start. A nil env is ours.
type command struct {
	path  string
	args  []string
	env   []string
	stdin string
}

// process is a process of ours on one core.
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
	// A group of its own: Ctrl-C reaches it once, through us.
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

// pid is that of the program itself: taskset becomes it.
func (p *process) pid() int { return p.cmd.Process.Pid }

// wait returns when the process has ended; an error has its last words.
func (p *process) wait() error {
	<-p.ended
	if p.err != nil {
		said := strings.TrimSpace(p.output.String())
		return fmt.Errorf("run %s: %w; it said: %s", p.cmd.Args[3], p.err, said[max(0, len(said)-1000):])
	}
	return nil
}

// waitForOutput waits until the process has written what the pattern's first group matches.
func (p *process) waitForOutput(ctx context.Context, pattern *regexp.Regexp) (string, error) {
	var found string
	err := p.waitUntil(ctx, func() (bool, error) {
		match := pattern.FindStringSubmatch(p.output.String())
		if match != nil {
			found = match[1]
		}
		return match != nil, nil
	})
	return found, err
}

// waitUntil looks again and again until it is so, the process has ended or patience has.
func (p *process) waitUntil(ctx context.Context, so func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, processTimeout)
	defer cancel()
	for {
		if done, err := so(); done || err != nil {
			return err
		}
		select {
		case <-p.ended:
			if err := p.wait(); err != nil {
				return err
			}
			return fmt.Errorf("%s ended too soon; it said: %s", p.cmd.Args[3], p.output.String())
		default:
		}
		if err := sleep(ctx, pollInterval); err != nil {
			return fmt.Errorf("wait for %s: %w; it said: %s", p.cmd.Args[3], err, p.output.String())
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// syncBuffer keeps what a process writes, readable meanwhile.
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
