package cli

import (
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/sink"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// Ninety days by the curve of a typical site and with a trend, around each change of the clock of two zones: of 50
// visits a day, mostly of one page, so that it takes seconds, or with -full of 2,000 as people make them.
func TestBackfillIsExactPerDayAcrossClockChanges(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		zone, first, last, changes string
	}{
		{"Europe/Berlin", "2026-02-01", "2026-05-01", "2026-03-29"},
		{"Europe/Berlin", "2026-09-01", "2026-11-29", "2026-10-25"},
		{"America/New_York", "2026-02-01", "2026-05-01", "2026-03-08"},
		{"America/New_York", "2026-09-01", "2026-11-29", "2026-11-01"},
	} {
		t.Run(c.zone+" "+c.changes, func(t *testing.T) {
			t.Parallel()
			z, err := time.LoadLocation(c.zone)
			if err != nil {
				t.Fatal(err)
			}
			last, err := time.ParseInLocation(time.DateOnly, c.last, z)
			if err != nil {
				t.Fatal(err)
			}
			now := func() time.Time { return last.Add(30 * time.Hour) }
			a := newArchive(t, c.zone, now)
			env := pastSettings(a, map[string]string{
				"BACKFILL_START_DATE": c.first, "BACKFILL_END_DATE": c.last, "BACKFILL_DAYS_BACK": "",
				"BACKFILL_DURATION_DAYS": "",
				"TIMEZONE":               c.zone, "BACKFILL_MAX_VISITS_PER_DAY": "0", "BACKFILL_WEEKLY_TREND": "0.01",
				"TARGET_VISITS_PER_DAY": "50", "BOUNCE_PROBABILITY": "0.9",
			})
			least := uint64(90 * 45)
			if *full {
				env["TARGET_VISITS_PER_DAY"], env["BOUNCE_PROBABILITY"], least = "2000", "0", 90*1800
			}
			l := startAt(t, afero.NewMemMapFs(), now, env)
			if code := l.wait(t, bigJob); code != exitcode.OK {
				t.Fatalf("exit code %d:\n%s", code, l.stderr.String())
			}
			s := l.summary(t)
			a.agrees(t, s)
			if n := len(s.Backfill.Days); n != 90 || s.Backfill.Visits < least || s.Reason != "backfill_finished" {
				t.Errorf("%d visits on %d days, ended %s", s.Backfill.Visits, n, s.Reason)
			}
		})
	}
}

func TestBackfillOfTodayEndsNow(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return time.Date(2026, 6, 16, 13, 30, 0, 0, time.UTC) } // 9:30 there
	a := newArchive(t, "America/New_York", now)
	l := startAt(t, afero.NewMemMapFs(), now, pastSettings(a, map[string]string{
		"TIMEZONE": "America/New_York", "BACKFILL_DAYS_BACK": "1", "BACKFILL_DURATION_DAYS": "2",
		"TARGET_VISITS_PER_DAY": "300",
		"THRESHOLDS":            "achieved_rate>98%", // a job has the thresholds of live traffic
	}))
	l.ends(t, exitcode.OK)
	s := l.summary(t)
	a.agrees(t, s) // the sink would book a hit of the future as now, and objects
	if y, d := s.Backfill.Days[0].Planned, s.Backfill.Days[1].Planned; d < y/20 || d > y/2 {
		t.Errorf("yesterday has %d visits, today until 9:30 %d", y, d)
	}
}

func TestStoppedBackfillResumesWithItsSeed(t *testing.T) {
	t.Parallel()
	a, fsys := newArchive(t, "CET", time.Now), afero.NewMemMapFs()
	a.lose = func(int, http.ResponseWriter, *http.Request) bool {
		time.Sleep(5 * time.Millisecond)
		return false
	}
	env := pastSettings(a, map[string]string{"BULK_SIZE": "20", "RUN_SEED": "", "TELEMETRY_ADDR": "127.0.0.1:0"})
	l := start(t, fsys, env)
	eventually(t, "ten batches", func() bool { n, _ := a.seen(); return n > 10 })
	addr := address(t, l)
	for path, want := range map[string]string{"/healthz": `"phase":"running"`,
		"/metrics": `trafficinator_phase{phase="running"} 1`} {
		if text := get(t, "http://"+addr+path); !strings.Contains(text, want) {
			t.Errorf("%s lacks %s: %s", path, want, text)
		}
	}
	if text := get(t, "http://"+addr+"/metrics"); strings.Contains(text, "trafficinator_visits_due_total 0\n") {
		t.Errorf("no visit was due:\n%s", text)
	}
	l.signals <- syscall.SIGTERM
	l.ends(t, exitcode.Interrupted)
	s := l.summary(t)
	addsUp(t, s)
	if b := s.Backfill; len(b.Unknown) > 0 || b.BatchesDone == 0 || b.BatchesDone == b.Batches ||
		!strings.Contains(b.Invalidation.Command, "core:invalidate-report-data --sites=1 --dates=") {
		t.Fatalf("%+v", b)
	}
	a.lose = nil
	env["BACKFILL_RPS_LIMIT"], env["REQUEST_TIMEOUT"], env["TELEMETRY_ADDR"] = "400", "20", "off" // how fast may change
	// and how much in a request
	env["BULK_SIZE"] = "35"
	l = start(t, fsys, env)
	l.ends(t, exitcode.OK)
	again := l.summary(t)
	a.agrees(t, again)
	if again.Seed != s.Seed || again.RunID != s.RunID || !again.Started.Equal(s.Started) ||
		again.Kind != runsummary.BackfillJob {
		t.Errorf("seed %d, begun %s; before %d, %s", again.Seed, again.Started, s.Seed, s.Started)
	}
	if _, visitors := a.seen(); len(visitors) != int(again.Backfill.Visits) {
		t.Errorf("%d visitors in %d visits", len(visitors), again.Backfill.Visits)
	}
	env["TARGET_VISITS_PER_DAY"] = "70"
	l = start(t, fsys, env)
	l.ends(t, exitcode.BadConfig)
	if !l.stderr.has(`RUN_ID="past": was started with other settings`) {
		t.Errorf("other settings are not reported:\n%s", l.stderr.String())
	}
}

