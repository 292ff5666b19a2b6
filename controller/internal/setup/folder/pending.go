package folder

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/puttrix/trafficinator/controller/internal/setup"
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

// Pending are the differences of what a start would publish from the plan that was started last; none where none was.
//
// A look does not wait for those that write. In the middle of a write it can take the new file for an edit by hand, so
// one that finds edits looks again when nobody writes; Conflicts does so too.
func (p *Publisher) Pending(ctx context.Context) ([]Difference, error) {
	out, err := p.pending(ctx)
	if err != nil || !slices.ContainsFunc(out, func(d Difference) bool { return d.Edited }) {
		return out, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pending(ctx)
}

func (p *Publisher) pending(ctx context.Context) ([]Difference, error) {
	plan, err := p.started(ctx)
	if err != nil || plan == nil {
		return []Difference{}, err
	}
	s, err := p.library.SetUp(ctx, nil)
	if err != nil {
		return nil, err
	}
	want, err := build(p.fs, s, nil)
	if err != nil {
		return nil, err
	}
	known, err := p.book.Published(ctx)
	if err != nil {
		return nil, err
	}
	next, err := p.steps(known, want, nil)
	if err != nil {
		return nil, err
	}
	out := knobDifferences(plan[exchange.EnvFile], next.final[exchange.EnvFile], s.Knobs)
	for _, file := range names {
		if file != exchange.EnvFile && !bytes.Equal(plan[file], next.final[file]) {
			out = append(out, Difference{Name: file, Running: describe(file, plan[file]),
				Saved: describe(file, next.final[file])})
		}
	}
	for _, file := range next.conflict.Files {
		d := Difference{Name: file, Running: describe(file, plan[file]), Saved: describe(file, want[file]),
			Edited: true, Fault: faultOf(file, next.final[file])}
		if why := next.conflict.Odd[file]; why != nil {
			d.Fault = why.Error()
		}
		out = append(out, d)
	}
	return out, nil
}

// knobDifferences compares two loadgen.env, of which one that cannot be read is not started. fixed are the saved knobs:
// an id or a seed in them is for the next run.
func knobDifferences(running, next []byte, fixed map[string]string) []Difference {
	out := []Difference{}
	was, _ := exchange.ParseEnv(exchange.EnvFile, running)
	will, problems := exchange.ParseEnv(exchange.EnvFile, next)
	if problems.Err() != nil {
		return out
	}
	was, will = spec.Canonical(was), spec.Canonical(will)
	for _, f := range setup.Knobs() {
		before, after := was[f.Key], will[f.Key]
		if f.Key == "RUN_ID" || f.Key == "RUN_SEED" {
			if after = fixed[f.Key]; after == "" {
				continue
			}
		}
		switch {
		case before == after:
		case f.Secret, slices.Contains(fileKeys, f.Key): // a copy's name tells a person nothing
			out = append(out, Difference{Name: f.Key, Running: "", Saved: secretChanged})
		default:
			out = append(out, Difference{Name: f.Key, Running: before, Saved: after})
		}
	}
	return out
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
	text, problems := look(file, data)
	if problems.Err() != nil {
		return "with faults"
	}
	return text
}

// faultOf says what is wrong with a file, without its values: one could be a secret in a wrong place.
func faultOf(file string, data []byte) string {
	_, problems := look(file, data)
	for i := range problems {
		problems[i].Value = ""
	}
	if err := problems.Err(); err != nil {
		return err.Error()
	}
	return ""
}

func look(file string, data []byte) (text string, problems problem.List) {
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

// Conflicts are the files that were edited by hand, whether or not the controller has something to write into them.
func (p *Publisher) Conflicts(ctx context.Context) ([]string, error) {
	out, err := p.conflicts(ctx)
	if err != nil || len(out) == 0 {
		return out, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.conflicts(ctx)
}

func (p *Publisher) conflicts(ctx context.Context) ([]string, error) {
	edited, err := p.edited(ctx)
	out := []string{}
	for _, file := range names {
		if _, hand := edited[file]; hand {
			out = append(out, file)
		}
	}
	return out, err
}

// Resolution is what shall become of an edit by hand.
type Resolution string

// The resolutions.
const (
	// Import takes the edit over into the saved set-up.
	Import Resolution = "import"
	// Overwrite loses the edit.
	Overwrite Resolution = "overwrite"
)

// Resolve settles the edits of files, or of all that were edited where none is named, and publishes the saved set-up.
// The error is a problem.List where a resolution or a file is unknown or an edit cannot be imported.
func (p *Publisher) Resolve(ctx context.Context, how Resolution, files ...string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	edited, err := p.edited(ctx)
	if err != nil {
		return err
	}
	var problems problem.List
	if how != Import && how != Overwrite {
		problems.Refuse("resolution", string(how), "is not a resolution", "use import or overwrite")
	}
	force := map[string]bool{}
	for _, file := range files {
		if _, force[file] = edited[file]; !force[file] {
			problems.Refuse("file", file, "was not edited by hand", "name one that was, or none for all")
		}
	}
	if len(files) == 0 {
		for file := range edited {
			force[file] = true
		}
	}
	for _, file := range names {
		if why := edited[file]; force[file] && why != nil {
			p.checkOdd(file, why, how, &problems)
		}
	}
	if err := problems.Err(); err != nil {
		return err
	}
	dir, err := filepath.Abs(p.dir)
	if err != nil {
		return fmt.Errorf("find the exchange folder: %w", err)
	}
	for _, file := range names {
		if !force[file] || how != Import {
			continue
		}
		data, err := p.read(file)
		if err != nil {
			return err
		}
		if err := p.library.Import(ctx, dir, file, data); err != nil {
			return err
		}
	}
	return p.saved(ctx, force, false)
}

// checkOdd refuses what cannot be done with something that is in a file's place: it cannot be imported, and a folder
// cannot be overwritten.
func (p *Publisher) checkOdd(file string, why error, how Resolution, problems *problem.List) {
	info, err := p.fs.Stat(filepath.Join(p.dir, file))
	switch {
	case err == nil && info.IsDir():
		problems.Refuse(file, "", "is a folder", "move it away")
	case how == Import:
		problems.Refuse(file, "", "cannot be read: "+why.Error(), "overwrite it or put a file in its place")
	}
}
