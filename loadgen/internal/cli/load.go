package cli

import (
	"fmt"
	"maps"
	"time"

	"github.com/puttrix/trafficinator/shared/runid"
	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/backfill"
	"github.com/puttrix/trafficinator/loadgen/internal/host"
	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/loadgen/internal/run"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/spec"
)

// load returns the plan of flags, LOADGEN_ENV_FILE and environment, in order of precedence, and the keys from that
// file. The plan is nil if there are errors among the problems.
func load(h host.Host, flags map[string]string) (p *plan.Plan, fromFile []string, problems problem.List) {
	env, fromFile, problems := plan.MergeEnv(h.FS, h.Env)
	maps.Copy(env, flags)
	p, more := plan.Load(h.FS, env, newIdentity(h.FS))
	problems = append(problems, more...)
	if problems.Err() == nil {
		return p, fromFile, problems
	}
	// Without a plan, report problems with the days of a backfill too.
	if s, _ := spec.Parse(env, h.ReadFile); s.BackfillEnabled {
		_, more = s.Backfill(h.Now())
		problems = append(problems, more...)
	}
	return nil, fromFile, problems
}

// newIdentity draws a seed and a run id. A resumed backfill keeps its seed.
func newIdentity(fsys afero.Fs) plan.IdentityFunc {
	return func(p *plan.Plan) (uint64, string) {
		seed := runid.NewSeed()
		if path := run.JournalFile(p); path != "" {
			if header, found := backfill.ReadHeader(fsys, path); found {
				seed = header.Seed
			}
		}
		return seed, runid.New(time.Now())
	}
}

// printRun prints the settings that reproduce the visits.
func printRun(h host.Host, p *plan.Plan) {
	_, _ = fmt.Fprintf(h.Stderr, "RUN_SEED=%d RUN_ID=%s\n", p.Seed, p.RunID)
}
