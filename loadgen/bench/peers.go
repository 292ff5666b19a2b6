package main

import (
	"context"
	"debug/buildinfo"
	"embed"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/afero"
)

//go:embed scripts
var scripts embed.FS

// writeScripts writes the peers' scripts and the fixed hit into the folder.
func (b *bench) writeScripts() error {
	files, err := scripts.ReadDir("scripts")
	if err != nil {
		return fmt.Errorf("list scripts: %w", err)
	}
	for _, f := range files {
		data, err := scripts.ReadFile("scripts/" + f.Name())
		if err != nil {
			return fmt.Errorf("read script: %w", err)
		}
		if err := afero.WriteFile(b.fs, b.file(f.Name()), data, 0o600); err != nil {
			return fmt.Errorf("write script: %w", err)
		}
	}
	return nil
}

func (b *bench) file(name string) string { return filepath.Join(b.folder, name) }

const (
	form  = "application/x-www-form-urlencoded"
	fixed = "one fixed hit"
)

// peer is another load generator.
type peer struct {
	tool
	program string // on PATH
	args    func(job) []string
	stdin   func(job) string // nil for none
	own     string           // pattern of its own count in its output
}

func (b *bench) knownPeers() []peer {
	body, conns := b.file("body.txt"), strconv.Itoa(connections)
	wrk := func(script string) func(job) []string {
		return func(j job) []string {
			return []string{"-t", "1", "-c", conns, "-d", j.seconds(), "-s", b.file(script), j.url, "--", body}
		}
	}
	limited := func(j job, flag string, args ...string) []string {
		if j.rate > 0 {
			args = append([]string{flag, strconv.Itoa(j.rate)}, args...)
		}
		return args
	}
	return []peer{
		{program: "wrk", tool: tool{name: "wrk", sends: fixed}, args: wrk("fixed.lua"), own: `(\d+) requests in`},
		{
			program: "wrk",
			tool:    tool{name: "wrk, Lua", sends: "unique hits"},
			args:    wrk("unique.lua"),
			own:     `(\d+) requests in`,
		},
		{
			program: "fortio",
			tool:    tool{name: "fortio", sends: fixed, paces: true, warmup: connections},
			own:     `Code 200 : (\d+)`,
			args: func(j job) []string {
				sized := strings.Replace(j.url, "/matomo.php", "/200", 1) // after a 204 it reconnects
				return []string{
					"load",
					"-loglevel",
					"Error",
					"-uniform",
					"-nocatchup",
					"-qps",
					strconv.Itoa(j.rate),
					"-c",
					conns,
					"-t",
					j.seconds(),
					"-payload-file",
					body,
					"-content-type",
					form,
					sized,
				}
			},
		},
		{
			program: "bombardier",
			tool:    tool{name: "bombardier", sends: fixed},
			own:     `"req2xx":(\d+)`,
			args: func(j job) []string {
				return []string{"-p", "r", "-o", "json", "-c", conns, "-d", j.seconds(), "-m", "POST", "-f", body, "-H",
					"Content-Type: " + form, j.url}
			},
		},
		{
			program: "plow",
			tool:    tool{name: "plow", sends: fixed, paces: true},
			own:     `Count\s+(\d+)`,
			args: func(j job) []string {
				return limited(j, "--rate", "--listen=", "--interval=0s", "-c", conns, "-d", j.seconds(), "-m", "POST",
					"--body", "@"+body, "-T", form, j.url)
			},
		},
		{
			program: "vegeta",
			tool:    tool{name: "vegeta", sends: fixed, paces: true},
			own:     `Requests\s+\[total.*\]\s+(\d+)`,
			args: func(j job) []string {
				args := []string{"attack", "-duration", j.seconds(), "-body", body, "-header", "Content-Type: " + form,
					"-output", b.file("vegeta.bin"), "-rate", strconv.Itoa(j.rate)}
				if j.rate > 0 {
					return args
				}
				return append(args, "-workers", conns, "-max-workers", conns)
			},
			stdin: func(j job) string { return "POST " + j.url },
		},
		{
			program: "hey",
			tool:    tool{name: "hey", sends: fixed},
			own:     `\[204\]\s+(\d+) responses`,
			args: func(j job) []string {
				return []string{"-z", j.seconds(), "-c", conns, "-m", "POST", "-D", body, "-T", form, j.url}
			},
		},
		{
			program: "k6",
			tool:    tool{name: "k6", sends: fixed, paces: true},
			own:     `http_reqs\.*: (\d+)`,
			args: func(j job) []string {
				return []string{
					"run", "--quiet", "--no-usage-report", "--no-color", "-e", "URL=" + j.url, "-e", "BODY=" + body,
					"-e", "RATE=" + strconv.Itoa(j.rate), "-e", "LENGTH=" + j.seconds(), b.file("k6.js"),
				}
			},
		},
	}
}

// peers returns the installed ones.
func (b *bench) peers(ctx context.Context) []tool {
	var found []tool
	for _, p := range b.knownPeers() {
		path, err := exec.LookPath(p.program)
		if err != nil {
			continue
		}
		p.version = version(ctx, path)
		p.command = func(j job) command {
			c := command{path: path, args: p.args(j)}
			if p.stdin != nil {
				c.stdin = p.stdin(j)
			}
			return c
		}
		p.ownCount = func(ctx context.Context, output string) (uint64, error) {
			if p.program == "vegeta" { // its results are in a binary file
				report, err := exec.CommandContext(ctx, path, "report", b.file("vegeta.bin")).Output()
				if err != nil {
					return 0, fmt.Errorf("read results: %w", err)
				}
				output = string(report)
			}
			n, err := strconv.ParseUint(firstGroup(p.own, output), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("no count in %q", output)
			}
			return n, nil
		}
		found = append(found, p.tool)
	}
	return found
}

// version returns the version of a Go program's main module, or else that printed by -v.
func version(ctx context.Context, path string) string {
	if info, err := buildinfo.ReadFile(path); err == nil {
		return info.Main.Version
	}
	output, _ := exec.CommandContext(ctx, path, "-v").CombinedOutput() // wrk prints it and fails
	return firstGroup(`(\d+\.\d+[\w.+-]*)`, string(output))
}
