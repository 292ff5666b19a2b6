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

// load makes the plan of the environment and the file of LOADGEN_ENV_FILE, over which flags win, with the keys that
// came from that file. The plan is nil where a problem refuses it.
func load(h host.Host, flags map[string]string) (p *plan.Plan, fromFile []string, problems problem.List) {
	env, fromFile, problems := plan.MergeEnv(h.FS, h.Env)
	maps.Copy(env, flags)
	p, more := plan.Load(h.FS, env, newIdentity(h.FS))
	problems = append(problems, more...)
	if problems.Err() == nil {
		return p, fromFile, problems
	}
	// The days of a backfill follow from a plan. Where there is none what is wrong with them is told with the rest.
	if s, _ := spec.Parse(env, h.ReadFile); s.BackfillEnabled {
		_, more = s.Backfill(h.Now())
		problems = append(problems, more...)
	}
	return nil, fromFile, problems
}

// newIdentity makes a seed and a run id. The seed of a backfill that is resumed is that of before.
func newIdentity(fsys afero.Fs) plan.IdentityFunc {
	return func(p *plan.Plan) (uint64, string) {
		seed := runid.NewSeed()
		if path := run.JournalFile(p); path != "" {
			if begun, found := backfill.ReadHeader(fsys, path); found {
				seed = begun.Seed
			}
		}
		return seed, runid.New(time.Now())
	}
}

// printRun prints what makes the same visits again.
func printRun(h host.Host, p *plan.Plan) {
	_, _ = fmt.Fprintf(h.Stderr, "RUN_SEED=%d RUN_ID=%s\n", p.Seed, p.RunID)
}
