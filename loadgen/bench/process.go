package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/procfs"
	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/sink/fast"
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

type sinkProcess struct {
	process *process
	cancel  context.CancelFunc
	base    string // URL
}

// startSink starts a sink on its core; the caller stops it.
func (b *bench) startSink(ctx context.Context, flags ...string) (*sinkProcess, error) {
	ctx, cancel := context.WithCancel(ctx)
	p, err := start(ctx, sinkCore,
		command{path: b.loadgen, args: append([]string{"sink", "--fast", "--addr", "127.0.0.1:0"}, flags...)})
	if err != nil {
		cancel()
		return nil, err
	}
	s := &sinkProcess{process: p, cancel: cancel}
	if s.base, err = p.waitForOutput(ctx, regexp.MustCompile(`(http://\S+)/matomo\.php`)); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// stop ends the sink. Its exit code is ignored, because its counts are complete.
func (s *sinkProcess) stop() {
	s.cancel()
	<-s.process.ended
}

func (s *sinkProcess) url() string { return s.base + "/matomo.php" }

func (s *sinkProcess) stats(ctx context.Context) (stats fast.Stats, err error) {
	data, err := httpGet(ctx, s.base+"/stats")
	if err != nil {
		return stats, err
	}
	if err := json.Unmarshal(data, &stats); err != nil {
		return stats, fmt.Errorf("read counts of the sink: %w", err)
	}
	return stats, nil
}

// arrivals returns the times of requests since the last call, in nanoseconds since the start of the sink.
func (s *sinkProcess) arrivals(ctx context.Context) ([]int64, error) {
	data, err := httpGet(ctx, s.base+"/arrivals")
	if err != nil {
		return nil, err
	}
	times := make([]int64, len(data)/8)
	for i := range times {
		times[i] = int64(binary.LittleEndian.Uint64(data[8*i:]))
	}
	return times, nil
}

func httpGet(ctx context.Context, url string) (data []byte, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("get %s: %w", url, err)
		}
	}()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	if resp.StatusCode != http.StatusOK {
		return nil, errors.New(resp.Status)
	}
	return io.ReadAll(resp.Body)
}

// coreTime is the CPU time of a core since boot, in seconds.
type coreTime struct{ busy, total float64 }

func readCore(proc procfs.FS, core int64) (t coreTime, err error) {
	stat, err := proc.Stat()
	if err != nil {
		return t, fmt.Errorf("read CPU time: %w", err)
	}
	c, ok := stat.CPU[core]
	if !ok {
		return t, fmt.Errorf("read CPU time: no core %d", core)
	}
	t.busy = c.User + c.Nice + c.System + c.IRQ + c.SoftIRQ + c.Steal
	t.total = t.busy + c.Idle + c.Iowait
	return t, nil
}

// busySince returns the share of the time since before in which the core was busy.
func (t coreTime) busySince(before coreTime) float64 {
	return ratio(t.busy-before.busy, t.total-before.total)
}

// readProcess returns the CPU time of a process in seconds and its resident memory in bytes.
func readProcess(proc procfs.FS, pid int) (cpu float64, rss int, err error) {
	p, err := proc.Proc(pid)
	if err != nil {
		return 0, 0, fmt.Errorf("read process: %w", err)
	}
	stat, err := p.Stat()
	if err != nil {
		return 0, 0, fmt.Errorf("read process: %w", err)
	}
	return stat.CPUTime(), stat.ResidentMemory(), nil
}

func (b *bench) describeMachine(ctx context.Context) (string, error) {
	version, err := exec.CommandContext(ctx, b.loadgen, "version").Output()
	if err != nil {
		return "", fmt.Errorf("run loadgen version: %w", err)
	}
	read := func(path string) string { // "" if missing
		data, _ := afero.ReadFile(b.fs, path)
		return strings.TrimSpace(string(data))
	}
	model := firstGroup(`model name\s*:\s*(.+)`, read("/proc/cpuinfo"))
	load, _, _ := strings.Cut(read("/proc/loadavg"), " ")
	return fmt.Sprintf("%s, loadgen %s; %s, %d cores, Linux %s, %s; load average before %s\n",
		time.Now().UTC().Format("2006-01-02 15:04 UTC"), strings.TrimSpace(string(version)), model, runtime.NumCPU(),
		read("/proc/sys/kernel/osrelease"), runtime.Version(), load), nil
}

func firstGroup(pattern, text string) string {
	if match := regexp.MustCompile(pattern).FindStringSubmatch(text); match != nil {
		return match[1]
	}
	return ""
}
