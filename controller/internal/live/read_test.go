package live_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/live"
	"github.com/puttrix/trafficinator/shared/metric"
	"github.com/puttrix/trafficinator/shared/phase"
)

// answering is a loadgen that answers every question alike.
func answering(t *testing.T, code int, body string) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body)) // the test sees what is missing
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestStatusHasTheReasonOfAPause(t *testing.T) {
	t.Parallel()
	base := answering(t, http.StatusOK, `{"phase":"paused","pause":"state_full","run":{"run_id":"r","open_visits":3}}`)
	s, err := live.Read(t.Context(), http.DefaultClient, base)
	if err != nil || s.Pause != metric.PauseState || s.Phase != phase.Paused || s.Run.OpenVisits != 3 {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestLoadgenWithoutStatusHasAnotherVersion(t *testing.T) {
	t.Parallel()
	if _, err := live.Read(t.Context(), http.DefaultClient,
		answering(t, http.StatusNotFound, "404 page not found")); !errors.Is(err, launcher.ErrVersionMismatch) {
		t.Errorf("want %v, got %v", launcher.ErrVersionMismatch, err)
	}
	if _, err := live.Read(t.Context(), http.DefaultClient,
		answering(t, http.StatusInternalServerError, "")); err == nil || errors.Is(err, launcher.ErrVersionMismatch) {
		t.Errorf("want another error than a version mismatch, got %v", err)
	}
}
