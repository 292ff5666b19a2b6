package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/puttrix/trafficinator/shared/exitcode"
)

// HealthCheck asks a running controller for its health.
func HealthCheck(ctx context.Context, _ []string, h Host) int {
	c, ok := newCaller(h, flag.NewFlagSet("healthcheck", flag.ContinueOnError), nil)
	if !ok {
		return exitcode.BadConfig
	}
	c.client.Timeout = 5 * time.Second
	resp, err := c.call(ctx, http.MethodGet, "/health")
	if err != nil {
		return c.host.fail(err)
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	if _, err := io.Copy(h.Stdout, io.LimitReader(resp.Body, 4096)); err != nil {
		return c.host.fail(fmt.Errorf("read answer: %w", err))
	}
	return exitcode.OK
}