func TestBackfillInvalidatesReports(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ api, says string }{
		"allowed": {`["Success. The following dates were invalidated successfully: 2026-06-13"]`,
			"The reports of these days were invalidated"},
		"not allowed": {"", "./console core:invalidate-report-data --sites=1 --dates=2026-06-13,2026-06-15"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := func() time.Time { return time.Date(2026, 6, 16, 12, 0, 0, 0, time.UTC) }
			a := newArchive(t, "CET", now)
			a.api = c.api
			l := startAt(t, afero.NewMemMapFs(), now, pastSettings(a, nil))
			l.ends(t, exitcode.OK)
			s := l.summary(t)
			a.agrees(t, s)
			if !l.stderr.has(c.says) || s.Backfill.Invalidation.Done != (c.api != "") {
				t.Errorf("%+v is printed as\n%s", s.Backfill.Invalidation, l.stderr.String())
			}
			if last := a.asked[len(a.asked)-1]; last.Get("dates") != "2026-06-13,2026-06-14,2026-06-15" ||
				last.Get("token_auth") != token {
				t.Errorf("requests %v", a.asked)
			}
			if l.stderr.has(token) || !l.stderr.has("2026-06-14") {
				t.Errorf("the table of the days is\n%s", l.stderr.String())
			}
		})
	}
}

func TestBackfillRejectsDaysThatMatomoWouldReject(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return time.Date(2026, 6, 16, 12, 0, 0, 0, time.UTC) }
	for name, c := range map[string]struct {
		more map[string]string
		api  string
		want []string
	}{
		"no token": {map[string]string{"MATOMO_TOKEN_AUTH": ""}, "",
			[]string{"MATOMO_TOKEN_AUTH: is not set for target matomo", "24 hours"}},
		"deleted raw data": {nil,
			`["Warning: the following Dates have not been invalidated, because they are earlier than your Log Deletion limit: 2026-06-13\n The last day with logs is 2026-06-14."]`,
			[]string{`="2026-06-13": is older than the raw data kept by target matomo`}},
		"days of another zone": {nil, `{"idsite":1,"timezone":"UTC+1"}`,
			[]string{`TIMEZONE="CET": has different days from the site of target matomo in UTC+1, first on 2026-06-13`, "set TIMEZONE=UTC+1"}},
		"two windows and a bad date": {map[string]string{"BACKFILL_START_DATE": "2026-06-31",
			"BACKFILL_END_DATE": "2026-07-01"}, "",
			[]string{`BACKFILL_START_DATE="2026-06-31": is not a date`,
				`BACKFILL_END_DATE="2026-07-01": is in the future`, "conflicts with BACKFILL_START_DATE"}},
		"a bad window and another fault": {map[string]string{"BACKFILL_DURATION_DAYS": "9", "CONCURRENCY": "0"}, "",
			[]string{`CONCURRENCY="0": is below 1`, `BACKFILL_DURATION_DAYS="9": ends in the future`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newArchive(t, "CET", now)
			a.api = c.api
			fsys := afero.NewMemMapFs()
			l := startAt(t, fsys, now, pastSettings(a, c.more))
			l.ends(t, exitcode.BadConfig)
			for _, text := range c.want {
				if !l.stderr.has(text) {
					t.Errorf("%q is not reported:\n%s", text, l.stderr.String())
				}
			}
			if n, _ := a.seen(); n > 0 {
				t.Errorf("%d requests were sent", n)
			}
			// The name is not taken by that.
			a.api = ""
			startAt(t, fsys, now, pastSettings(a, nil)).ends(t, exitcode.OK)
		})
	}
}

