// Command demo shows the whole product on one machine: it starts bin/controller with bin/loadgen's sink as the target,
// has a run started, tells how it goes, and in the end holds what the ledgers say against what the sink has counted. It
// knows both programs by what they offer everybody, the API and the commands.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	equal, err := demo(ctx, os.Getenv("DEMO_SECONDS"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
	}
	if !equal {
		stop()
		os.Exit(1)
	}
}

// maxSeconds is a day.
const maxSeconds = 86400

// demo runs until ctx is done or, where seconds are given, until its run has ended by itself.
func demo(ctx context.Context, seconds string) (equal bool, err error) {
	length := 0.0
	if seconds != "" {
		if length, err = strconv.ParseFloat(seconds, 64); err != nil || !(length > 0 && length <= maxSeconds) {
			return false, fmt.Errorf("DEMO_SECONDS=%q: is not a number of seconds above 0 and up to %d", seconds,
				maxSeconds)
		}
	}
	dir, err := os.MkdirTemp("", "trafficinator-demo-")
	if err != nil {
		return false, fmt.Errorf("make folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	sink, err := begin("bin/loadgen", nil, `sink listens on (http://\S+)`, "sink", "--addr", "127.0.0.1:0", "--quiet",
		"--token", token)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, sink.end()) }()
	controller, err := begin("bin/controller", []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "LISTEN_ADDR=" + address(),
		"DATA_DIR=" + filepath.Join(dir, "data"),
		"RUNTIME=process", "LOADGEN_BIN=bin/loadgen", "PRESETS_DIR=presets", "LOG_LEVEL=WARNING",
	}, `listens at (http://\S+)`, "serve")
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, controller.end()) }()
	key, err := os.ReadFile(filepath.Join(dir, "data", "controller", "api-key"))
	if err != nil {
		return false, fmt.Errorf("read the key: %w", err)
	}
	c := client{base: controller.found, key: string(key), sink: sink.found}
	if err := c.start(ctx, length); err != nil {
		return false, err
	}
	if err := c.greet(ctx, os.Stdout, length); err != nil {
		return false, err
	}
	info, err := os.Stdout.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	if err := c.watch(ctx, os.Stdout, terminal, length > 0); err != nil {
		return false, err
	}
	// Whoever ends the demo still gets the account.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
	defer cancel()
	equal, run, err := c.account(last, os.Stdout)
	if err != nil || run == "" {
		return equal, err
	}
	return equal, c.reconcile(last, os.Stdout, run)
}

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
