package sink

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/sink/fast"
)

// Exit codes of Run.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

const (
	// DefaultToken is the token for all sites if there is no --token.
	DefaultToken = "0123456789abcdef0123456789abcdef" //nolint:gosec // of a fake Matomo
	keptHits     = 100
	liveEvery    = 5 * time.Second
	endTimeout   = 5 * time.Second // for requests in flight at the end
)

// Run executes the command `loadgen sink`: it serves until ctx is done, and then writes counts and violations to
// stdout. Its address and progress go to stderr. It returns the exit code: 0, 2 for invalid flags, 1 if the server
// fails.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parseFlags(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err != nil {
		return exitUsage
	}
	if err := o.run(ctx, stdout, stderr); err != nil {
		_, _ = fmt.Fprintf(stderr, "sink: %v\n", err)
		return exitFailed
	}
	return exitOK
}

func (o options) run(ctx context.Context, stdout, stderr io.Writer) error {
	listening := func(a net.Addr) { _, _ = fmt.Fprintf(stderr, "sink listens on http://%s/matomo.php\n", a) }
	if o.fast {
		stats, err := fast.Serve(ctx, o.addr, o.arrivals, listening)
		if err != nil {
			return err
		}
		return writeJSON(stdout, "", stats)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	s := New(o.cfg)
	listening(listener.Addr())
	if err := serve(ctx, s, listener, o, stderr); err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	if o.json {
		return writeJSON(stdout, "  ", struct {
			Counts     Counts      `json:"counts"`
			Violations []Violation `json:"violations"`
		}{s.Counts(), s.Violations()})
	}
	writeTable(stdout, s.Counts(), s.Violations())
	return nil
}

func writeJSON(w io.Writer, indent string, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// serve runs the server and prints progress until ctx is done.
func serve(ctx context.Context, s *Sink, listener net.Listener, o options, stderr io.Writer) error {
	server := &http.Server{Handler: s, ReadHeaderTimeout: endTimeout, IdleTimeout: time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	tick := time.NewTicker(liveEvery)
	defer tick.Stop()
	var last int64
	for {
		select {
		case <-tick.C:
			if c := s.Counts(); !o.quiet && c.Requests != last {
				last = c.Requests
				_, _ = fmt.Fprintln(stderr, progress(c))
			}
		case err := <-failed:
			return err
		case <-ctx.Done():
			limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
			defer cancel()
			if server.Shutdown(limited) != nil {
				_ = server.Close()
			}
			if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		}
	}
}

func progress(c Counts) string {
	var rejected int64
	for _, n := range c.Rejected {
		rejected += n
	}
	line := fmt.Sprintf("requests=%d visits=%d", c.Requests, c.Total.Visits)
	for _, k := range kinds {
		line += fmt.Sprintf(" %s=%d", k.plural, c.Total.Hits[k.name])
	}
	return line + fmt.Sprintf(" rejected=%d violations=%d", rejected, c.Violations)
}

type options struct {
	addr        string
	quiet, json bool
	// fast only counts; arrivals also records the time of each request.
	fast, arrivals bool
	cfg            Config
}

// parseFlags parses the command line. It prints errors to stderr.
func parseFlags(args []string, stderr io.Writer) (options, error) {
	o := options{cfg: Config{Tracker: NewTracker(), Sites: withZones(nil), Tokens: map[string][]int{},
		Viewers: map[string][]int{}, Keep: keptHits}}
	f := flag.NewFlagSet("sink", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.addr, "addr", "127.0.0.1:8080", "`address` to listen on; port 0 takes a free one")
	f.Func("site-zone", "`ZONE` of all sites, or ID=ZONE of one (repeatable; default CET)", o.siteZone)
	f.Func("token", "`TOKEN` with write access to all sites, or TOKEN=ID,ID (repeatable; default "+DefaultToken+
		")", rights(o.cfg.Tokens))
	f.Func("view-token", "`TOKEN` with view access to all sites, or TOKEN=ID,ID (repeatable)", rights(o.cfg.Viewers))
	f.DurationVar(&o.cfg.Delay, "delay", 0, "`time` added before each answer")
	f.Float64Var(&o.cfg.Limit, "limit", 0,
		"capacity in `hits` per second; more wait in a queue, as with a saturated server; 0 is no limit")
	f.Func("error-share", "`share` of requests that fail, 0 to 1", share(&o.cfg.ErrorShare))
	f.IntVar(&o.cfg.ErrorStatus, "error-status", 500, "`status` they fail with: 400, 500 or 503")
	f.Func("drop-share", "`share` of requests whose connection breaks after reading, 0 to 1", share(&o.cfg.DropShare))
	f.Func("lose-share", "`share` of hits that are answered as tracked but not recorded, 0 to 1",
		share(&o.cfg.LoseShare))
	f.Func("duplicate-share", "`share` of hits that are recorded twice, 0 to 1", share(&o.cfg.DuplicateShare))
	f.DurationVar(&o.cfg.ArchiveDelay, "archive-delay", 0,
		"`time` between report updates; 0 = immediately")
	f.Func("tracker", "a `SETTING=VALUE` of Matomo that affects hits: visit_standard_length=60, "+
		"plugin.Events=0, site.sitesearch=0 (repeatable)", o.cfg.Tracker.Set)
	f.Func("outage", "`AFTER+FOR` (10s+5s) in which connections break, AFTER+FOR=503 for an answer (repeatable)",
		o.outage)
	f.DurationVar(&o.cfg.ClockSkew, "clock-skew", 0, "`time` the sink's clock is ahead")
	f.Uint64Var(&o.cfg.Seed, "seed", 0, "`seed` of the random faults")
	f.BoolVar(&o.quiet, "quiet", false, "do not print progress")
	f.BoolVar(&o.fast, "fast", false,
		"only count, as fast as possible, for benchmarks; except for --addr and --arrivals, other flags are ignored")
	f.BoolVar(&o.arrivals, "arrivals", false, "with --fast: record the time of each request, for GET /arrivals")
	f.BoolVar(&o.json, "json", false, "print the counts as JSON at the end")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if err := o.check(f.Args()); err != nil {
		_, _ = fmt.Fprintf(stderr, "sink: %v\n", err)
		return o, err
	}
	if len(o.cfg.Tokens) == 0 {
		o.cfg.Tokens[DefaultToken] = nil
	}
	for _, tokens := range []map[string][]int{o.cfg.Tokens, o.cfg.Viewers} {
		for token, sites := range tokens {
			if sites == nil {
				tokens[token] = slices.Sorted(maps.Keys(o.cfg.Sites))
			}
		}
	}
	return o, nil
}

func (o *options) check(rest []string) error {
	switch s := o.cfg.ErrorStatus; {
	case len(rest) > 0:
		return fmt.Errorf("unexpected %q: all settings are flags", rest[0])
	case s != 400 && s != 500 && s != 503:
		return fmt.Errorf("--error-status %d: must be 400, 500 or 503", s)
	case o.cfg.Delay < 0:
		return fmt.Errorf("--delay %v: must not be negative", o.cfg.Delay)
	case o.cfg.ArchiveDelay < 0:
		return fmt.Errorf("--archive-delay %v: must not be negative", o.cfg.ArchiveDelay)
	case !(o.cfg.Limit >= 0):
		return fmt.Errorf("--limit %v: must not be negative", o.cfg.Limit)
	default:
		return nil
	}
}

func (o *options) siteZone(s string) error {
	id, name, one := strings.Cut(s, "=")
	if !one {
		name = s
	}
	zone, err := zoneOf(name)
	if err != nil {
		return fmt.Errorf("zone %q is unknown; use a name like Europe/Berlin or UTC+5.5", name)
	}
	if one {
		n, err := siteID(id)
		o.cfg.Sites[n] = Site{Zone: zone}
		return err
	}
	for n := range o.cfg.Sites {
		o.cfg.Sites[n] = Site{Zone: zone}
	}
	return nil
}

// rights parses TOKEN or TOKEN=ID,ID.
func rights(into map[string][]int) func(string) error {
	return func(s string) error {
		token, list, some := strings.Cut(s, "=")
		if token == "" {
			return errors.New("the token is empty")
		}
		if !some {
			into[token] = nil // all sites; --site-zone may follow
			return nil
		}
		for id := range strings.SplitSeq(list, ",") {
			n, err := siteID(id)
			if err != nil {
				return err
			}
			into[token] = append(into[token], n)
		}
		return nil
	}
}

func siteID(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("site %q is not a number from 1", s)
	}
	return n, nil
}

func (o *options) outage(s string) error {
	window, status, answered := strings.Cut(s, "=")
	after, length, ok := strings.Cut(window, "+")
	a, err1 := time.ParseDuration(after)
	l, err2 := time.ParseDuration(length)
	if !ok || err1 != nil || err2 != nil || a < 0 || l <= 0 {
		return errors.New("must be like 10s+5s: starts after 10 s, lasts 5 s")
	}
	w := Window{After: a, For: l}
	if answered {
		if status != "503" {
			return fmt.Errorf("an outage is answered with 503 or not at all, not with %q", status)
		}
		w.Status = 503
	}
	o.cfg.Outages = append(o.cfg.Outages, w)
	return nil
}

func share(into *float64) func(string) error {
	return func(s string) error {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || !(f >= 0 && f <= 1) {
			return errors.New("must be 0 to 1")
		}
		*into = f
		return nil
	}
}