func TestTimeZonesAreComparedByTheirDays(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return time.Date(2026, 1, 16, 12, 0, 0, 0, time.UTC) }
	a := newArchive(t, "CET", now)
	a.api = `{"idsite":1,"timezone":"UTC+1"}` // as CET in winter
	l := startAt(t, afero.NewMemMapFs(), now, pastSettings(a, nil))
	l.ends(t, exitcode.OK)
	a.agrees(t, l.summary(t))
}

func TestBackfillWarnsOfDaysBeforeTheSiteWasCreated(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return time.Date(2026, 6, 16, 12, 0, 0, 0, time.UTC) }
	for created, printed := range map[string]bool{"2026-06-16 08:00:00": true, "2026-06-14 08:00:00": false} {
		a := newArchive(t, "CET", now)
		a.api = `{"idsite":1,"timezone":"CET","ts_created":"` + created + `"}`
		l := startAt(t, afero.NewMemMapFs(), now, pastSettings(a, nil))
		l.ends(t, exitcode.OK)
		if got := l.stderr.has("has no reports of days before") && l.stderr.has("startDate=2026-06-12") &&
			l.stderr.has("admin access"); got != printed {
			t.Errorf("created %s: reported %t:\n%s", created, got, l.stderr.String())
		}
	}
}

func TestBackfillWithoutTokenSendsToday(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return time.Date(2026, 6, 16, 12, 0, 0, 0, time.UTC) }
	a := newArchive(t, "CET", now)
	l := startAt(t, afero.NewMemMapFs(), now, pastSettings(a, map[string]string{
		"MATOMO_TOKEN_AUTH": "", "BACKFILL_DAYS_BACK": "", "BACKFILL_DURATION_DAYS": "",
		"BACKFILL_START_DATE": "2026-06-16", "BACKFILL_END_DATE": "2026-06-16",
	}))
	l.ends(t, exitcode.OK)
	a.agrees(t, l.summary(t))
}

func TestTokenWithoutWriteAccessEndsTheJob(t *testing.T) {
	t.Parallel()
	a, fsys := newArchive(t, "CET", time.Now), afero.NewMemMapFs()
	env := pastSettings(a, map[string]string{"MATOMO_TOKEN_AUTH": "00000000000000000000000000000000", "BULK_SIZE": "20",
		"BACKFILL_SHARDS": "1"})
	l := start(t, fsys, env)
	l.ends(t, exitcode.NoTarget)
	if n, _ := a.seen(); n != 5 ||
		!l.stderr.has(
			"target matomo accepted nothing of 5 batches in a row: answered 200: all hits are invalid",
		) {
		t.Errorf("after %d requests:\n%s", n, l.stderr.String())
	}
	addsUp(t, l.summary(t))
	env["MATOMO_TOKEN_AUTH"] = token
	l = start(t, fsys, env)
	l.ends(t, exitcode.OK)
	s := l.summary(t)
	if v := s.Visits; v.Complete != s.Backfill.Visits || a.Counts().Total.Visits != int64(v.Complete) {
		t.Errorf("%+v of %d visits", v, s.Backfill.Visits)
	}
}

func TestBackfillRejectsTheIDOfAnotherRun(t *testing.T) {
	t.Parallel()
	a, fsys := newArchive(t, "CET", time.Now), afero.NewMemMapFs()
	m := newMatomo(t, sink.Config{}, nil)
	start(t, fsys, settings(m, map[string]string{"STATE_DIR": "/state", "RUN_ID": "past", "STOP_AFTER_VISITS": "5"})).
		ends(t, exitcode.OK)
	l := start(t, fsys, pastSettings(a, nil))
	l.ends(t, exitcode.BadConfig)
	if !l.stderr.has(`RUN_ID="past": is already used by another run`) {
		t.Errorf("stderr: %s", l.stderr.String())
	}
}

func TestCheckPrintsTheVisitsOfABackfill(t *testing.T) {
	t.Parallel()
	a := newArchive(t, "CET", time.Now)
	l := start(t, afero.NewMemMapFs(), pastSettings(a, nil), "check")
	l.ends(t, exitcode.OK)
	if !strings.Contains(l.stdout.String(), "visits on 3 days") {
		t.Errorf("check printed %s", l.stdout.String())
	}
	l = start(t, afero.NewMemMapFs(), pastSettings(a, map[string]string{"BACKFILL_DAYS_BACK": ""}), "check")
	l.ends(t, exitcode.BadConfig)
	if !l.stderr.has("BACKFILL_DAYS_BACK: is not set, but BACKFILL_DURATION_DAYS is") {
		t.Errorf("check printed %s", l.stderr.String())
	}
}
