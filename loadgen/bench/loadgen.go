package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"strconv"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/shared/runsummary"
)

const (
	token = "0123456789abcdef0123456789abcdef" //nolint:gosec // the fast sink accepts any
	// overload is the offered rate as a multiple of the capacity.
	overload = 1.1
	// maxVisitsPerDay is the maximum of TARGET_VISITS_PER_DAY.
	maxVisitsPerDay = 1e10
	day             = 24 * 60 * 60
)

// loadgenTool measures the loadgen. It follows a rate, so its capacity has to be found first.
type loadgenTool struct {
	b        *bench
	settings map[string]string
	// rate is the offered rate and best the highest sent one, in hits per second. A visit has perVisit hits.
	rate, best, perVisit float64
	summaryFile          string
	summary              runsummary.Summary // of the last run
}

// newLoadgen returns the loadgen with a guessed rate, which calibrate replaces.
func (b *bench) newLoadgen(settings map[string]string, rate float64) *loadgenTool {
	return &loadgenTool{b: b, settings: settings, rate: rate, perVisit: 6}
}

func (o *loadgenTool) tool(name string) tool {
	return tool{name: name, sends: "unique hits", paces: true, command: o.command, ownCount: o.ownCount,
		measured: o.measured}
}

// command returns a run with its own state folder. At a fixed rate each visit has one hit, so that its ideal time is
// known.
func (o *loadgenTool) command(j job) command {
	o.b.runs++
	folder := filepath.Join(o.b.folder, "run-"+strconv.Itoa(o.b.runs))
	o.summaryFile = filepath.Join(folder, "summary.json")
	visits := min(maxVisitsPerDay, o.rate/o.perVisit*day)
	env := map[string]string{
		"MATOMO_URL": j.url, "MATOMO_SITE_ID": "1", "MATOMO_TOKEN_AUTH": token,
		"CONCURRENCY":           strconv.Itoa(connections),
		"PAUSE_BETWEEN_PVS_MIN": "0", "PAUSE_BETWEEN_PVS_MAX": "0", "RUN_SEED": "1",
		"AUTO_STOP_AFTER_HOURS": strconv.FormatFloat(j.length.Hours(), 'g', -1, 64),
		"STATE_DIR":             folder, "SUMMARY_FILE": o.summaryFile, "TELEMETRY_ADDR": "127.0.0.1:0",
	}
	if j.rate > 0 {
		visits, env["BOUNCE_PROBABILITY"] = float64(j.rate)*day, "1"
	}
	env["TARGET_VISITS_PER_DAY"] = strconv.FormatFloat(visits, 'f', 3, 64)
	maps.Copy(env, o.settings)
	c := command{path: o.b.loadgen, args: []string{"run"}}
	for k, v := range env {
		c.env = append(c.env, k+"="+v)
	}
	return c
}

func (o *loadgenTool) ownCount(context.Context, string) (uint64, error) {
	data, err := afero.ReadFile(o.b.fs, o.summaryFile)
	if err == nil {
		o.summary = runsummary.Summary{}
		err = json.Unmarshal(data, &o.summary)
	}
	if err != nil {
		return 0, fmt.Errorf("read summary: %w", err)
	}
	return o.summary.Hits.Accepted, nil
}

// measured raises the rate for the next measurement above the highest so far.
func (o *loadgenTool) measured(m measurement) {
	o.perVisit = ratio(float64(o.summary.Hits.Planned), float64(o.summary.Visits.Planned))
	o.best = max(o.best, m.hits)
	o.rate = overload * o.best
}

// calibrate finds the capacity: it doubles the rate until hits are shed, and then offers a little more than was sent.
func (o *loadgenTool) calibrate(ctx context.Context, s *sinkProcess) error {
	for offered := o.rate; ; offered *= 2 {
		o.rate = offered
		m, err := o.b.measure(ctx, s, o.tool("loadgen"))
		if err != nil {
			return err
		}
		o.b.printf("capacity: %.0f hits/s of %.0f offered, %d shed\n", m.hits, offered, o.summary.Hits.Shed)
		if o.summary.Hits.Shed > 0 || offered/o.perVisit*day > maxVisitsPerDay {
			return nil
		}
	}
}
