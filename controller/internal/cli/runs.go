package cli

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/run/history"
	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/controller/internal/summaries"
	"github.com/puttrix/trafficinator/shared/exitcode"
)

const runsUsage = `usage: controller runs <command>

  list                 recorded runs: [--kind live|capacity|backfill] [--label L] [--reason R] [--text T] [--limit 20] [--json]
  show RUN             a run with its settings and its summary: [--json]
  compare RUN RUN      the differences, and which of them are statistically significant: [--all] [--json]
  export RUN           a run as a file: [--format json|html|junit] [--output FILE]

These commands read the database directly and work while the controller is running.
`

// runReader reads the database for a command.
type runReader struct {
	history.Reader
	host Host
	json bool
}

// runs prints recorded runs from the database.
func runs(ctx context.Context, args []string, h Host) error {
	commands := map[string]func(context.Context, Host, []string) error{"list": listRuns, "show": showRun,
		"compare": compareRuns, "export": exportRun}
	if len(args) > 0 && commands[args[0]] != nil {
		return commands[args[0]](ctx, h, args[1:])
	}
	_, _ = io.WriteString(h.Stderr, runsUsage)
	return exit(exitcode.BadConfig)
}

// readRuns parses the arguments of a command, opens the database, and calls do with this many ids.
func readRuns(ctx context.Context, h Host, set *flag.FlagSet, args []string, ids int,
	do func(r runReader, ids []string) error) error {
	set.SetOutput(h.Stderr)
	set.Usage = func() { _, _ = io.WriteString(h.Stderr, runsUsage) }
	r := runReader{host: h}
	if set.Lookup("format") == nil {
		set.BoolVar(&r.json, "json", false, "")
	}
	var given []string
	for { // flags may follow ids
		if set.Parse(args) != nil {
			return exit(exitcode.BadConfig)
		}
		if args = set.Args(); len(args) == 0 {
			break
		}
		given, args = append(given, args[0]), args[1:]
	}
	if len(given) != ids {
		return badUsage("error: runs %s takes %d run ids, not %d\n\n%s", set.Name(), ids, len(given), runsUsage)
	}
	s, err := h.settings()
	if err != nil {
		return err
	}
	db, err := store.OpenReadOnly(ctx, h.FS, s.DBPath)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no database at %s; set DATA_DIR or CONFIG_DB_PATH as for the controller", s.DBPath)
	}
	if err != nil {
		return err
	}
	r.Reader = history.Reader{Store: db, Ledger: summaries.New(h.FS, s.StateDir).Read, Now: time.Now}
	return errors.Join(do(r, given), db.Close())
}

// print prints v as JSON if that is requested, and otherwise calls table.
func (r runReader) print(v any, table func(io.Writer) error) error {
	if !r.json {
		return table(r.host.Stdout)
	}
	return r.host.printJSON(v)
}

func listRuns(ctx context.Context, h Host, args []string) error {
	set := flag.NewFlagSet("list", flag.ContinueOnError)
	var q record.Query
	set.StringVar(&q.Kind, "kind", "", "")
	set.StringVar(&q.Label, "label", "", "")
	set.StringVar(&q.Reason, "reason", "", "")
	set.StringVar(&q.Text, "text", "", "")
	set.IntVar(&q.Limit, "limit", 20, "")
	return readRuns(ctx, h, set, args, 0, func(r runReader, _ []string) error {
		runs, err := r.Store.Runs(ctx, q)
		if err != nil {
			return err
		}
		heads := make([]record.Head, len(runs))
		for i, r := range runs {
			heads[i] = r.Head
		}
		return r.print(heads, func(w io.Writer) error { return history.PrintList(w, runs, time.Now()) })
	})
}

func showRun(ctx context.Context, h Host, args []string) error {
	set := flag.NewFlagSet("show", flag.ContinueOnError)
	return readRuns(ctx, h, set, args, 1, func(r runReader, ids []string) error {
		run, err := r.Record(ctx, ids[0])
		if err != nil {
			return err
		}
		return r.print(run, func(w io.Writer) error { return run.Print(w, time.Now()) })
	})
}

func compareRuns(ctx context.Context, h Host, args []string) error {
	set := flag.NewFlagSet("compare", flag.ContinueOnError)
	all := set.Bool("all", false, "")
	return readRuns(ctx, h, set, args, 2, func(r runReader, ids []string) error {
		c, err := r.Compare(ctx, ids[0], ids[1])
		if err != nil {
			return err
		}
		return r.print(c, func(w io.Writer) error { return c.Print(w, *all) })
	})
}

func exportRun(ctx context.Context, h Host, args []string) error {
	set := flag.NewFlagSet("export", flag.ContinueOnError)
	format, output := history.JSON, set.String("output", "-", "")
	set.Func("format", "", func(v string) error {
		if format = history.Format(v); format != history.JSON && format != history.HTML && format != history.JUnit {
			return errors.New("must be json, html or junit")
		}
		return nil
	})
	return readRuns(ctx, h, set, args, 1, func(r runReader, ids []string) error {
		var out bytes.Buffer
		if err := r.Export(ctx, &out, ids[0], format, nil, h.Version); err != nil {
			return err
		}
		return h.write(*output, &out)
	})
}
