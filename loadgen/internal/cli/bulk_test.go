package cli

import (
	"bytes"
	"io"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/sink"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// bulkOnly counts requests with many hits.
func bulkOnly(n *atomic.Int32) instead {
	return func(_ int, _ http.ResponseWriter, r *http.Request) bool {
		body, err := io.ReadAll(r.Body)
		if err == nil && bytes.HasPrefix(body, []byte(`{"requests":["?`)) {
			n.Add(1)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		return false
	}
}

func TestBulkRunIsRecordedAsSent(t *testing.T) {
	t.Parallel()
	for name, more := range map[string]map[string]string{
		"with a token":    nil,
		"without a token": {"MATOMO_TOKEN_AUTH": ""},
		"with pauses":     {"PAUSE_BETWEEN_PVS_MAX": "1", "BULK_MAX_DELAY": "0.2s", "BULK_SIZE": "20"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int32
			m := newMatomo(t, sink.Config{}, bulkOnly(&requests))
			env := settings(m, map[string]string{"SEND_MODE": "bulk", "STATE_DIR": filepath.Join(t.TempDir(), "state"),
				"SUMMARY_FILE": filepath.Join(t.TempDir(), "s.json")})
			for key, v := range more {
				env[key] = v
			}
			l := start(t, afero.NewOsFs(), env)
			l.ends(t, exitcode.OK)
			s := l.summary(t)
			addsUp(t, s)
			recorded(t, s, m)
			sent(t, s, 100)
			if n := int(requests.Load()); n == 0 || n > int(s.Hits.Accepted)/3 {
				t.Errorf("%d hits in %d requests", s.Hits.Accepted, n)
			}
			if s.Bulk == nil || s.Bulk.Tracked != s.Hits.Accepted || s.Bulk.Requests != uint64(requests.Load()) {
				t.Errorf("receipts %+v for %d accepted hits", s.Bulk, s.Hits.Accepted)
			}
		})
	}
}

func TestBulkSendsTheSameHitsAsSingle(t *testing.T) {
	t.Parallel()
	planned := func(mode string) map[string]runsummary.Hits {
		m := newMatomo(t, sink.Config{}, nil)
		l := start(t, afero.NewMemMapFs(), settings(m, map[string]string{"SEND_MODE": mode, "RUN_ID": "same"}))
		l.ends(t, exitcode.OK)
		s := l.summary(t)
		sent(t, s, 100)
		recorded(t, s, m)
		return s.ByKind
	}
	single, bulk := planned("single"), planned("bulk")
	for kind, h := range single {
		if bulk[kind].Planned != h.Planned {
			t.Errorf("%s: %d singly, %d in bulk", kind, h.Planned, bulk[kind].Planned)
		}
	}
}
