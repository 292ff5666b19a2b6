// Command collect writes the licence texts of all Go modules in the given programs, and of the web interface if it was
// built, to one file.
package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/afero"
)

// part is a linked module with its folders that may contain licences.
type part struct {
	name    string // what it is called, with its version
	folders []string
}

type listed struct {
	Dir    string
	Module *struct {
		Path, Version, Dir string
		Main               bool
	}
}

// linked are Go itself and the modules of the packages that are compiled into programs, sorted by name. A package
// may have a licence of its own within its module, so every folder from it up to the module's counts.
func linked(tags string, programs []string) ([]part, error) {
	out, err := run(append([]string{"list", "-deps", "-tags", tags, "-json=Dir,Module"}, programs...)...)
	if err != nil {
		return nil, err
	}
	folders := map[string]map[string]bool{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("read the list of packages: %w", err)
		}
		m := p.Module
		if m == nil || m.Main { // of Go itself, or of this repository
			continue
		}
		name := m.Path + " " + m.Version
		if folders[name] == nil {
			folders[name] = map[string]bool{m.Dir: true}
		}
		for dir := p.Dir; strings.HasPrefix(dir, m.Dir); dir = filepath.Dir(dir) {
			folders[name][dir] = true
		}
	}
	root, err := run("env", "GOROOT")
	if err != nil {
		return nil, err
	}
	parts := []part{{"Go and its standard library", []string{strings.TrimSpace(string(root))}}}
	for _, name := range slices.Sorted(maps.Keys(folders)) {
		parts = append(parts, part{name, slices.Sorted(maps.Keys(folders[name]))})
	}
	return parts, nil
}

func run(args ...string) ([]byte, error) {
	out, err := exec.Command("go", args...).Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("%w: %s", err, failed.Stderr)
	}
	if err != nil {
		return nil, fmt.Errorf("go %s: %w", args[0], err)
	}
	return out, nil
}

var licence = regexp.MustCompile(`(?i)^(un)?(licen[cs]e|copying|copyright|notice|patents)([-_.].*)?$`)

// texts are the licences and notices in a part's folders.
func (p part) texts(fsys afero.Fs) ([]string, error) {
	var out []string
	for _, dir := range p.folders {
		entries, err := afero.ReadDir(fsys, dir)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", p.name, err)
		}
		for _, e := range entries {
			if !e.Mode().IsRegular() || !licence.MatchString(e.Name()) || strings.HasSuffix(e.Name(), ".go") {
				continue
			}
			data, err := afero.ReadFile(fsys, filepath.Join(dir, e.Name()))
			if err != nil {
				return nil, fmt.Errorf("read the licence of %s: %w", p.name, err)
			}
			text := strings.TrimSpace(strings.ReplaceAll(string(data), "\r\n", "\n"))
			if text != "" && !slices.Contains(out, text) {
				out = append(out, text)
			}
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s has no licence text in %s; find it manually before you distribute the program",
			p.name, p.folders[0])
	}
	return out, nil
}

const (
	preface = `Trafficinator includes the components below, each under its own licence. Trafficinator's own licence is in LICENSE.

The controller in its image is linked with the C library of the machine that built it; on Debian that is the GNU C
Library, under the GNU Lesser General Public Licence 2.1: https://www.gnu.org/licenses/old-licenses/lgpl-2.1.txt
SQLite, which go-sqlite3 holds, is in the public domain.
`
	line = "\n--------------------------------------------------------------------------------\n\n"
)

// document sets each text once, below the names of the parts that share it, the bundle's last.
func document(fsys afero.Fs, parts []part, bundle string) (string, error) {
	owners := map[string][]string{}
	for _, p := range parts {
		texts, err := p.texts(fsys)
		if err != nil {
			return "", err
		}
		for _, t := range texts {
			owners[t] = append(owners[t], p.name)
		}
	}
	var b strings.Builder
	b.WriteString(preface)
	order := slices.SortedFunc(maps.Keys(owners), func(x, y string) int {
		return cmp.Or(slices.Compare(owners[x], owners[y]), strings.Compare(x, y))
	})
	for _, text := range order {
		b.WriteString(line + strings.Join(owners[text], "\n") + "\n\n" + text + "\n")
	}
	if bundle = strings.TrimSpace(bundle); bundle != "" {
		b.WriteString(line + "The user interface\n\n" + bundle + "\n")
	}
	return b.String(), nil
}

func main() {
	output := flag.String("output", "", "file to write")
	bundle := flag.String("bundle", "",
		"texts of what is in the interface's bundle, as Vite writes them; none where there is no such file")
	tags := flag.String("tags", "", "build tags of the programs")
	flag.Parse()
	if *output == "" || flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: collect --output FILE [--bundle FILE] [--tags TAGS] PACKAGE...")
		os.Exit(2)
	}
	if err := write(afero.NewOsFs(), *output, *bundle, *tags, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(fsys afero.Fs, output, bundle, tags string, programs []string) error {
	parts, err := linked(tags, programs)
	if err != nil {
		return fmt.Errorf("find the linked modules: %w", err)
	}
	web, err := afero.ReadFile(fsys, bundle)
	if err != nil && bundle != "" && !os.IsNotExist(err) {
		return fmt.Errorf("read the texts of the bundle: %w", err)
	}
	text, err := document(fsys, parts, string(web))
	if err != nil {
		return err
	}
	if before, err := afero.ReadFile(fsys, output); err == nil && string(before) == text {
		return nil // keeps its time, so that nothing is built again
	}
	if err := afero.WriteFile(fsys, output, []byte(text), 0o644); err != nil {
		return fmt.Errorf("write the texts: %w", err)
	}
	return nil
}
