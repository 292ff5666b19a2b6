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
	lookEvery = 20 * time.Millisecond
	// patience is how long a process may take to begin, and to end when asked.
	patience = 20 * time.Second
)

// command is a program to start. A nil env is ours.
type command struct {
	path  string
	args  []string
	env   []string
	stdin string
}

// child is a process of ours on one core.
type child struct {
	cmd   *exec.Cmd
	said  output
	ended chan struct{}
	err   error // once ended
}

// start starts c on a core; it gets SIGTERM when ctx is done.
func start(ctx context.Context, core int, c command) (*child, error) {
	cmd := exec.CommandContext(ctx, "taskset", append([]string{"-c", strconv.Itoa(core), c.path}, c.args...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = patience
	// A group of its own: Ctrl-C reaches it once, through us.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Env, cmd.Stdin = c.env, strings.NewReader(c.stdin)
	p := &child{cmd: cmd, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &p.said, &p.said
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
func (p *child) pid() int { return p.cmd.Process.Pid }

// wait returns when the process has ended; an error has its last words.
func (p *child) wait() error {
	<-p.ended
	if p.err != nil {
		said := strings.TrimSpace(p.said.String())
		return fmt.Errorf("run %s: %w; it said: %s", p.cmd.Args[3], p.err, said[max(0, len(said)-1000):])
	}
	return nil
}

// told waits until the process has written what the pattern's first group matches.
func (p *child) told(ctx context.Context, pattern *regexp.Regexp) (string, error) {
	var found string
	err := p.until(ctx, func() (bool, error) {
		match := pattern.FindStringSubmatch(p.said.String())
		if match != nil {
			found = match[1]
		}
		return match != nil, nil
	})
	return found, err
}

// until looks again and again until it is so, the process has ended or patience has.
func (p *child) until(ctx context.Context, so func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
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
			return fmt.Errorf("%s ended too soon; it said: %s", p.cmd.Args[3], p.said.String())
		default:
		}
		if err := pause(ctx, lookEvery); err != nil {
			return fmt.Errorf("wait for %s: %w; it said: %s", p.cmd.Args[3], err, p.said.String())
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// output keeps what a process writes, readable meanwhile.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}
