package evidence_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/reconcile/evidence"
	"github.com/puttrix/trafficinator/shared/target"
)

func TestFailuresOfOtherSitesAreNotOurs(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(
			`[{"idsite":3,"date_first_occurred":"2026-11-24 23:10:33","problem":"The authentication token is wrong."},{"idsite":4,"date_first_occurred":"2026-11-24 23:10:33","problem":"x"}]`,
		))
	}))
	t.Cleanup(server.Close)
	at := target.Target{URL: server.URL + "/matomo.php", SiteID: 3}
	failures, err := evidence.NewClient(time.Minute, target.Environment{}).Failures(t.Context(), at)
	if err != nil || len(failures) != 1 || !strings.Contains(failures[0].Problem, "token") {
		t.Errorf("%+v, %v", failures, err)
	}
}
