// Package preview owns the look at a set-up before anything is sent: it has the loadgen itself outline its first visits
// and estimate what it comes to. Nobody needs to have saved the set-up. It sends nothing, saves nothing and handles no
// token.
package preview

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/shared/estimate"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/problem"
)

// MaxVisits is how many visits can be asked for.
const MaxVisits = 20

// patience bounds a preview, the wait for an earlier one included. A container takes a second or two.
const patience = 20 * time.Second

// Request says what to outline.
type Request struct {
	// Overrides are laid over the saved knobs, as JSON has them.
	Overrides map[string]any
	// Funnel is one that every visit shall follow, as JSON; nil for the saved ones with their probabilities.
	Funnel []byte
	// Visits is 1 to MaxVisits.
	Visits int
}

// Result is the first visits of a run.
type Result struct {
	// Seed is what drew them: the same one with the same settings gives the same visits.
	Seed     uint64
	Visits   []Visit
	Warnings problem.List
}

// Visit is what one visitor does.
type Visit struct {
	Number  uint64 `json:"visit"`
	Visitor string `json:"visitor"`
	// Funnel is the name of the one it follows, empty for none.
	Funnel string `json:"funnel"`
	Hits   []Hit  `json:"hits"`
}

// Hit is one request. SentSeconds after the visit's first one it would be sent, and Matomo books it RecordedSeconds
// after it. Parameters are those of the request without its time, which only sending sets, and without a token.
type Hit struct {
	Kind            string            `json:"kind"`
	Records         string            `json:"records"`
	SentSeconds     float64           `json:"sent_seconds"`
	RecordedSeconds int               `json:"recorded_seconds"`
	Parameters      map[string]string `json:"parameters"`
}

// Drafts is where set-ups to look at come from.
type Drafts interface {
	Draft(ctx context.Context, overrides map[string]any, funnel []byte) (plan.Input, problem.List, error)
}

// Planner is a loadgen that outlines, see launcher.Runtime.
type Planner interface {
	Plan(ctx context.Context, files map[string][]byte, args ...string) (launcher.Printed, error)
}

// Preview looks at set-ups. It is safe for concurrent use; the loadgen is asked one question at a time.
type Preview struct {
	drafts  Drafts
	planner Planner
	seed    func() uint64
	turn    chan struct{}
}

// New makes a Preview; seed draws one where the settings fix none.
func New(d Drafts, p Planner, seed func() uint64) *Preview {
	return &Preview{drafts: d, planner: p, seed: seed, turn: make(chan struct{}, 1)}
}

// Visits outlines the first visits. The error is a problem.List where the set-up has faults, context.DeadlineExceeded
// where it takes too long, or one of package launcher.
func (v *Preview) Visits(ctx context.Context, r Request) (Result, error) {
	in, warnings, err := v.drafts.Draft(ctx, r.Overrides, r.Funnel)
	if err != nil {
		return Result{}, err
	}
	a, err := v.ask(ctx, in, "--format", "jsonl", "--visits", strconv.Itoa(r.Visits))
	if err != nil {
		return Result{}, err
	}
	visits, err := read(a.out)
	return Result{Seed: a.seed, Visits: visits, Warnings: append(warnings, a.warnings...)}, err
}

// Estimate is what the saved settings with overrides laid over them come to. Errors are those of Visits.
func (v *Preview) Estimate(ctx context.Context, overrides map[string]any) (estimate.Estimate, error) {
	s, _, err := v.drafts.Draft(ctx, overrides, nil)
	if err != nil {
		return estimate.Estimate{}, err
	}
	return v.EstimateOf(ctx, s)
}

// EstimateOf is Estimate for a set-up, which must be a draft: its tokens are stand-ins.
func (v *Preview) EstimateOf(ctx context.Context, draft plan.Input) (e estimate.Estimate, err error) {
	a, err := v.ask(ctx, draft, "--estimate")
	if err != nil {
		return e, err
	}
	if err := json.Unmarshal(a.out, &e); err != nil {
		return e, fmt.Errorf("read the estimate of the loadgen: %w", err)
	}
	return e, nil
}

// answer is what the loadgen prints, the seed of the plan and the warnings of it.
type answer struct {
	out      []byte
	seed     uint64
	warnings problem.List
}

// ask has the loadgen make the plan of a draft.
func (v *Preview) ask(ctx context.Context, draft plan.Input, args ...string) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	files, id, err := draft.Outline(plan.Identity{ID: "preview", Seed: v.seed()})
	if err != nil {
		return answer{}, err
	}
	select {
	case v.turn <- struct{}{}:
		defer func() { <-v.turn }()
	case <-ctx.Done():
		return answer{}, ctx.Err()
	}
	printed, err := v.planner.Plan(ctx, files, args...)
	if err != nil {
		return answer{}, fmt.Errorf("outline the visits: %w", err)
	}
	told := problems(printed.Lines)
	switch {
	case printed.Code == exitcode.BadConfig && told.Err() != nil:
		return answer{}, told
	case printed.Code == exitcode.BadConfig && len(printed.Lines) > 0: // it does not know the command or its arguments
		return answer{}, fmt.Errorf("%w: it refuses %q: %s", launcher.ErrVersionMismatch, args, printed.Lines[0].Text)
	case printed.Code != exitcode.OK:
		return answer{}, fmt.Errorf("outline the visits: the loadgen ended with exit code %d: %s", printed.Code,
			told.Error())
	}
	return answer{printed.Out, id.Seed, told.Warnings()}, nil
}

// Check has the loadgen itself check the plan that the saved set-up makes with overrides: the problems are all that it
// would refuse or warn of, in its own words. The error is one of package runtime, or context.DeadlineExceeded.
func (v *Preview) Check(ctx context.Context, overrides map[string]any) (problem.List, error) {
	r, err := v.Visits(ctx, Request{Overrides: overrides, Visits: 1})
	var refused problem.List
	if errors.As(err, &refused) {
		return refused, nil
	}
	return r.Warnings, err
}

// problems are what the loadgen objects to.
func problems(lines []launcher.Line) problem.List {
	var out problem.List
	for _, l := range lines {
		if text, ok := strings.CutPrefix(l.Text, "error: "); ok {
			where, value, message := parts(text)
			out.Refuse(where, value, message, "")
		} else if text, ok := strings.CutPrefix(l.Text, "warning: "); ok {
			where, value, message := parts(text)
			out.Warn(where, value, message, "")
		}
	}
	return out
}

// parts takes KEY="value": message apart, see problem.Problem.
func parts(text string) (where, value, message string) {
	if key, rest, ok := strings.Cut(text, `="`); ok && !strings.Contains(key, ": ") {
		if quoted, err := strconv.QuotedPrefix(`"` + rest); err == nil {
			value, _ = strconv.Unquote(quoted) // it was just found to be one
			return key, value, strings.TrimPrefix(rest[len(quoted)-1:], ": ")
		}
	}
	where, message, _ = strings.Cut(text, ": ")
	return where, "", message
}

// read puts the printed hits, which come visit by visit, together.
func read(out []byte) ([]Visit, error) {
	visits := []Visit{}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, launcher.MaxPrinted)
	for lines.Scan() {
		var h struct {
			Visit
			Hit
		}
		if err := json.Unmarshal(lines.Bytes(), &h); err != nil {
			return nil, fmt.Errorf("read an outlined hit: %w", err)
		}
		if n := len(visits); n == 0 || visits[n-1].Number != h.Number {
			visits = append(visits, h.Visit)
		}
		last := &visits[len(visits)-1]
		last.Hits = append(last.Hits, h.Hit)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the outlined hits: %w", err)
	}
	return visits, nil
}
