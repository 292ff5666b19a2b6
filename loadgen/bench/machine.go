package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/afero"
)

// ticks is what /proc counts in, per second: USER_HZ, 100 on every Linux of today.
const ticks = 100

// usage is the time of a core, in ticks since boot.
type usage struct{ busy, total float64 }

// coreUsage reads a core's line of /proc/stat, as proc_stat(5) describes it: user, nice, system, idle, iowait, irq,
// softirq, steal.
func coreUsage(fsys afero.Fs, core int) (u usage, err error) {
	data, err := afero.ReadFile(fsys, "/proc/stat")
	if err != nil {
		return u, fmt.Errorf("read use of cores: %w", err)
	}
	name := "cpu" + strconv.Itoa(core)
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) < 9 || fields[0] != name {
			continue
		}
		for i, field := range fields[1:9] {
			n, err := strconv.ParseFloat(field, 64)
			if err != nil {
				return u, fmt.Errorf("read use of core %d: %w", core, err)
			}
			if u.total += n; i != 3 && i != 4 {
				u.busy += n
			}
		}
		return u, nil
	}
	return u, fmt.Errorf("read use of cores: there is no core %d", core)
}

// since is the share of the time since before in which the core was busy.
func (u usage) since(before usage) float64 {
	return ratio(u.busy-before.busy, u.total-before.total)
}

// cpuSeconds is what a process has used: fields 14 and 15 of /proc/PID/stat, of which the second may hold spaces.
func cpuSeconds(fsys afero.Fs, pid int) (float64, error) {
	data, err := afero.ReadFile(fsys, fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("read use of process: %w", err)
	}
	fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("read use of process: %q is too short", data)
	}
	user, err1 := strconv.ParseFloat(fields[11], 64)
	system, err2 := strconv.ParseFloat(fields[12], 64)
	if err1 != nil || err2 != nil {
		return 0, fmt.Errorf("read use of process: %q", data)
	}
	return (user + system) / ticks, nil
}

// residentMB is the RSS of a process in 10⁶ bytes.
func residentMB(fsys afero.Fs, pid int) (float64, error) {
	data, err := afero.ReadFile(fsys, fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("read memory of process: %w", err)
	}
	kb, err := strconv.ParseFloat(firstGroup(`VmRSS:\s+(\d+) kB`, string(data)), 64)
	if err != nil {
		return 0, fmt.Errorf("read memory of process: %w", err)
	}
	return kb * 1024 / 1e6, nil
}

// describeMachine say when and where this was measured, and what.
func (b *bench) describeMachine(ctx context.Context) (string, error) {
	version, err := exec.CommandContext(ctx, b.loadgen, "version").Output()
	if err != nil {
		return "", fmt.Errorf("ask for the loadgen's version: %w", err)
	}
	read := func(path string) string { // a machine without it is described without it
		data, _ := afero.ReadFile(b.fs, path)
		return strings.TrimSpace(string(data))
	}
	model := firstGroup(`model name\s*:\s*(.+)`, read("/proc/cpuinfo"))
	load, _, _ := strings.Cut(read("/proc/loadavg"), " ")
	return fmt.Sprintf("%s, loadgen %s; %s, %d cores, Linux %s, %s; load average before %s\n",
		time.Now().UTC().Format("2006-01-02 15:04 UTC"), strings.TrimSpace(string(version)), model, runtime.NumCPU(),
		read("/proc/sys/kernel/osrelease"), runtime.Version(), load), nil
}

// firstGroup is the first group of the first match, or nothing.
func firstGroup(pattern, text string) string {
	if match := regexp.MustCompile(pattern).FindStringSubmatch(text); match != nil {
		return match[1]
	}
	return ""
}
