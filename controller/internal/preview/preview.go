// Package preview shows what settings would do before anything is sent: the loadgen's plan command returns the first
// visits and an estimate. The settings need not be saved. It sends nothing, saves nothing and handles no tokens.
package preview

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/shared/estimate"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/problem"
)

// MaxVisits is the maximum number of visits of a preview.
const MaxVisits = 20

// timeout limits a preview, including the wait for an earlier one. A container takes a second or two.
const timeout = 20 * time.Second

// Request selects what to preview.
type Request struct {
	// Overrides replace saved settings, as JSON values.
	Overrides map[string]any
	// Funnel is a funnel that every visit follows, as JSON; nil for the saved funnels with their probabilities.
	Funnel []byte
	// Visits is 1 to MaxVisits.
	Visits int
}

// Result is the first visits of a run.
type Result struct {
	// Seed reproduces the visits with the same settings.
	Seed     uint64
	Visits   []Visit
	Warnings problem.List
}

// Visit is what one visitor does.
type Visit struct {
	Number  uint64 `json:"visit"`
	Visitor string `json:"visitor"`
	// Funnel is the name of the funnel that it follows, or "".
	Funnel string `json:"funnel"`
	Hits   []Hit  `json:"hits"`
}

// Hit is one request. It is sent SentSeconds after the first hit of its visit, and Matomo records it RecordedSeconds
// after that hit. Parameters are those of the request, without the time, which is set when it is sent, and the token.
type Hit struct {
	Kind            string            `json:"kind"`
	Records         string            `json:"records"`
	SentSeconds     float64           `json:"sent_seconds"`
	RecordedSeconds int               `json:"recorded_seconds"`
	Parameters      map[string]string `json:"parameters"`
}

// Drafts returns the plan of settings that need not be saved, see setup.Service.
type Drafts interface {
	Draft(ctx context.Context, overrides map[string]any, funnel []byte) (plan.Input, problem.List, error)
}

// Planner runs the loadgen's plan command, see launcher.Runtime.
type Planner interface {
	Plan(ctx context.Context, files map[string][]byte, args ...string) (launcher.Output, error)
}

// Preview previews settings. It is safe for concurrent use and runs one command at a time.
type Preview struct {
	drafts  Drafts
	planner Planner
	newSeed func() uint64
	running chan struct{}
}

// New returns a Preview. newSeed draws a seed for settings without one.
func New(d Drafts, p Planner, newSeed func() uint64) *Preview {
	return &Preview{drafts: d, planner: p, newSeed: newSeed, running: make(chan struct{}, 1)}
}

// Visits returns the first visits of a run. The error is a problem.List if the settings are invalid,
// context.DeadlineExceeded if the loadgen takes too long, or an error of package launcher.
func (v *Preview) Visits(ctx context.Context, r Request) (Result, error) {
	in, warnings, err := v.drafts.Draft(ctx, r.Overrides, r.Funnel)
	if err != nil {
		return Result{}, err
	}
	out, seed, more, err := v.plan(ctx, in, "--format", "jsonl", "--visits", strconv.Itoa(r.Visits))
	if err != nil {
		return Result{}, err
	}
	visits, err := decodeVisits(out)
	return Result{Seed: seed, Visits: visits, Warnings: append(warnings, more...)}, err
}

// Check returns the errors and warnings that the loadgen reports for the saved settings with overrides. Errors are
// those of Visits, except problem.List.
func (v *Preview) Check(ctx context.Context, overrides map[string]any) (problem.List, error) {
	r, err := v.Visits(ctx, Request{Overrides: overrides, Visits: 1})
	var invalid problem.List
	if errors.As(err, &invalid) {
		return invalid, nil
	}
	return r.Warnings, err
}

// Estimate estimates a run of the saved settings with overrides. Errors are those of Visits.
func (v *Preview) Estimate(ctx context.Context, overrides map[string]any) (estimate.Estimate, error) {
	draft, _, err := v.drafts.Draft(ctx, overrides, nil)
	if err != nil {
		return estimate.Estimate{}, err
	}
	return v.EstimateDraft(ctx, draft)
}

// EstimateDraft estimates a run of a draft, which has no real tokens. Errors are those of Visits.
func (v *Preview) EstimateDraft(ctx context.Context, draft plan.Input) (e estimate.Estimate, err error) {
	out, _, _, err := v.plan(ctx, draft, "--estimate")
	if err != nil {
		return e, err
	}
	if err := json.Unmarshal(out, &e); err != nil {
		return e, fmt.Errorf("decode the estimate of the loadgen: %w", err)
	}
	return e, nil
}

// plan runs the loadgen's plan command and returns its output, the seed of the plan and the warnings.
func (v *Preview) plan(ctx context.Context, draft plan.Input, args ...string) (out []byte, seed uint64,
	warnings problem.List, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	files, id, err := draft.Outline(plan.Identity{ID: "preview", Seed: v.newSeed()})
	if err != nil {
		return nil, 0, nil, err
	}
	select {
	case v.running <- struct{}{}:
		defer func() { <-v.running }()
	case <-ctx.Done():
		return nil, 0, nil, ctx.Err()
	}
	output, err := v.planner.Plan(ctx, files, args...)
	if err != nil {
		return nil, 0, nil, fmt.Errorf("plan the visits: %w", err)
	}
	var problems problem.List
	for _, l := range output.Stderr {
		if l.Problem != nil {
			problems = append(problems, *l.Problem)
		}
	}
	switch {
	case output.ExitCode == exitcode.OK:
		return output.Stdout, id.Seed, problems.Warnings(), nil
	case output.ExitCode == exitcode.BadConfig && problems.Err() != nil:
		return nil, 0, nil, problems
	case output.ExitCode == exitcode.BadConfig && len(output.Stderr) > 0: // unknown command or flag
		return nil, 0, nil, fmt.Errorf("%w: it rejects %q: %s", launcher.ErrVersionMismatch, args,
			output.Stderr[0].Text)
	default:
		return nil, 0, nil, fmt.Errorf("plan the visits: the loadgen ended with exit code %d: %s", output.ExitCode,
			problems.Error())
	}
}

// decodeVisits decodes the plan command's output: one hit per line, in the order of the visits.
func decodeVisits(out []byte) ([]Visit, error) {
	visits := []Visit{}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, launcher.MaxOutput)
	for lines.Scan() {
		var h struct {
			Visit
			Hit
		}
		if err := json.Unmarshal(lines.Bytes(), &h); err != nil {
			return nil, fmt.Errorf("decode a planned hit: %w", err)
		}
		if n := len(visits); n == 0 || visits[n-1].Number != h.Number {
			visits = append(visits, h.Visit)
		}
		last := &visits[len(visits)-1]
		last.Hits = append(last.Hits, h.Hit)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("decode the planned hits: %w", err)
	}
	return visits, nil
}
