package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/prometheus/procfs"
	"github.com/spf13/afero"
)

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

// describeMachine returns the time, the measured version and the machine.
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

// firstGroup returns the first group of the first match, or "".
func firstGroup(pattern, text string) string {
	if match := regexp.MustCompile(pattern).FindStringSubmatch(text); match != nil {
		return match[1]
	}
	return ""
}
