package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/console"
	"github.com/puttrix/trafficinator/loadgen/internal/host"
	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/loadgen/internal/telemetry"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/spec"
)

func healthCommand(ctx context.Context, h host.Host) int {
	env, _, _ := plan.MergeEnv(h.FS, h.Env) // problems of the file are the run's to tell
	s, problems := spec.Parse(env, h.ReadFile)
	if s.TelemetryAddr == "" {
		console.Problems(h.Stderr, h.JSONLines(), problems)
		return exitcode.BadConfig
	}
	if s.TelemetryAddr == "off" {
		_, _ = fmt.Fprintln(h.Stdout, "TELEMETRY_ADDR is off: nobody can be asked")
		return exitcode.OK // a container that does its work must not be called unhealthy
	}
	name, port, err := net.SplitHostPort(s.TelemetryAddr)
	if err != nil {
		console.Problems(h.Stderr, h.JSONLines(), problems)
		return exitcode.BadConfig
	}
	if name == "" || name == "0.0.0.0" || name == "::" {
		name = "127.0.0.1"
	}
	s.TelemetryAddr = net.JoinHostPort(name, port)
	return queryHealth(ctx, h, s)
}

// queryHealth asks the loadgen at s.TelemetryAddr. Where nobody chose that address the run may be at another one.
func queryHealth(ctx context.Context, h host.Host, s spec.Spec) int {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.TelemetryAddr+"/healthz", nil)
	if err != nil {
		_, _ = fmt.Fprintln(h.Stderr, err)
		return exitcode.BadConfig
	}
	unset := ""
	if !s.Set["TELEMETRY_ADDR"] {
		unset = "; TELEMETRY_ADDR is not set, so that a run takes a free port where this one is taken: set it " +
			"to what the run's log says"
	}
	resp, err := (&http.Client{Transport: &http.Transport{}}).Do(req) // which no proxy of the environment answers for
	if err != nil {
		_, _ = fmt.Fprintf(h.Stderr, "not healthy: %v%s\n", err, unset)
		return exitcode.Internal
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	var health telemetry.Health
	switch {
	case err != nil || resp.StatusCode != http.StatusOK:
		_, _ = fmt.Fprintf(h.Stderr, "not healthy: answered %d%s\n", resp.StatusCode, unset)
	case json.Unmarshal(body, &health) != nil || health.Phase == "":
		_, _ = fmt.Fprintf(h.Stderr, "not healthy: what answers at %s is no loadgen%s\n", s.TelemetryAddr, unset)
	case unset != "" && s.RunID != "" && health.RunID != s.RunID:
		_, _ = fmt.Fprintf(h.Stderr, "not healthy: the loadgen at %s has the run %q, not %q%s\n", s.TelemetryAddr,
			health.RunID, s.RunID, unset)
	default:
		_, _ = h.Stdout.Write(body)
		return exitcode.OK
	}
	return exitcode.Internal
}
