// Package telemetry owns how the loadgen is watched from outside: /metrics for Prometheus, /status for the controller
// and /healthz. It counts nothing itself.
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

// Health is the answer of /healthz.
type Health struct {
	Status string `json:"status"`
	Phase  string `json:"phase"`
	RunID  string `json:"run_id,omitempty"`
}

// Source is what is watched.
type Source interface {
	// Counts is the ledger as it stands; its targets are those of Targets.
	Counts() ledger.Counts
	Targets() []string
	// Summary is the run as it stands; of a loadgen that idles it has the run id and the plan hash alone. It waits for
	// no disk.
	Summary() runsummary.Summary
	Phase() string
	// Pause is why new visits pause, one of package metric; empty where they do not.
	Pause() string
}

// Server serves once it is started, until it is stopped.
type Server struct {
	*lifecycle.Service
	// Addr is where it listens.
	Addr net.Addr
}

// Listen opens addr at once, so that a taken port is told before the run. The server shows what the source of the
// moment tells. version is that of the loadgen.
func Listen(ctx context.Context, addr, version string, now func() Source, log *slog.Logger) (*Server, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen for telemetry: %w", err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(newCollector(now), collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	answer := func(path string, make func() any) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if err := json.NewEncoder(w).Encode(make()); err != nil {
				log.Debug("answer not written", "path", path, "err", err)
			}
		})
	}
	answer("/healthz", func() any { return Health{"ok", now().Phase(), now().Summary().RunID} })
	began := time.Now().UTC()
	answer(status.Path, func() any { return snapshot(now(), version, began) })
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
			log.Warn("telemetry did not close well", "err", err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve telemetry: %w", err)
		}
		return nil
	}).OnStop(func() error {
		_ = ln.Close() // which serving did, where it was started
		return nil
	})
	return &Server{service, ln.Addr()}, nil
}

// snapshot is a source at a moment.
func snapshot(s Source, version string, began time.Time) status.Snapshot {
	out := status.Snapshot{Version: version, Phase: phase.Phase(s.Phase()), Pause: s.Pause(), Life: began,
		Run: s.Summary(), Targets: map[string]status.Target{}}
	counts := s.Counts()
	for i, name := range s.Targets() {
		latency, _ := cumulativeLatency(counts.Latency[i])
		out.Targets[name] = status.Target{InFlight: uint64(counts.Total(i).InFlight), Answered: latency}
		if t, there := out.Run.Targets[name]; there {
			t.Histogram, t.Opened = "", runsummary.Opened{}
			out.Run.Targets[name] = t
		}
	}
	out.Run.Opened = runsummary.Opened{}
	return out
}
