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
