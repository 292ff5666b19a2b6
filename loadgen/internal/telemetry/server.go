// Package telemetry owns the loadgen's monitoring endpoints: /metrics for Prometheus, /status for the controller, and
// /healthz. It counts nothing itself.
package telemetry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/shared/lifecycle"
	"github.com/puttrix/trafficinator/shared/phase"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/status"
)

// Health is the response of /healthz.
type Health struct {
	Status string `json:"status"`
	Phase  string `json:"phase"`
	RunID  string `json:"run_id,omitempty"`
}

// Source is the monitored run.
type Source interface {
	// Counts returns the current ledger, with targets in the order of Targets.
	Counts() ledger.Counts
	Targets() []string
	// Summary returns the current run summary without disk access. While idle it has only the run id and the plan hash.
	Summary() runsummary.Summary
	Phase() string
	// Pause returns why no visits start, one of package metric, or "".
	Pause() string
}

// Server serves from Start to Stop.
type Server struct {
	*lifecycle.Service
	// Addr is the listen address.
	Addr net.Addr
}

// Listen listens on addr at once, so that a port in use is reported before the run starts. version is the loadgen's.
func Listen(ctx context.Context, addr, version string, source Source, log *slog.Logger) (*Server, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen for telemetry: %w", err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(newCollector(source), collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	serveJSON := func(path string, response func() any) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if err := json.NewEncoder(w).Encode(response()); err != nil {
				log.Debug("write response", "path", path, "err", err)
			}
		})
	}
	serveJSON("/healthz", func() any { return Health{"ok", source.Phase(), source.Summary().RunID} })
	started := time.Now().UTC()
	serveJSON(status.Path, func() any { return snapshot(source, version, started) })
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 30 * time.Second}
	service := lifecycle.New("telemetry", func(ctx context.Context) error {
		served := make(chan error, 1)
		go func() { served <- srv.Serve(ln) }()
		select {
		case err := <-served:
			return fmt.Errorf("serve telemetry: %w", err)
		case <-ctx.Done():
		}
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if err := srv.Shutdown(end); err != nil {
			log.Warn("telemetry shutdown was not clean", "err", err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve telemetry: %w", err)
		}
		return nil
	}).OnStop(func() error {
		_ = ln.Close() // already closed if the server was started
		return nil
	})
	return &Server{service, ln.Addr()}, nil
}

func snapshot(s Source, version string, started time.Time) status.Snapshot {
	out := status.Snapshot{Version: version, Phase: phase.Phase(s.Phase()), Pause: s.Pause(), Life: started,
		Run: s.Summary(), Targets: map[string]status.Target{}}
	counts := s.Counts()
	for i, name := range s.Targets() {
		latency, _ := cumulativeLatency(counts.Latency[i])
		out.Targets[name] = status.Target{InFlight: uint64(counts.Total(i).InFlight), Answered: latency}
		if t, ok := out.Run.Targets[name]; ok {
			t.Histogram, t.Opened = "", runsummary.Opened{}
			out.Run.Targets[name] = t
		}
	}
	out.Run.Opened = runsummary.Opened{}
	return out
}
