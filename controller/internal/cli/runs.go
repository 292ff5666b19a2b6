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
  show RUN             one run with its settings and its ledger: [--json]
  compare RUN RUN      what differs, and which of it is more than chance: [--all] [--json]
  export RUN           a run as a file: [--format json|html|junit] [--output FILE]

They read the database, also while the controller serves.
`

// look is a command that looks back at runs.
type look struct {
	host Host
	book history.Reader
	json bool
}

// Runs prints recorded runs, from the database itself.
func Runs(ctx context.Context, args []string, h Host) int {
	commands := map[string]func(context.Context, Host, []string) int{"list": listRuns, "show": showRun,
		"compare": compareRuns, "export": exportRun}
	if len(args) > 0 && commands[args[0]] != nil {
		return commands[args[0]](ctx, h, args[1:])
	}
	_, _ = io.WriteString(h.Stderr, runsUsage)
	return exitcode.BadConfig
}

// within opens the database for a command whose flags are set, and does it with as many ids as it wants.
func within(ctx context.Context, h Host, set *flag.FlagSet, args []string, ids int,
	do func(l look, ids []string) error) int {
	set.SetOutput(h.Stderr)
	set.Usage = func() { _, _ = io.WriteString(h.Stderr, runsUsage) }
	l := look{host: h}
	if set.Lookup("format") == nil {
		set.BoolVar(&l.json, "json", false, "")
	}
	var given []string
	for { // flags may stand after ids too
		if set.Parse(args) != nil {
			return exitcode.BadConfig
		}
		if args = set.Args(); len(args) == 0 {
			break
		}
		given, args = append(given, args[0]), args[1:]
	}
	if len(given) != ids {
		_, _ = fmt.Fprintf(h.Stderr, "error: runs %s takes %d ids of runs, not %d\n\n%s", set.Name(), ids,
			len(given), runsUsage)
		return exitcode.BadConfig
	}
	s, ok := h.settings()
	if !ok {
		return exitcode.BadConfig
	}
	db, err := store.OpenReadOnly(ctx, h.FS, s.DBPath)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("there is no database at %s; set DATA_DIR or CONFIG_DB_PATH as the controller has it",
			s.DBPath)
	}
	if err == nil {
		l.book = history.Reader{Store: db, Ledger: summaries.New(h.FS, s.StateDir).Read, Now: time.Now}
		err = errors.Join(do(l, given), db.Close())
	}
	if err != nil {
		return h.fail(err)
	}
	return exitcode.OK
}

// print writes v as JSON where that was asked for, else what table prints.
func (l look) print(v any, table func(io.Writer) error) error {
	if !l.json {
		return table(l.host.Stdout)
	}
	return l.host.printJSON(v)
}

func listRuns(ctx context.Context, h Host, args []string) int {
	set := flag.NewFlagSet("list", flag.ContinueOnError)
	var q record.Query
	set.StringVar(&q.Kind, "kind", "", "")
	set.StringVar(&q.Label, "label", "", "")
	set.StringVar(&q.Reason, "reason", "", "")
	set.StringVar(&q.Text, "text", "", "")
	set.IntVar(&q.Limit, "limit", 20, "")
	return within(ctx, h, set, args, 0, func(l look, _ []string) error {
		runs, err := l.book.Store.Runs(ctx, q)
		if err != nil {
			return err
		}
		heads := make([]record.Head, len(runs))
		for i, r := range runs {
			heads[i] = r.Head
		}
		return l.print(heads, func(w io.Writer) error { return history.PrintList(w, runs, time.Now()) })
	})
}

func showRun(ctx context.Context, h Host, args []string) int {
	return within(ctx, h, flag.NewFlagSet("show", flag.ContinueOnError), args, 1, func(l look, ids []string) error {
		r, err := l.book.Record(ctx, ids[0])
		if err != nil {
			return err
		}
		return l.print(r, func(w io.Writer) error { return r.Print(w, time.Now()) })
	})
}

func compareRuns(ctx context.Context, h Host, args []string) int {
	set := flag.NewFlagSet("compare", flag.ContinueOnError)
	all := set.Bool("all", false, "")
	return within(ctx, h, set, args, 2, func(l look, ids []string) error {
		c, err := l.book.Compare(ctx, ids[0], ids[1])
		if err != nil {
			return err
		}
		return l.print(c, func(w io.Writer) error { return c.Print(w, *all) })
	})
}

func exportRun(ctx context.Context, h Host, args []string) int {
	set := flag.NewFlagSet("export", flag.ContinueOnError)
	format, output := history.JSON, set.String("output", "-", "")
	set.Func("format", "", func(v string) error {
		if format = history.Format(v); format != history.JSON && format != history.HTML && format != history.JUnit {
			return errors.New("is none of json, html, junit")
		}
		return nil
	})
	return within(ctx, h, set, args, 1, func(l look, ids []string) error {
		var out bytes.Buffer
		if err := l.book.Export(ctx, &out, ids[0], format, nil, h.Version); err != nil {
			return err
		}
		if *output == "-" {
			_, err := out.WriteTo(h.Stdout)
			return err
		}
		return save(h.FS, *output, &out)
	})
}
