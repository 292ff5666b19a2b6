package cli

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/sink"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// closed is a firewall that refuses two requests in three, after some that let the target prove itself.
func closed(n int, w http.ResponseWriter, _ *http.Request) bool {
	if n < 4 || n%3 == 0 {
		return false
	}
	w.Header().Set("Server", "gate/1")
	w.WriteHeader(http.StatusForbidden)
	_, _ = io.WriteString(w, "<html><h1>Blocked by policy</h1></html>")
	return true
}

// theReason is the one reason of a class.
func theReason(t *testing.T, reasons []runsummary.Reason, class string) runsummary.Reason {
	t.Helper()
	for _, r := range reasons {
		if r.Class == class {
			return r
		}
	}
	t.Fatalf("no hit is %s: %+v", class, reasons)
	return runsummary.Reason{}
}

// builtIn leaves a run its built-in threshold.
var builtIn = map[string]string{"THRESHOLDS": ""}

func TestRunWithMostHitsNotAcceptedFailsWithReasons(t *testing.T) {
	t.Parallel()
	m := newMatomo(t, sink.Config{}, closed)
	fsys := afero.NewMemMapFs()
	l := start(t, fsys, settings(m, builtIn), "run", "--junit", "/out/run.xml")
	l.ends(t, exitcode.Missed)
	s := l.summary(t)
	addsUp(t, s)
	if r := theReason(t, s.Reasons, "in_front"); r.Status != 403 || r.Server != "gate/1" ||
		r.Excerpt != "Blocked by policy" || r.Hits != s.Hits.Rejected {
		t.Errorf("%+v of %+v", r, s.Hits)
	}
	if len(s.Thresholds) != 1 || !s.Thresholds[0].BuiltIn || s.Thresholds[0].Held {
		t.Errorf("%+v", s.Thresholds)
	}
	for _, want := range []string{"not accepted:",
		`something in front of Matomo answered 403 (Server: gate/1): "Blocked by policy"`,
		"error_share<50% (default)"} {
		if !l.stderr.has(want) {
			t.Errorf("the end does not report %s:\n%s", want, l.stderr.String())
		}
	}
	if n := strings.Count(l.stderr.String(), "class=in_front"); n != 1 {
		t.Errorf("the log printed it %d times:\n%s", n, l.stderr.String())
	}
	junit, err := afero.ReadFile(fsys, "/out/run.xml")
	if err != nil || !strings.Contains(string(junit), `failures="1"`) ||
		!strings.Contains(string(junit), "Blocked by policy") {
		t.Errorf("%v:\n%s", err, junit)
	}
}

func TestSetThresholdReplacesTheDefault(t *testing.T) {
	t.Parallel()
	m := newMatomo(t, sink.Config{}, closed)
	l := start(t, afero.NewMemMapFs(), settings(m, map[string]string{"THRESHOLDS": "visits=100"}))
	l.ends(t, exitcode.OK)
	if s := l.summary(t); s.Hits.Rejected <= s.Hits.Accepted || len(s.Thresholds) != 1 || s.Thresholds[0].BuiltIn {
		t.Errorf("%+v, %+v", s.Hits, s.Thresholds)
	}
}

// queue takes bulk requests as Matomo does with QueuedTracking: it answers with an image, and tracks all the same.
func queue(sink func() http.Handler) instead {
	return func(_ int, w http.ResponseWriter, r *http.Request) bool {
		sink().ServeHTTP(httptest.NewRecorder(), r)
		w.Header().Set("Content-Type", "image/gif")
		_, _ = io.WriteString(w, "GIF89a\x01\x00\x01\x00\x80\x00\x00")
		return true
	}
}

func TestBulkResponseOfAQueueIsAccepted(t *testing.T) {
	t.Parallel()
	var m *matomo
	m = newMatomo(t, sink.Config{}, queue(func() http.Handler { return m.Sink }))
	l := start(t, afero.NewMemMapFs(), settings(m, map[string]string{"SEND_MODE": "bulk"}))
	l.ends(t, exitcode.OK)
	s := l.summary(t)
	addsUp(t, s)
	sent(t, s, 100)
	recorded(t, s, m)
	if r := theReason(t, s.Warnings, "accepted_no_receipt"); r.Hits != s.Hits.Accepted {
		t.Errorf("%+v of %+v", r, s.Hits)
	}
	if n := strings.Count(l.stderr.String(), "class=accepted_no_receipt"); n != 1 ||
		!l.stderr.has("no receipt for a bulk request, a queue is active") {
		t.Errorf("the log printed it %d times:\n%s", n, l.stderr.String())
	}
}

func TestBackfillThroughAQueueIsComplete(t *testing.T) {
	t.Parallel()
	a := newArchive(t, "CET", time.Now)
	a.lose = queue(func() http.Handler { return a.Sink })
	l := start(t, afero.NewMemMapFs(), pastSettings(a, map[string]string{"BULK_SIZE": "20"}))
	l.ends(t, exitcode.OK)
	s := l.summary(t)
	addsUp(t, s)
	if n := a.Counts().Total.Visits; s.Hits.Accepted != s.Hits.Planned || uint64(n) != s.Visits.Planned ||
		theReason(t, s.Warnings, "accepted_no_receipt").Hits != s.Hits.Accepted {
		t.Errorf("%+v, %d visits at the sink, %+v", s.Hits, n, s.Warnings)
	}
}

func TestBackfillWithMostHitsNotAcceptedFails(t *testing.T) {
	t.Parallel()
	a := newArchive(t, "CET", time.Now)
	a.lose = func(n int, w http.ResponseWriter, r *http.Request) bool { return n%4 != 0 && closed(4, w, r) }
	l := start(t, afero.NewMemMapFs(), pastSettings(a, map[string]string{"BULK_SIZE": "20", "BACKFILL_SHARDS": "1"}))
	l.ends(t, exitcode.Missed)
	s := l.summary(t)
	addsUp(t, s)
	if r := theReason(t, s.Reasons, "in_front"); s.Reason != "backfill_finished" || r.Hits != s.Hits.Rejected ||
		r.Excerpt != "Blocked by policy" {
		t.Errorf("%s, %+v, %+v", s.Reason, s.Hits, s.Reasons)
	}
}
