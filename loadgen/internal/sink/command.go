package sink

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/sink/fast"
)

// Exit codes of Run.
const (
	exitOK     = 0
	exitFailed = 1 // the address could not be listened on, or the server broke
	exitUsage  = 2
)

const (
	// DefaultToken is what Run accepts for every site where no --token is given.
	DefaultToken = "0123456789abcdef0123456789abcdef" //nolint:gosec // a stand-in guards nothing
	keptHits     = 100
	liveEvery    = 5 * time.Second
	grace        = 5 * time.Second // for requests in flight at the end
)

// Run is the command `loadgen sink`: it serves until ctx ends, then writes counts and violations to stdout. What it
// says meanwhile (its address first) goes to stderr. It returns 0, or 2 for bad flags, 1 where it cannot listen.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parseFlags(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err != nil {
		return exitUsage
	}
	if err := o.run(ctx, stdout, stderr); err != nil {
		say(stderr, "sink: %v\n", err)
		return exitFailed
	}
	return exitOK
}

func (o options) run(ctx context.Context, stdout, stderr io.Writer) error {
	listening := func(a net.Addr) { say(stderr, "sink listens on http://%s/matomo.php\n", a) }
	if o.fast {
		stats, err := fast.Serve(ctx, o.addr, o.arrivals, listening)
		if err != nil {
			return err
		}
		return written(json.NewEncoder(stdout).Encode(stats))
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
	return written(report(s, stdout, o.json))
}

// written says that it is the report that could not be written.
func written(err error) error {
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// serve runs the server and the live line until ctx ends.
func serve(ctx context.Context, s *Sink, listener net.Listener, o options, stderr io.Writer) error {
	server := &http.Server{Handler: s, ReadHeaderTimeout: grace, IdleTimeout: time.Minute}
	broken := make(chan error, 1)
	go func() { broken <- server.Serve(listener) }()
	tick := time.NewTicker(liveEvery)
	defer tick.Stop()
	var last int64
	for {
		select {
		case <-tick.C:
			if c := s.Counts(); !o.quiet && c.Requests != last {
				last = c.Requests
				say(stderr, "%s\n", liveLine(c))
			}
		case err := <-broken:
			return err
		case <-ctx.Done():
			limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
			defer cancel()
			if server.Shutdown(limited) != nil {
				_ = server.Close() // what did not end in its grace is cut off
			}
			if err := <-broken; !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		}
	}
}

func liveLine(c Counts) string {
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

// report writes the end result, a table or {counts, violations}.
func report(s *Sink, out io.Writer, asJSON bool) error {
	if !asJSON {
		writeTable(out, s.Counts(), s.Violations())
		return nil
	}
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		Counts     Counts      `json:"counts"`
		Violations []Violation `json:"violations"`
	}{s.Counts(), s.Violations()})
}

// say tells the person who watches; where nobody can be told, nothing can be done.
func say(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }
