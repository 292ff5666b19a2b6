// Command gotest runs go test with its arguments, prints its output, and then the number of tests. With --left-out=FILE it
// appends to the file which tests were skipped and why, a line per package and reason, tab-separated.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

func main() {
	file, args := "", os.Args[1:]
	if len(args) > 0 {
		if name, is := strings.CutPrefix(args[0], "--left-out="); is {
			file, args = name, args[1:]
		}
	}
	if err := run(file, args); err != nil {
		fmt.Fprintln(os.Stderr, "gotest:", err)
		os.Exit(1)
	}
}

func run(file string, args []string) error {
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Stderr = os.Stderr
	events, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	r := newReport(os.Stdout)
	readErr := r.read(events)
	if err := cmd.Wait(); err != nil {
		return err
	}
	if readErr != nil || file == "" {
		return readErr
	}
	return add(file, r.leftOut())
}

func add(file string, lines []string) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	for _, line := range lines {
		_, failed := fmt.Fprintln(f, line)
		err = errors.Join(err, failed)
	}
	return errors.Join(err, f.Close())
}

// event is a line of go test -json, see `go doc test2json`.
type event struct {
	Action, Package, ImportPath, Test, Output string
}

type report struct {
	to io.Writer
	// said is the output of each unfinished test, and of each package outside of tests.
	said                    map[[2]string][]string
	passed, failed, skipped int
	why                     map[[2]string]int // counts skipped tests by package and reason
}

func newReport(to io.Writer) *report {
	return &report{to: to, said: map[[2]string][]string{}, why: map[[2]string]int{}}
}

// read reports all events, and the number of tests at the end.
func (r *report) read(events io.Reader) error {
	lines := bufio.NewReader(events)
	for {
		line, err := lines.ReadBytes('\n')
		var e event
		if err == nil && json.Unmarshal(line, &e) == nil {
			r.take(e)
		} else if len(line) > 0 {
			_, _ = r.to.Write(line) // not an event: go test's own complaint
		}
		if err == io.EOF {
			_, err = fmt.Fprintf(r.to, "%d passed, %d failed, %d skipped\n", r.passed, r.failed, r.skipped)
			return err
		}
		if err != nil {
			return err
		}
	}
}

func (r *report) take(e event) {
	key := [2]string{e.Package, e.Test}
	switch e.Action {
	case "build-output":
		r.print(e.Output)
	case "output":
		r.said[key] = append(r.said[key], e.Output)
	case "pass":
		r.end(key, &r.passed, false)
	case "fail":
		if e.Test == "" {
			r.unfinished(e.Package)
		}
		r.end(key, &r.failed, true)
	case "skip": // of a package: it has no tests
		if e.Test != "" {
			r.why[[2]string{e.Package, reason(r.said[key])}]++
		}
		r.end(key, &r.skipped, false)
	}
}

// end prints the output of a failed test, and the verdict of a package.
func (r *report) end(key [2]string, count *int, failed bool) {
	said := r.said[key]
	delete(r.said, key)
	if key[1] != "" {
		*count++
	} else if !failed {
		said = said[max(0, len(said)-1):] // the line that begins with ok or ?
	}
	if failed || key[1] == "" {
		r.print(said...)
	}
}

// unfinished prints the output of the tests that a panic or the time limit cut off.
func (r *report) unfinished(pkg string) {
	for key, said := range r.said {
		if key[0] == pkg && key[1] != "" {
			r.print(said...)
			delete(r.said, key)
		}
	}
}

func (r *report) print(lines ...string) {
	for _, line := range lines {
		_, _ = io.WriteString(r.to, line) // not reading the report is no reason to stop
	}
}

// reason is the argument of Skip: the line that starts with its position.
func reason(said []string) string {
	for _, line := range said {
		if _, text, is := strings.Cut(line, ".go:"); is {
			if _, text, is = strings.Cut(text, ": "); is {
				return strings.TrimSpace(text)
			}
		}
	}
	return "no reason was given"
}

func (r *report) leftOut() (lines []string) {
	for key, n := range r.why {
		name := strings.TrimPrefix(key[0], "github.com/puttrix/trafficinator/")
		lines = append(lines, fmt.Sprintf("tests of %s (%d)\t%s", name, n, key[1]))
	}
	slices.Sort(lines)
	return lines
}
