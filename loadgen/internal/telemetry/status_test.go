package telemetry_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/telemetry"
	"github.com/puttrix/trafficinator/shared/lifecycle"
	"github.com/puttrix/trafficinator/shared/lifecycle/lifecycletest"
	"github.com/puttrix/trafficinator/shared/metric"
	"github.com/puttrix/trafficinator/shared/phase"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/status"
)

// paused is a paused run.
type paused struct{ counts ledger.Counts }

func (p paused) Counts() ledger.Counts { return p.counts }
func (paused) Targets() []string       { return []string{"a"} }
func (paused) Phase() string           { return string(phase.Paused) }
func (paused) Pause() string           { return metric.PauseCap }
func (paused) Summary() runsummary.Summary {
	return runsummary.Summary{
		RunID: "r", PlanHash: "abc", OpenVisits: 7, Reasons: []runsummary.Reason{{Target: "a", Hits: 2}},
		Targets: map[string]runsummary.Target{"a": {Health: "degraded", LastError: "refused", Histogram: "large"}},
	}
}

func TestStatusReturnsTheCurrentRun(t *testing.T) {
	t.Parallel()
	counts := ledger.New(1).Counts()
	for _, took := range []time.Duration{2 * time.Millisecond, 40 * time.Millisecond, time.Minute} {
		if err := counts.Latency[0].RecordValue(took.Microseconds()); err != nil {
			t.Fatal(err)
		}
	}
	server, err := telemetry.Listen(t.Context(), "127.0.0.1:0", "1.2.3", paused{counts},
		slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	server.Start(t.Context())
	defer server.Stop() //nolint:errcheck // no more requests
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+server.Addr.String()+status.Path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	var s status.Snapshot
	if err := json.NewDecoder(resp.Body).Decode(&s); err != nil {
		t.Fatal(err)
	}
	if s.Version != "1.2.3" || s.Phase != phase.Paused || s.Pause != metric.PauseCap || s.Life.IsZero() ||
		s.Run.RunID != "r" || s.Run.PlanHash != "abc" || s.Run.OpenVisits != 7 || len(s.Run.Reasons) != 1 {
		t.Errorf("got %+v", s)
	}
	if a := s.Run.Targets["a"]; a.Health != "degraded" || a.LastError != "refused" || a.Histogram != "" {
		t.Errorf("want health and error of the target and no histogram: %+v", a)
	}
	// 1, 2.5, 5, 10, 25 and 50 ms, then up to 30 s, and all.
	want := []uint64{0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3}
	if got := s.Targets["a"].Answered; !slices.Equal(got, want) {
		t.Errorf("answered within the bounds: %v, want %v", got, want)
	}
}

func TestServerMeetsTheLifecycleContract(t *testing.T) {
	t.Parallel()
	lifecycletest.Stress(t, func(t *testing.T) *lifecycle.Service {
		server, err := telemetry.Listen(t.Context(), "127.0.0.1:0", "1.2.3",
			paused{ledger.New(1).Counts()}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		return server.Service
	})
}
