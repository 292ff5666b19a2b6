package cli

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/sink"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/exitcode"
)

// upTo answers 413 to requests with more bytes, as nginx does.
func upTo(bytes int64) instead {
	return func(_ int, w http.ResponseWriter, r *http.Request) bool {
		if r.ContentLength <= bytes {
			return false
		}
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		_, _ = io.WriteString(w, "<html><h1>413 Request Entity Too Large</h1></html>")
		return true
	}
}

// readAsPHP reads no more than 1,000 parameters of a form, which is max_input_vars of PHP, and a token behind them is
// none.
func readAsPHP(_ int, w http.ResponseWriter, r *http.Request) bool {
	body, err := io.ReadAll(r.Body)
	if err == nil && strings.Count(string(body), "&") < 1000 {
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		return false
	}
	w.WriteHeader(http.StatusBadRequest)
	return true
}

func TestLargeRequestIsReadCompletelyByPHP(t *testing.T) {
	t.Parallel()
	m := newMatomo(t, sink.Config{}, readAsPHP)
	l := start(t, afero.NewMemMapFs(), settings(m, nil), "check", "--connect")
	l.ends(t, exitcode.OK)
	if !strings.Contains(l.stdout.String(), "accepts the largest request of the run, ") {
		t.Errorf("stdout:\n%s", l.stdout.String())
	}
}

func TestCheckConnectTriesTheLargestRequest(t *testing.T) {
	t.Parallel()
	bulk := map[string]string{"SEND_MODE": "bulk", "BULK_SIZE": "2000"}
	past := map[string]string{"BACKFILL_ENABLED": "true", "BACKFILL_DAYS_BACK": "3", "BACKFILL_DURATION_DAYS": "3",
		"BULK_SIZE": "500", "STOP_AFTER_VISITS": ""}
	for name, c := range map[string]struct {
		env   map[string]string
		limit int64
		code  int
		want  []string // patterns
	}{
		"bulk": {bulk, 64 << 20, exitcode.OK, []string{"accepts the largest request of the run, "}},
		"bulk, nginx's own limit": {bulk, 1 << 20, exitcode.OK,
			[]string{"rejects the largest request of the run, ", "413", `BULK_SIZE=(999|1000)\b`,
				"client_max_body_size"}},
		"a backfill, a small limit": {past, 64 << 10, exitcode.OK, []string{"rejects the largest request of the run, ", "BULK_SIZE=62"}},
		"single hits":               {nil, 1 << 20, exitcode.OK, []string{"accepts the largest request of the run, "}},
		"single hits, too large": {nil, 700, exitcode.NoTarget,
			[]string{"rejects the largest request of the run, ", "client_max_body_size"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMatomo(t, sink.Config{}, upTo(c.limit))
			l := start(t, afero.NewMemMapFs(), settings(m, c.env), "check", "--connect")
			l.ends(t, c.code)
			for _, want := range c.want {
				if !regexp.MustCompile(want).MatchString(l.stdout.String()) {
					t.Errorf("stdout lacks %q:\n%s", want, l.stdout.String())
				}
			}
			if n := m.Counts().Total.Visits; n != 0 {
				t.Errorf("%d visits were left there", n)
			}
			for _, v := range m.Violations() {
				t.Errorf("the sink objects: %s", v)
			}
		})
	}
}

func TestRunReducesRequestsThatAreTooLarge(t *testing.T) {
	t.Parallel()
	m := newMatomo(t, sink.Config{}, upTo(64<<10))
	l := start(t, afero.NewMemMapFs(), settings(m, map[string]string{
		"SEND_MODE": "bulk", "BULK_SIZE": "2000", "BULK_MAX_DELAY": "1", "STOP_AFTER_VISITS": "400",
		"TARGET_VISITS_PER_DAY": "17280000", "LOG_LEVEL": "INFO",
	}))
	l.ends(t, exitcode.OK)
	s := l.summary(t)
	addsUp(t, s)
	recorded(t, s, m)
	if s.Hits.Failed > 0 || s.Hits.Accepted == 0 || len(s.Reasons) > 0 && s.Reasons[0].Class != answer.Late.String() ||
		!l.stderr.has("request too large for the target") {
		t.Errorf("%+v, %+v:\n%s", s.Hits, s.Reasons, l.stderr.String())
	}
}

func TestBackfillReducesRequestsThatAreTooLarge(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return time.Date(2026, 6, 16, 12, 0, 0, 0, time.UTC) }
	a, fsys := newArchive(t, "CET", now), afero.NewMemMapFs()
	a.lose = func(_ int, w http.ResponseWriter, r *http.Request) bool { return upTo(32<<10)(0, w, r) }
	env := pastSettings(a, map[string]string{"BULK_SIZE": "500"})
	l := startAt(t, fsys, now, env)
	l.ends(t, exitcode.OK)
	s := l.summary(t)
	addsUp(t, s)
	if s.Visits.Complete != s.Backfill.Visits || a.Counts().Total.Visits != int64(s.Visits.Complete) ||
		!l.stderr.has("request too large for the target") {
		t.Errorf("%+v of %d visits:\n%s", s.Visits, s.Backfill.Visits, l.stderr.String())
	}
	if strings.Count(l.stderr.String(), "request too large for the target") > 9 {
		t.Errorf("the size that works is not reused:\n%s", l.stderr.String())
	}
}
