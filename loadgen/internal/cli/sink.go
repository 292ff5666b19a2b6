package cli

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/host"
	"github.com/puttrix/trafficinator/loadgen/internal/sink"
)

// sinkCommand runs the command sink until a signal. If TELEMETRY_ADDR is set, as in the image, it answers health checks
// there like a run: a container of the image has one healthcheck, whatever it runs.
func sinkCommand(ctx context.Context, args []string, h host.Host) int {
	ctx, cancel := context.WithCancel(ctx)
	var waiting sync.WaitGroup
	waiting.Go(func() {
		select {
		case <-h.Signals:
			cancel()
		case <-ctx.Done():
		}
	})
	defer waiting.Wait()
	defer cancel()
	if addr := h.Env["TELEMETRY_ADDR"]; addr != "" && addr != "off" {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
		if err != nil {
			_, _ = fmt.Fprintf(h.Stderr, "TELEMETRY_ADDR=%q: %v; the sink runs without a health endpoint\n",
				addr, err)
		} else {
			_, _ = fmt.Fprintf(h.Stderr, "health endpoint at http://%s/healthz\n", listener.Addr())
			waiting.Go(func() { serveHealth(ctx, listener) })
		}
	}
	return sink.Run(ctx, args, h.Stdout, h.Stderr)
}

func serveHealth(ctx context.Context, listener net.Listener) {
	server := &http.Server{ReadHeaderTimeout: 5 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprintln(w, `{"phase":"sink"}`)
		})}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })() // ends Serve
	_ = server.Serve(listener)                                    // the sink runs without it
}
