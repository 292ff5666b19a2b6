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

const fixed = "one fixed hit"

// peer is another load generator. Its arguments and input contain placeholders, which command replaces.
type peer struct {
	tool
	program           string // on PATH
	args, stdin       string
	atRate, unlimited string // more arguments if the job has a rate, or none
	own               string // pattern of its own count in its output
}

var knownPeers = []peer{
	{tool: tool{name: "wrk", sends: fixed}, program: "wrk", own: `(\d+) requests in`,
		args: "-t 1 -c {conns} -d {time} -s {folder}/fixed.lua {url} -- {body}"},
	{tool: tool{name: "wrk, Lua", sends: "unique hits"}, program: "wrk", own: `(\d+) requests in`,
		args: "-t 1 -c {conns} -d {time} -s {folder}/unique.lua {url} -- {body}"},
	{tool: tool{name: "fortio", sends: fixed, paces: true, warmup: connections}, program: "fortio",
		own: `Code 200 : (\d+)`,
		args: "load -loglevel Error -uniform -nocatchup -qps {rate} -c {conns} -t {time} -payload-file {body} " +
			"-content-type {form} {sized}"},
	{tool: tool{name: "bombardier", sends: fixed}, program: "bombardier", own: `"req2xx":(\d+)`,
		args: "-p r -o json -c {conns} -d {time} -m POST -f {body} -H Content-Type:{form} {url}"},
	{tool: tool{name: "plow", sends: fixed, paces: true}, program: "plow", own: `Count\s+(\d+)`,
		args:   "--listen= --interval=0s -c {conns} -d {time} -m POST --body @{body} -T {form} {url}",
		atRate: "--rate {rate}"},
	{tool: tool{name: "vegeta", sends: fixed, paces: true}, program: "vegeta", own: `Requests\s+\[total.*\]\s+(\d+)`,
		args: "attack -duration {time} -body {body} -header Content-Type:{form} -output {folder}/vegeta.bin " +
			"-rate {rate}",
		unlimited: "-workers {conns} -max-workers {conns}", stdin: "POST {url}"},
	{tool: tool{name: "hey", sends: fixed}, program: "hey", own: `\[204\]\s+(\d+) responses`,
		args: "-z {time} -c {conns} -m POST -D {body} -T {form} {url}"},
	{tool: tool{name: "k6", sends: fixed, paces: true}, program: "k6", own: `http_reqs\.*: (\d+)`,
		args: "run --quiet --no-usage-report --no-color -e URL={url} -e BODY={body} -e RATE={rate} -e LENGTH={time} " +
			"{folder}/k6.js"},
}

func (b *bench) peerCommand(p peer, path string, j job) command {
	r := strings.NewReplacer("{url}", j.url, "{rate}", strconv.Itoa(j.rate), "{time}", j.seconds(),
		"{sized}", strings.Replace(j.url, "/matomo.php", "/200", 1), // fortio reconnects after a 204
		"{conns}", strconv.Itoa(connections), "{form}", "application/x-www-form-urlencoded",
		"{folder}", b.folder, "{body}", b.file("body.txt"))
	more := p.unlimited
	if j.rate > 0 {
		more = p.atRate
	}
	c := command{path: path, args: strings.Fields(p.args + " " + more), stdin: r.Replace(p.stdin)}
	for i, arg := range c.args {
		c.args[i] = r.Replace(arg)
	}
	return c
}

func (b *bench) peers(ctx context.Context) []tool {
	var found []tool
	for _, p := range knownPeers {
		path, err := exec.LookPath(p.program)
		if err != nil {
			continue
		}
		p.version = version(ctx, path)
		p.command = func(j job) command { return b.peerCommand(p, path, j) }
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
