package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/disk"
	"github.com/puttrix/trafficinator/controller/internal/settings"
	"github.com/puttrix/trafficinator/controller/internal/webui"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/spec"
)

// The exit codes of commands.
const (
	OK       = 0
	Internal = 1
	BadInput = 2
	// Missed: a threshold was.
	Missed = 4
	// Lost: Matomo shows less than it accepted, or more than can have been sent.
	Lost = 5
	// NotArchived: Matomo's raw log holds everything, and its reports do not show it yet.
	NotArchived = 6
)

// read reads the settings and tells all their problems; false where they refuse the start.
func (h Host) read() (settings.Settings, problem.List, bool) {
	s, problems := settings.Parse(h.Env, func(path string) ([]byte, error) { return afero.ReadFile(h.FS, path) })
	problems = append(problems, spec.Misspelt(h.Env)...)
	h.tell(problems)
	return s, problems, problems.Err() == nil
}

// tell writes problems for a person.
func (h Host) tell(problems problem.List) {
	for _, p := range problems {
		_, _ = fmt.Fprintf(h.Stderr, "%s: %s\n", p.Severity, p)
	}
}

// errBadSetting marks a setting that shows only on this machine to be of no use.
var errBadSetting = errors.New("a setting does not fit this machine")

// Serve runs the controller until ctx is done and returns the exit code.
func Serve(ctx context.Context, h Host) int {
	s, _, ok := h.read()
	if !ok {
		return BadInput
	}
	log := NewLogger(h.Stderr, s.LogLevel, s.LogFormat)
	// The port first: one that is taken is told before anything is made.
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", s.ListenAddr)
	if err != nil {
		_, _ = fmt.Fprintf(h.Stderr, "error: LISTEN_ADDR=%q: %v; stop who uses it or choose another\n",
			s.ListenAddr, err)
		return BadInput
	}
	a, err := New(ctx, h, s, log)
	if err != nil {
		_ = listener.Close() // the first error counts
		var problems problem.List
		if errors.As(err, &problems) {
			h.tell(problems)
			return BadInput
		}
		if fault, found := disk.Of(err); found {
			err = fmt.Errorf("%w: %w", fault, err)
		}
		log.Error("start failed", "err", err)
		if errors.Is(err, errBadSetting) {
			return BadInput
		}
		return Internal
	}
	address := cmp.Or(s.PublicURL, "http://"+reachable(listener.Addr().String()))
	_, _ = fmt.Fprintf(h.Stdout,
		"Trafficinator listens at %s (runtime %s)\nSign in once within 15 minutes: %s/#code=%s\n",
		address, a.port.Name(), address, a.guard.NewCode().Reveal())
	if !webui.Built(h.Bundle) {
		_, _ = fmt.Fprintln(h.Stdout,
			"The user interface is not built into this program; a plain page stands in for it.")
	}
	log.Info("controller started", "version", h.Version, "address", listener.Addr().String(), "runtime", a.port.Name(),
		"data", s.DataDir)
	if h.Ready != nil {
		h.Ready(listener.Addr())
	}
	code := OK
	if err := a.Serve(ctx, listener); err != nil {
		log.Error("serving ended", "err", err)
		code = Internal
	}
	if err := a.Close(); err != nil {
		log.Error("ending failed", "err", err)
		code = Internal
	}
	return code
}

// reachable is an address to type on this machine for one that listens everywhere.
func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(strings.ToLower(host), port)
}
