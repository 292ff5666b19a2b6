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

// Difference is a difference of the next start from the plan that was started last.
type Difference struct {
	// Name is an env key or a file of package exchange.
	Name string `json:"name"`
	// Running and Saved are the two values; for a secret only that it changed, for a file a summary of its content.
	Running string `json:"running"`
	Saved   string `json:"saved"`
	// Edited reports that the file was edited by hand and the controller would write something else.
	Edited bool `json:"edited,omitempty"`
	// Fault is why an edited file can be neither imported nor started with; lists of pages are not checked.
	Fault string `json:"fault,omitempty"`
}

const secretChanged = "changed"

// Differences returns the differences between the running plan and next, which a start would make of in.
func (in Input) Differences(running, next Files) []Difference {
	out := in.settingDifferences(running[exchange.EnvFile], next[exchange.EnvFile])
	for _, file := range Names {
		if file != exchange.EnvFile && !bytes.Equal(running[file], next[file]) {
			out = append(out, Difference{Name: file, Running: describe(file, running[file]),
				Saved: describe(file, next[file])})
		}
	}
	return out
}

// settingDifferences compares two loadgen.env; nothing can be started with an invalid one. RUN_ID and RUN_SEED only
// differ if the settings fix them for the next run.
func (in Input) settingDifferences(running, next []byte) []Difference {
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
		if f.Role == spec.OfRun {
			after = fixed
			saved = fixed != ""
		}
		switch {
		case before == after, !saved:
		case f.Secret, slices.Contains(fileKeys, f.Key): // the name of a copy means nothing to users
			out = append(out, Difference{Name: f.Key, Saved: secretChanged})
		default:
			out = append(out, Difference{Name: f.Key, Running: before, Saved: after})
		}
	}
	return out
}

// EditedByHand returns the difference of a file with an edit by hand that the controller would overwrite. unreadable is
// why the edit cannot be read, or nil.
func EditedByHand(file string, running, want, edited []byte, unreadable error) Difference {
	if unreadable == nil {
		_, problems := summarize(file, edited)
		for i := range problems {
			problems[i].Value = "" // it could be a secret in the wrong place
		}
		unreadable = problems.Err()
	}
	d := Difference{Name: file, Running: describe(file, running), Saved: describe(file, want), Edited: true}
	if unreadable != nil {
		d.Fault = unreadable.Error()
	}
	return d
}

// absent describes what a loadgen does without a file.
var absent = map[string]string{
	exchange.URLsFile: "built in", exchange.FunnelsFile: "none", exchange.EventsFile: "built in",
	exchange.TargetsFile: "single target",
}

// describe summarizes a file in two words.
func describe(file string, data []byte) string {
	if data == nil {
		return absent[file]
	}
	text, problems := summarize(file, data)
	if problems.Err() != nil {
		return "with faults"
	}
	return text
}

// summarize checks a file and counts its entries.
func summarize(file string, data []byte) (text string, problems problem.List) {
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

// pagesOf counts the pages of a list without parsing them, because every status includes it.
func pagesOf(list []byte) int {
	n := 0
	for line := range bytes.Lines(list) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			n++
		}
	}
	return n
}
