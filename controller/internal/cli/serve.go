package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/app"
	"github.com/puttrix/trafficinator/controller/internal/disk"
	"github.com/puttrix/trafficinator/controller/internal/webui"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/problem"
)

// serve runs the controller until ctx is done.
func serve(ctx context.Context, args []string, h Host) error {
	if len(args) > 0 {
		return badUsage("serve takes no arguments: %s", strings.Join(args, " "))
	}
	if limit, limited := h.MemoryLimit(); limited {
		debug.SetMemoryLimit(limit)
	}
	s, err := h.settings()
	if err != nil {
		return err
	}
	log := newLogger(h.Stderr, s.LogLevel, s.LogFormat)
	// Listen first, so that nothing is created if the port is in use.
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", s.ListenAddr)
	if err != nil {
		return badUsage("error: LISTEN_ADDR=%q: %v; stop the program that uses it or choose another", s.ListenAddr, err)
	}
	a, err := app.New(ctx, h.Host, s, log)
	if err != nil {
		_ = listener.Close() // the first error counts
		var problems problem.List
		if errors.As(err, &problems) {
			return h.printProblems(problems)
		}
		if fault, found := disk.FromError(err); found {
			err = fmt.Errorf("%w: %w", fault, err)
		}
		log.Error("start failed", "err", err)
		if errors.Is(err, app.ErrBadSetting) {
			return exit(exitcode.BadConfig)
		}
		return exit(exitcode.Internal)
	}
	address := cmp.Or(s.PublicURL, "http://"+dialAddress(listener.Addr().String(), "localhost"))
	_, _ = fmt.Fprintf(h.Stdout,
		"Trafficinator listens at %s (runtime %s)\nSign in once within 15 minutes: %s/#code=%s\n",
		address, a.Runtime(), address, a.LoginCode().Reveal())
	if !webui.Built(h.Bundle) {
		_, _ = fmt.Fprintln(h.Stdout, "Built without the web interface; a minimal page is served instead.")
	}
	log.Info("controller started", "version", h.Version, "address", listener.Addr().String(), "runtime", a.Runtime(),
		"data", s.DataDir)
	if h.Ready != nil {
		h.Ready(listener.Addr())
	}
	if !a.Serve(ctx, listener) {
		return exit(exitcode.Internal)
	}
	return nil
}

// newLogger returns a logger for LOG_LEVEL and LOG_FORMAT.
func newLogger(w io.Writer, level, format string) *slog.Logger {
	options := &slog.HandlerOptions{Level: map[string]slog.Level{
		"DEBUG": slog.LevelDebug, "INFO": slog.LevelInfo, "WARNING": slog.LevelWarn, "ERROR": slog.LevelError,
	}[level]}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// MemoryLimit returns Go's soft memory limit in bytes: nine tenths of the container's limit, so that garbage is
// collected before the kernel kills the process. It is false without a limit, or if GOMEMLIMIT is set.
func (h Host) MemoryLimit() (int64, bool) {
	if h.Env["GOMEMLIMIT"] != "" {
		return 0, false
	}
	// The files of control groups, version 2 and 1.
	for _, path := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		data, err := afero.ReadFile(h.FS, path)
		if err != nil {
			continue
		}
		// "max", and numbers near the maximum, mean no limit.
		if n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64); err == nil && n > 0 && n < 1<<50 {
			return n / 10 * 9, true
		}
	}
	return 0, false
}
