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
	env, _, _ := plan.MergeEnv(h.FS, h.Env) // the run reports problems of the file
	s, problems := spec.Parse(env, h.ReadFile)
	if s.TelemetryAddr == "" {
		console.Problems(h.Stderr, h.JSONLines(), problems)
		return exitcode.BadConfig
	}
	if s.TelemetryAddr == "off" {
		_, _ = fmt.Fprintln(h.Stdout, "TELEMETRY_ADDR is off: health is not checked")
		return exitcode.OK // the container must not count as unhealthy
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

// queryHealth queries the loadgen at s.TelemetryAddr. If that is the default, the run may listen on another port.
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
		unset = "; TELEMETRY_ADDR is not set, so the run may listen on another port: set it to the address in the log"
	}
	resp, err := (&http.Client{Transport: &http.Transport{}}).Do(req) // without a proxy
	if err != nil {
		_, _ = fmt.Fprintf(h.Stderr, "unhealthy: %v%s\n", err, unset)
		return exitcode.Internal
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	var health telemetry.Health
	switch {
	case err != nil || resp.StatusCode != http.StatusOK:
		_, _ = fmt.Fprintf(h.Stderr, "unhealthy: status %d%s\n", resp.StatusCode, unset)
	case json.Unmarshal(body, &health) != nil || health.Phase == "":
		_, _ = fmt.Fprintf(h.Stderr, "unhealthy: the server at %s is not a loadgen%s\n", s.TelemetryAddr, unset)
	case unset != "" && s.RunID != "" && health.RunID != s.RunID:
		_, _ = fmt.Fprintf(h.Stderr, "unhealthy: the loadgen at %s has run %q, not %q%s\n", s.TelemetryAddr,
			health.RunID, s.RunID, unset)
	default:
		_, _ = h.Stdout.Write(body)
		return exitcode.OK
	}
	return exitcode.Internal
}
