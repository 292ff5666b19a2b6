package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// micro runs the Go benchmarks of what a hit passes through.
func (b *bench) micro(ctx context.Context) (string, error) {
	args := []string{"test", "-run", "^$", "-bench", ".", "-benchmem"}
	for _, p := range []string{"visit", "engine", "tracking", "ledger"} {
		args = append(args, "./loadgen/internal/"+p)
	}
	said, err := exec.CommandContext(ctx, "go", args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("run go test: %w; it said: %s", err, said)
	}
	var lines []string
	for line := range strings.Lines(string(said)) {
		if strings.HasPrefix(line, "Benchmark") {
			lines = append(lines, line)
		}
	}
	return "```\n" + strings.Join(lines, "") + "```\n", nil
}
