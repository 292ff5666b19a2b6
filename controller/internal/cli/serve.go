package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"strings"

	"github.com/puttrix/trafficinator/controller/internal/app"
	"github.com/puttrix/trafficinator/controller/internal/disk"
	"github.com/puttrix/trafficinator/controller/internal/webui"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/problem"
)

// Serve runs the controller until ctx is done and returns the exit code.
func Serve(ctx context.Context, args []string, h Host) int {
	if len(args) > 0 {
		return h.refuse("serve takes no arguments: %s", strings.Join(args, " "))
	}
	if limit, limited := h.MemoryLimit(); limited {
		debug.SetMemoryLimit(limit)
	}
	s, ok := h.settings()
	if !ok {
		return exitcode.BadConfig
	}
	log := newLogger(h.Stderr, s.LogLevel, s.LogFormat)
	// The port first: one that is taken is told before anything is made.
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", s.ListenAddr)
	if err != nil {
		return h.refuse("error: LISTEN_ADDR=%q: %v; stop who uses it or choose another", s.ListenAddr, err)
	}
	a, err := app.New(ctx, h.Host, s, log)
	if err != nil {
		_ = listener.Close() // the first error counts
		var problems problem.List
		if errors.As(err, &problems) {
			h.print(problems)
			return exitcode.BadConfig
		}
		if fault, found := disk.FromError(err); found {
			err = fmt.Errorf("%w: %w", fault, err)
		}
		log.Error("start failed", "err", err)
		if errors.Is(err, app.ErrBadSetting) {
			return exitcode.BadConfig
		}
		return exitcode.Internal
	}
	address := cmp.Or(s.PublicURL, "http://"+reach(listener.Addr().String(), "localhost"))
	_, _ = fmt.Fprintf(h.Stdout,
		"Trafficinator listens at %s (runtime %s)\nSign in once within 15 minutes: %s/#code=%s\n",
		address, a.Runtime(), address, a.LoginCode().Reveal())
	if !webui.Built(h.Bundle) {
		_, _ = fmt.Fprintln(h.Stdout,
			"The user interface is not built into this program; a plain page stands in for it.")
	}
	log.Info("controller started", "version", h.Version, "address", listener.Addr().String(), "runtime", a.Runtime(),
		"data", s.DataDir)
	if h.Ready != nil {
		h.Ready(listener.Addr())
	}
	if !a.Serve(ctx, listener) {
		return exitcode.Internal
	}
	return exitcode.OK
}
