// Command deps prints the structure of the repository: the packages of each module with their lines and imports, and the
// third-party modules of each program. A new import or dependency shows up in its diff; .golangci.yml has the rules.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const own = "github.com/puttrix/trafficinator/"

var (
	modules  = []string{"shared", "loadgen", "controller"}
	programs = []string{"loadgen", "controller"}
)

type list struct {
	ImportPath, Dir                   string
	GoFiles, CgoFiles, IgnoredGoFiles []string
	Imports                           []string
	Module                            *struct{ Path, Version string }
}

func main() {
	packages, err := load()
	if err == nil {
		err = write(os.Stdout, packages, lines)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "deps:", err)
		os.Exit(1)
	}
}

// load lists the packages of the repository and their dependencies, as built for the images.
func load() (map[string]list, error) {
	args := []string{"list", "-deps", "-tags", "sqlite_omit_load_extension,netgo,osusergo",
		"-json=ImportPath,Dir,GoFiles,CgoFiles,IgnoredGoFiles,Imports,Module"}
	for _, m := range modules {
		args = append(args, "./"+m+"/...")
	}
	c := exec.Command("go", args...)
	c.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=1")
	out, err := c.Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, fmt.Errorf("go list: %w: %s", err, failed.Stderr)
	}
	packages := map[string]list{}
	for d := json.NewDecoder(bytes.NewReader(out)); err == nil; {
		var p list
		if err = d.Decode(&p); err == nil {
			packages[p.ImportPath] = p
		}
	}
	if !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the list of packages: %w", err)
	}
	return packages, nil
}

// write writes the page; lines counts the lines of a package.
func write(w io.Writer, packages map[string]list, lines func(list) (int, error)) error {
	var b strings.Builder
	b.WriteString("Written by `make deps`: packages with their lines of Go outside tests and what they import of the " +
		"repository,\nthen the modules of others in each program.\n")
	for _, m := range modules {
		total, rows := 0, []string{}
		for _, path := range slices.Sorted(maps.Keys(packages)) {
			name, is := strings.CutPrefix(path+"/", own+m+"/")
			if !is {
				continue
			}
			n, err := lines(packages[path])
			if err != nil {
				return err
			}
			total += n
			row := fmt.Sprintf("  %-34s %5d  %s", strings.TrimPrefix(strings.TrimSuffix("./"+name, "/"), "./"), n,
				strings.Join(imports(packages[path], m), " "))
			rows = append(rows, strings.TrimRight(row, " "))
		}
		fmt.Fprintf(&b, "\n%s: %d packages, %d lines\n%s\n", m, len(rows), total, strings.Join(rows, "\n"))
	}
	for _, p := range programs {
		all := linked(packages, own+p)
		fmt.Fprintf(&b, "\nbin/%s: %d modules\n", p, len(all))
		for _, name := range all {
			b.WriteString("  " + name + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func imports(p list, m string) []string {
	var out []string
	for _, i := range p.Imports {
		if i, is := strings.CutPrefix(i, own); is {
			out = append(out, strings.TrimPrefix(strings.TrimPrefix(i, m+"/"), "internal/"))
		}
	}
	slices.Sort(out)
	return out
}

func linked(packages map[string]list, program string) []string {
	seen, found := map[string]bool{}, map[string]list{}
	for open := []string{program}; len(open) > 0; open = open[1:] {
		p := packages[open[0]]
		if seen[p.ImportPath] {
			continue
		}
		seen[p.ImportPath] = true
		open = append(open, p.Imports...)
		if p.Module != nil && !strings.HasPrefix(p.Module.Path+"/", own) {
			found[p.Module.Path+" "+p.Module.Version] = p
		}
	}
	return slices.Sorted(maps.Keys(found))
}

func lines(p list) (int, error) {
	n := 0
	for _, name := range slices.Concat(p.GoFiles, p.CgoFiles, p.IgnoredGoFiles) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		data, err := os.ReadFile(filepath.Join(p.Dir, name))
		if err != nil {
			return 0, fmt.Errorf("count lines: %w", err)
		}
		n += bytes.Count(data, []byte("\n"))
	}
	return n, nil
}
