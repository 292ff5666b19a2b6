package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/shared/runsummary"
)

const (
	// token is known to nobody: the fast sink judges nothing.
	token = "0123456789abcdef0123456789abcdef" //nolint:gosec // it guards nothing
	// overload is how much more than its capacity the loadgen is offered.
	overload = 1.1
	// maxVisitsPerDay is the bound of TARGET_VISITS_PER_DAY.
	maxVisitsPerDay = 1e10
	day             = 24 * 60 * 60
)

// loadgenTool is the loadgen as a contender. It follows a rate, so that its capacity has to be found.
type loadgenTool struct {
	b     *bench
	extra map[string]string // settings
	// rate is what it is offered in hits a second, best what it has sent; a visit has perVisit hits.
	rate, best, perVisit float64
	summaryFile          string
	summary              runsummary.Summary // of the last run
}

// newLoadgen guesses; calibrate knows.
func (b *bench) newLoadgen(more map[string]string, rate float64) *loadgenTool {
	return &loadgenTool{b: b, extra: more, rate: rate, perVisit: 6}
}

func (o *loadgenTool) contender(name string) tool {
	return tool{name: name, sends: "unique hits", paces: true, command: o.command, ownCount: o.ownCount, learn: o.learn}
}

// command is a run with a state folder of its own. At a given rate a visit has one hit, so that the ideal moment of
// each is known.
func (o *loadgenTool) command(j job) (command, error) {
	folder, err := afero.TempDir(o.b.fs, o.b.folder, "run-")
	if err != nil {
		return command{}, fmt.Errorf("make folder: %w", err)
	}
	o.summaryFile = folder + "/summary.json"
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
	maps.Copy(env, o.extra)
	c := command{path: o.b.loadgen, args: []string{"run"}}
	for k, v := range env {
		c.env = append(c.env, k+"="+v)
	}
	return c, nil
}

// ownCount are the hits that the ledger says were accepted.
func (o *loadgenTool) ownCount(context.Context, string) (uint64, error) {
	data, err := afero.ReadFile(o.b.fs, o.summaryFile)
	if err != nil {
		return 0, fmt.Errorf("read summary: %w", err)
	}
	o.summary = runsummary.Summary{}
	if err := json.Unmarshal(data, &o.summary); err != nil {
		return 0, fmt.Errorf("read summary: %w", err)
	}
	return o.summary.Hits.Accepted, nil
}

// learn offers more than was ever sent, next time.
func (o *loadgenTool) learn(r measurement) {
	o.perVisit = ratio(float64(o.summary.Hits.Planned), float64(o.summary.Visits.Planned))
	o.best = max(o.best, r.hits)
	o.rate = overload * o.best
}

// calibrate finds the capacity: it offers twice as much until some of it is shed, and then a little more than was
// sent.
func (o *loadgenTool) calibrate(ctx context.Context, s *sinkProcess) error {
	for offered := o.rate; ; offered *= 2 {
		o.rate = offered
		r, err := o.b.measure(ctx, s, o.contender("loadgen"))
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(o.b.out, "capacity: %.0f hits/s of %.0f offered, %d shed\n", r.hits, offered,
			o.summary.Hits.Shed)
		if o.summary.Hits.Shed > 0 || offered/o.perVisit*day > maxVisitsPerDay {
			return nil
		}
	}
}
