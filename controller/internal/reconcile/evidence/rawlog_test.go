package evidence_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/reconcile/evidence"
	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/target"
)

// rawLog is a Matomo whose visits log holds n visits, 3 of which began in the minute that since lies in. asked counts
// the requests.
func rawLog(t *testing.T, n int, since time.Duration) (at target.Target, asked *int) {
	t.Helper()
	asked = new(int)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		*asked++
		switch r.PostForm.Get("method") {
		case "Live.getCounters":
			visits := n
			if minutes, _ := strconv.Atoi(r.PostForm.Get("lastMinutes")); time.Duration(minutes)*time.Minute < since {
				visits -= 3
			}
			_, _ = w.Write([]byte(`[{"visits":"` + strconv.Itoa(visits) + `","actions":` +
				strconv.Itoa(4*visits) + `}]`))
		case "Live.getLastVisitsDetails":
			if r.PostForm.Get("period") != "day" || strings.Contains(r.PostForm.Get("date"), ",") {
				t.Errorf("%v: Matomo skips wrong numbers of visits where there are several days", r.PostForm)
			}
			if offset, _ := strconv.Atoi(r.PostForm.Get("filter_offset")); offset < n {
				_, _ = w.Write([]byte(`[{"idVisit":"7"}]`))
				return
			}
			_, _ = w.Write([]byte("[]"))
		}
	}))
	t.Cleanup(server.Close)
	return target.Target{URL: server.URL + "/matomo.php", SiteID: 3, Token: "hush"}, asked
}

func TestTheRawLogIsCountedBackInWholeMinutes(t *testing.T) {
	const since = 90*time.Minute + 30*time.Second
	at, _ := rawLog(t, 250, since)
	got, err := evidence.NewClient(time.Minute, target.Environment{}).
		RawLogSince(t.Context(), at, time.Now().Add(-since), "")
	if err != nil || got.Visits != (evidence.Span{Least: 247, Most: 250}) || got.Actions == nil ||
		*got.Actions != (evidence.Span{Least: 988, Most: 1000}) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestVisitsOfAnyDayAreCountedByTheirPlace(t *testing.T) {
	slice := matomo.Query{From: day("2026-01-01"), To: day("2026-01-01")}
	for _, c := range []struct {
		visits int
		guess  uint64
		most   int
	}{{0, 0, 1}, {0, 100_000, 40}, {1, 0, 3}, {250, 250, 2}, {250, 251, 3}, {250, 0, 20}, {250, 9000, 40},
		{123_456, 123_000, 24}} {
		at, asked := rawLog(t, c.visits, 0)
		if got, err := evidence.NewClient(time.Minute, target.Environment{}).CountVisits(t.Context(), at, slice,
			map[string]uint64{"2026-01-01": c.guess}); err != nil || got != uint64(c.visits) || *asked > c.most {
			t.Errorf("%+v: %d, %v, by %d requests", c, got, err, *asked)
		}
	}
}

func TestVisitsOfSeveralDaysAreCountedDayByDay(t *testing.T) {
	at, asked := rawLog(t, 10, 0)
	slice, about := matomo.Query{From: day("2026-02-27"), To: day("2026-03-01")},
		map[string]uint64{"2026-02-27": 10, "2026-02-28": 10, "2026-03-01": 10}
	if got, err := evidence.NewClient(time.Minute, target.Environment{}).CountVisits(t.Context(), at, slice,
		about); err != nil || got != 30 || *asked != 6 {
		t.Errorf("%d, %v, by %d requests", got, err, *asked)
	}
}

func day(s string) time.Time { d, _ := time.Parse(time.DateOnly, s); return d }
