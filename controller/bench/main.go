// Command bench asks much of a controller for a minute, as 200 clients and 50 readers of the stream would, while the
// loadgen's container is stopped and started, and tells how long answers took and what became of the memory. It ends
// with exit code 1 where 99 of 100 answers take longer than 250 ms, one fails, or memory grows by more than a fifth.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	clients = 200
	readers = 50
	length  = time.Minute
	// pause is that of a client between two requests. All of them together ask ten times what one key may ask for
	// (RATE_LIMIT_PER_MINUTE).
	pause = time.Second
	// most is how long 99 of 100 answers may take, growth how much of its memory the controller may gain.
	most   = 250 * time.Millisecond
	growth = 1.2

	image = "trafficinator-loadgen:local"
	key   = "the-key-of-this-benchmark"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	good, err := bench(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
	if !good {
		stop()
		os.Exit(1)
	}
}

func bench(ctx context.Context) (good bool, err error) {
	dir, err := os.MkdirTemp("", "trafficinator-bench-")
	if err != nil {
		return false, fmt.Errorf("make folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	name := fmt.Sprintf("trafficinator-bench-%d", os.Getpid())
	// Its answers come so late that a stop takes all the time that draining may.
	if _, err := docker("run", "--detach", "--name", name+"-sink", "--no-healthcheck", image, "sink", "--quiet",
		"--addr", ":8080", "--delay", "30s"); err != nil {
		return false, fmt.Errorf("%w; run make images first", err)
	}
	defer func() {
		_, gone := docker("rm", "--force", name, name+"-sink")
		err = errors.Join(err, gone)
	}()
	sink, err := docker("inspect", "--format", "{{.NetworkSettings.IPAddress}}", name+"-sink")
	if err != nil {
		return false, err
	}
	const address = "127.0.0.1:8790"
	controller := exec.Command("bin/controller", "serve")
	controller.Env = []string{
		"PATH=" + os.Getenv("PATH"), "LISTEN_ADDR=" + address, "DATA_DIR=" + filepath.Join(dir, "data"),
		"RUNTIME=docker", "DOCKER_HOST=" + os.Getenv("DOCKER_HOST"),
		"LOADGEN_IMAGE=" + image, "LOADGEN_CONTAINER=" + name, "COMPOSE_PROJECT_NAME=" + name, "PRESETS_DIR=presets",
		"CONTROL_UI_API_KEY=" + key,
		"RATE_LIMIT_PER_MINUTE=1000000", "LOG_LEVEL=ERROR",
	}
	controller.Stderr = os.Stderr
	if err := controller.Start(); err != nil {
		return false, fmt.Errorf("start the controller: %w; run make build first", err)
	}
	defer func() {
		err = errors.Join(err, controller.Process.Signal(syscall.SIGTERM), controller.Wait())
	}()
	c := newLoad("http://" + address)
	if err := c.prepare(ctx, "http://"+sink+":8080/matomo.php"); err != nil {
		return false, err
	}
	memory := func() float64 {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", controller.Process.Pid))
		if err != nil {
			return 0
		}
		_, rest, _ := strings.Cut(string(data), "VmRSS:")
		var kib float64
		_, _ = fmt.Sscan(rest, &kib) // 0 where the kernel does not tell
		return kib / 1024
	}
	c.run(ctx, memory)
	return c.report(os.Stdout), ctx.Err()
}

// docker runs the client that the Makefile chose, else the one in PATH.
func docker(args ...string) (string, error) {
	client := os.Getenv("DOCKER")
	if client == "" {
		client = "docker"
	}
	out, err := exec.Command(client, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("docker %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out)), nil
}
