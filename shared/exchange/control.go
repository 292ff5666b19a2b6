package exchange

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/runid"
	"github.com/puttrix/trafficinator/shared/strictjson"
)

// ControlFile steers a run that goes on. The loadgen looks at it once a second.
const ControlFile = "control.json"

// The bounds of Control.Scale.
const (
	MinScale = 0.01
	MaxScale = 100
)

// MaxFinish is the longest time in seconds that open visits can be given to end.
const MaxFinish = 24 * 60 * 60

// Control is the state that a run is wanted in. Without a file, and for every other run, it is NoOverride.
type Control struct {
	// RunID is the run that is meant.
	RunID string `json:"run_id"`
	// Paused lets no visit begin; open ones go on.
	Paused bool `json:"paused"`
	// Scale multiplies the rate of the plan.
	Scale float64 `json:"scale"`
	// FinishSeconds, where it is above 0, ends the run: no visit begins, and open ones have this long to end.
	FinishSeconds float64 `json:"finish_seconds,omitempty"`
}

// NoOverride is a run that follows its plan.
func NoOverride(runID string) Control { return Control{RunID: runID, Scale: 1} }

// Encode is the file.
func (c Control) Encode() ([]byte, error) {
	data, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", ControlFile, err)
	}
	return append(data, '\n'), nil
}

// ParseControl reads the file. What it leaves out is as the plan has it, but for the run, which must be named.
func ParseControl(data []byte) (Control, problem.List) {
	d := strictjson.Parse(ControlFile, data)
	if d.Root == nil || !d.Root.Object("run_id", "paused", "scale", "finish_seconds") {
		return Control{}, d.Problems
	}
	c := NoOverride(d.Root.String("run_id"))
	c.Paused = d.Root.Bool("paused", false)
	if c.RunID == "" && len(d.Problems) == 0 {
		d.Root.Refuse("run_id", "", "is missing", "set it to the RUN_ID of the run")
	}
	if s := d.Root.Number("scale"); s != nil {
		if c.Scale = *s; c.Scale < MinScale || c.Scale > MaxScale {
			d.Root.Refuse("scale", fmt.Sprint(*s), fmt.Sprintf("is not between %g and %d", MinScale, MaxScale),
				"use 1 for the planned rate")
		}
	}
	if s := d.Root.Number("finish_seconds"); s != nil {
		if c.FinishSeconds = *s; c.FinishSeconds < 0 || c.FinishSeconds > MaxFinish {
			d.Root.Refuse("finish_seconds", fmt.Sprint(*s), fmt.Sprintf("is not between 0 and %d", MaxFinish),
				"use 0 to keep running")
		}
	}
	return c, d.Problems
}

// DeletedFile lists runs that were deleted. The controller may not write to the loadgen's state folder, so that the
// loadgen deletes their ledgers at its next start.
const DeletedFile = "deleted.json"

// DeletedRuns are runs whose ledgers nobody needs any more, with the moment of their deletion: what was written after it is
// of another run of that name, and stays.
type DeletedRuns struct {
	Runs map[string]time.Time `json:"runs"`
}

// Encode is the file.
func (d DeletedRuns) Encode() ([]byte, error) {
	data, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", DeletedFile, err)
	}
	return append(data, '\n'), nil
}

// ParseDeleted reads the file. An id that no run can have refuses it: it could lead out of the folder.
func ParseDeleted(data []byte) (DeletedRuns, error) {
	var d DeletedRuns
	if err := json.Unmarshal(data, &d); err != nil {
		return DeletedRuns{}, fmt.Errorf("read %s: %w", DeletedFile, err)
	}
	for id := range d.Runs {
		if !runid.Valid(id) {
			return DeletedRuns{}, fmt.Errorf("read %s: invalid RUN_ID %q", DeletedFile, id)
		}
	}
	return d, nil
}
