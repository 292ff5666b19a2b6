// Command demo shows the whole product on one machine: it starts bin/controller with bin/loadgen's sink as the target,
// has a run started, tells how it goes, and in the end holds what the ledgers say against what the sink has counted. It
// knows both programs by what they offer everybody, the API and the commands.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
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
