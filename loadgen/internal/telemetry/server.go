// Package telemetry owns how the loadgen is watched from outside: /metrics and /healthz. It counts nothing itself.
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
)

// Health is the answer of /healthz.
type Health struct {
	Status string `json:"status"`
	Phase  string `json:"phase"`
	RunID  string `json:"run_id,omitempty"`
}

// Server serves until Close.
type Server struct {
	http *http.Server
	addr net.Addr
	done chan error
}

// Listen opens addr at once, so that a taken port is told before the run, and serves the source's metrics there.
func Listen(ctx context.Context, addr string, s Source, log *slog.Logger) (*Server, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen for telemetry: %w", err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(newCollector(s), collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(Health{"ok", s.Phase(), s.RunID()}); err != nil {
			log.Debug("health answer not written", "err", err)
		}
	})
	srv := &Server{
		http: &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
			WriteTimeout: 30 * time.Second},
		addr: ln.Addr(), done: make(chan error, 1),
	}
	go func() { srv.done <- srv.http.Serve(ln) }()
	return srv, nil
}

// Addr is where the server listens.
func (s *Server) Addr() string { return s.addr.String() }

// Close stops serving and awaits the end of it.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if served := <-s.done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
