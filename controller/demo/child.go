package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

// child is a program that runs beside the demo.
type child struct {
	cmd *exec.Cmd
	// found is what it said of itself.
	found   string
	reading sync.WaitGroup
}

// begin starts a program and waits for the line in which it tells what pattern catches.
func begin(bin string, env []string, pattern string, args ...string) (*child, error) {
	c := &child{cmd: exec.Command(bin, args...)}
	// A group of its own: Ctrl-C reaches it through the demo, once the account is made.
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.cmd.Env = env
	c.cmd.WaitDelay = time.Second
	output, into := io.Pipe()
	c.cmd.Stdout, c.cmd.Stderr = into, into
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w; run make build first", bin, err)
	}
	ended := make(chan struct{})
	c.reading.Go(func() {
		defer close(ended)
		_ = c.cmd.Wait() // end looks at how it ended
		_ = into.Close() // never fails
	})
	lines := bufio.NewScanner(output)
	var said []string
	for lines.Scan() {
		said = append(said, lines.Text())
		if m := regexp.MustCompile(pattern).FindStringSubmatch(lines.Text()); m != nil {
			c.found = m[1]
			c.reading.Go(func() { _, _ = io.Copy(io.Discard, output) }) // what it says further is in the API too
			return c, nil
		}
	}
	<-ended
	return nil, fmt.Errorf("%s ended at once: %s", bin, strings.Join(said, "\n"))
}

// end asks the program to end and waits for it. It has said all it had to by then.
func (c *child) end() error {
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("%s is gone: %w", c.cmd.Path, err)
	}
	c.reading.Wait()
	if code := c.cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("%s ended with exit code %d", c.cmd.Path, code)
	}
	return nil
}

// address is the controller's usual one, or a free one where that is taken.
func address() string {
	const usual = "127.0.0.1:8000"
	l, err := net.Listen("tcp", usual)
	if err != nil || l.Close() != nil {
		return "127.0.0.1:0"
	}
	return usual
}
