package plan

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/puttrix/trafficinator/shared/eventset"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/target"
)

// Difference is something that the next start will do otherwise than the plan that was started last.
type Difference struct {
	// Name is an env key or a file of package exchange.
	Name string `json:"name"`
	// Running and Saved are the two values; of a secret only that it changed, of a file what it holds.
	Running string `json:"running"`
	Saved   string `json:"saved"`
	// Edited says that the file was edited by hand and the controller has something else to write into it.
	Edited bool `json:"edited,omitempty"`
	// Fault is what makes an edited file unfit to be imported or started with, where it is; a list of pages is not
	// looked at.
	Fault string `json:"fault,omitempty"`
}

const secretChanged = "changed"

// Differences are those of what a start would make of in, next, from the plan that runs.
func (in Input) Differences(running, next Files) []Difference {
	out := in.knobDifferences(running[exchange.EnvFile], next[exchange.EnvFile])
	for _, file := range Names {
		if file != exchange.EnvFile && !bytes.Equal(running[file], next[file]) {
			out = append(out, Difference{Name: file, Running: describe(file, running[file]),
				Saved: describe(file, next[file])})
		}
	}
	return out
}

// knobDifferences compares two loadgen.env, of which one that cannot be read is not started. An id or a seed that the
// settings fix is for the next run.
func (in Input) knobDifferences(running, next []byte) []Difference {
	out := []Difference{}
	was, _ := exchange.ParseEnv(exchange.EnvFile, running)
	will, problems := exchange.ParseEnv(exchange.EnvFile, next)
	if problems.Err() != nil {
		return out
	}
	was, will = spec.Canonical(was), spec.Canonical(will)
	for _, f := range spec.Fields() {
		fixed, saved := in.Settings[f.Key]
		before, after := was[f.Key], will[f.Key]
		if f.Key == "RUN_ID" || f.Key == "RUN_SEED" {
			after = fixed
			saved = fixed != ""
		}
		switch {
		case before == after, !saved:
		case f.Secret, slices.Contains(fileKeys, f.Key): // a copy's name tells a person nothing
			out = append(out, Difference{Name: f.Key, Running: "", Saved: secretChanged})
		default:
			out = append(out, Difference{Name: f.Key, Running: before, Saved: after})
		}
	}
	return out
}

// EditedByHand is the difference of a file that holds an edit by hand where the controller wants something else. odd is
// why the edit cannot be read at all, or nil.
func EditedByHand(file string, running, want, edited []byte, odd error) Difference {
	d := Difference{Name: file, Running: describe(file, running), Saved: describe(file, want), Edited: true,
		Fault: faultOf(file, edited)}
	if odd != nil {
		d.Fault = odd.Error()
	}
	return d
}

// absent is what a loadgen does without a file.
var absent = map[string]string{
	exchange.URLsFile: "built in", exchange.FunnelsFile: "none", exchange.EventsFile: "built in",
	exchange.TargetsFile: "single target",
}

// describe says in two words what a file holds.
func describe(file string, data []byte) string {
	if data == nil {
		return absent[file]
	}
	text, problems := read(file, data)
	if problems.Err() != nil {
		return "with faults"
	}
	return text
}

// faultOf says what is wrong with a file, without its values: one could be a secret in a wrong place.
func faultOf(file string, data []byte) string {
	_, problems := read(file, data)
	for i := range problems {
		problems[i].Value = ""
	}
	if err := problems.Err(); err != nil {
		return err.Error()
	}
	return ""
}

// read checks a file and says what it holds.
func read(file string, data []byte) (text string, problems problem.List) {
	var n int
	var what string
	switch file {
	case exchange.EnvFile:
		_, problems = exchange.ParseEnv(file, data)
		return "settings", problems
	case exchange.URLsFile:
		n, what = pagesOf(data), "pages"
	case exchange.FunnelsFile:
		var list []funnel.Funnel
		list, problems = funnel.Decode(file, data)
		n, what = len(list), "funnels"
	case exchange.EventsFile:
		var set eventset.Set
		set, problems = eventset.Decode(file, data)
		n, what = len(set.Click)+len(set.Random), "events"
	case exchange.TargetsFile:
		var set target.Set
		set, problems = target.Decode(file, data)
		n, what = len(set.Targets), "targets"
	}
	if n == 1 {
		what = strings.TrimSuffix(what, "s")
	}
	return fmt.Sprintf("%d %s", n, what), problems
}

// pagesOf counts the pages of a list without looking at them: this is asked for with every status.
func pagesOf(list []byte) int {
	n := 0
	for line := range bytes.Lines(list) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			n++
		}
	}
	return n
}
