package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A lookup that fails for another reason than an unreachable database must not pass as a machine without network.
func TestAuditFailsIfTheLookupFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		script string // of govulncheck
		passes bool
		says   string
	}{
		"none found": {"exit 0", true, "loadgen: no known vulnerability"},
		"found": {"echo 'Vulnerability #1: GO-2099-0001'; exit 3", false,
			"loadgen: known vulnerabilities: GO-2099-0001"},
		"no compile": {"echo 'govulncheck: loading packages:'; echo 'x.go:2:1: undefined: y'; exit 1", false,
			"undefined: y\nloadgen: the check failed"},
		"no such tool": {"echo 'go: unknown revision v9'; exit 1", false,
			"unknown revision v9\nloadgen: the check failed"},
		"no database": {"echo 'govulncheck: fetching vulnerabilities: Get: no such host'; exit 1", true,
			"loadgen: not checked: govulncheck: fetching"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for file, script := range map[string]string{"govulncheck": c.script, "npm": "exit 0"} {
				//nolint:gosec // it is run
				if err := os.WriteFile(filepath.Join(dir, file), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.CommandContext(t.Context(), "../.ci/audit")
			cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "GOVULNCHECK=govulncheck")
			said, err := cmd.CombinedOutput()
			if (err == nil) != c.passes || !strings.Contains(string(said), c.says) {
				t.Errorf("%v\n%s", err, said)
			}
		})
	}
}
