package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"strings"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/backfill"
	"github.com/puttrix/trafficinator/loadgen/internal/console"
	"github.com/puttrix/trafficinator/loadgen/internal/host"
	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/loadgen/internal/run"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/runid"
	"github.com/puttrix/trafficinator/shared/spec"
)

const runUsage = `usage: loadgen run [--profile P] [--threshold T]... [--report FILE] [--junit FILE]

Sends traffic until a limit is reached or a signal arrives. Flags override the settings of the environment:

  --profile P     LOAD_PROFILE: constant, week, or stages with rates in visits per day: 10m:0->20000, 1h:20000
  --threshold T   THRESHOLDS: a condition for the run to pass, such as error_share<1% or p95<800ms; repeatable
  --report FILE   write the HTML export of the run
  --junit FILE    write the threshold results as JUnit XML

Exit codes: 0 finished, 1 internal error, 2 invalid settings, 3 no hit accepted, 4 threshold failed or error brake
triggered, 130 interrupted.
`

// parseRunFlags parses the flags of run. If ok is false, the command must return code.
func parseRunFlags(args []string, h host.Host) (o run.Options, code int, ok bool) {
	o.Settings = map[string]string{}
	set := flag.NewFlagSet("run", flag.ContinueOnError)
	set.Usage = func() { _, _ = io.WriteString(set.Output(), runUsage) }
	set.Func("profile", "", func(v string) error { o.Settings["LOAD_PROFILE"] = v; return nil })
	set.Func("threshold", "", func(v string) error {
		o.Settings["THRESHOLDS"] = strings.TrimPrefix(o.Settings["THRESHOLDS"]+","+v, ",")
		return nil
	})
	set.StringVar(&o.Report, "report", "", "")
	set.StringVar(&o.JUnit, "junit", "", "")
	code, ok = parseFlags(set, args, h)
	return o, code, ok
}

func runCommand(ctx context.Context, args []string, h host.Host) int {
	o, code, ok := parseRunFlags(args, h)
	if !ok {
		return code
	}
	p, fromFile, problems := load(h, o.Settings)
	if p != nil {
		problems = append(problems, p.LimitConcurrency(h.Descriptors)...)
	}
	if problems.Err() != nil {
		console.Problems(h.Stderr, h.JSONLines(), problems)
		return exitcode.BadConfig
	}
	return run.Do(ctx, h, o, p, fromFile, problems)
}

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

func printRun(h host.Host, p *plan.Plan) {
	_, _ = fmt.Fprintf(h.Stderr, "RUN_SEED=%d RUN_ID=%s\n", p.Seed, p.RunID)
}
