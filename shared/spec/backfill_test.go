package spec_test

import (
	"strings"
	"testing"
	"time"
)

// now is 23:30 of 2026-06-15 in New York, and the next day in Berlin.
var now = time.Date(2026, 6, 16, 3, 30, 0, 0, time.UTC)

func TestTheWindowIsTakenInTheSitesToday(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		settings    string
		first, last string
	}{
		{"BACKFILL_START_DATE=2026-06-01 BACKFILL_END_DATE=2026-06-16", "2026-06-01", "2026-06-16"},
		{"BACKFILL_DAYS_BACK=1 BACKFILL_DURATION_DAYS=1", "2026-06-15", "2026-06-15"},
		{"BACKFILL_DAYS_BACK=1 BACKFILL_DURATION_DAYS=2", "2026-06-15", "2026-06-16"},
		{"BACKFILL_DAYS_BACK=1 BACKFILL_DURATION_DAYS=1 TIMEZONE=America/New_York", "2026-06-14", "2026-06-14"},
		{"BACKFILL_DAYS_BACK=179 BACKFILL_DURATION_DAYS=180", "2025-12-19", "2026-06-16"},
	} {
		s, problems := parse(knobs(c.settings))
		days, more := s.Backfill(now)
		if err := append(problems, more...).Err(); err != nil {
			t.Errorf("%s: %v", c.settings, err)
			continue
		}
		if first, last := days[0].Date.String(), days[len(days)-1].Date.String(); first != c.first || last != c.last {
			t.Errorf("%s is %s to %s, want %s to %s", c.settings, first, last, c.first, c.last)
		}
	}
}

func TestEveryProblemOfAWindowIsReported(t *testing.T) {
	t.Parallel()
	for settings, want := range map[string][]string{
		"":                               {`BACKFILL_START_DATE: is not set, and neither is BACKFILL_DAYS_BACK`},
		"BACKFILL_START_DATE=2026-06-01": {`BACKFILL_END_DATE: is not set`},
		"BACKFILL_DURATION_DAYS=3":       {`BACKFILL_DAYS_BACK: is not set`},
		"BACKFILL_DAYS_BACK=x " +
			"BACKFILL_DURATION_DAYS=181": {`BACKFILL_DAYS_BACK="x": is not an integer`,
			`BACKFILL_DURATION_DAYS="181": is more than 180 days`},
		"BACKFILL_START_DATE=1999-13-99 " +
			"BACKFILL_END_DATE=3000-01-01": {`"1999-13-99": is not a date`,
			`"3000-01-01": is in the future; use at most 2026-06-16, today in Europe/Berlin`},
		"BACKFILL_START_DATE=2026-06-02 " +
			"BACKFILL_END_DATE=2026-06-01": {`"2026-06-02": is after BACKFILL_END_DATE=2026-06-01`},
		"BACKFILL_START_DATE=2025-12-18 " +
			"BACKFILL_END_DATE=2026-06-16": {`makes 181 days`},
		"BACKFILL_DAYS_BACK=1 " +
			"BACKFILL_DURATION_DAYS=3": {`ends in the future with BACKFILL_DAYS_BACK=1; use at most 2`},
		"BACKFILL_END_DATE=2026-06-17 BACKFILL_DAYS_BACK=400 BACKFILL_MAX_VISITS_TOTAL=-1 " +
			"LOAD_CURVE=1,2": {`BACKFILL_START_DATE: is not set`, `"2026-06-17": is in the future`,
			`"400": is above 365`, `BACKFILL_DURATION_DAYS: is not set`, `conflicts with BACKFILL_START_DATE`, `"-1": is below 0`,
			`LOAD_CURVE`},
		"BACKFILL_START_DATE=2026-06-01 BACKFILL_END_DATE=2026-06-02 BACKFILL_ENABLED=1 " +
			"CAPACITY_SEARCH=yes": {`CAPACITY_SEARCH="true": cannot be combined with BACKFILL_ENABLED`},
	} {
		s, problems := parse(knobs(settings))
		_, more := s.Backfill(now)
		reported := append(problems, more...).Errors()
		if len(reported) != len(want) {
			t.Errorf("%q: %d problems, want %d:\n%s", settings, len(reported), len(want), reported)
		}
		for _, text := range want {
			if !strings.Contains(reported.Error(), text) {
				t.Errorf("%q: %q is not reported:\n%s", settings, text, reported)
			}
		}
	}
}

func TestABackfillThatLoadsAMatomoForLongIsWarnedOf(t *testing.T) {
	t.Parallel()
	for settings, want := range map[string][]string{
		"BACKFILL_DAYS_BACK=90 " +
			"BACKFILL_DURATION_DAYS=90": nil,
		"BACKFILL_DAYS_BACK=91 " +
			"BACKFILL_DURATION_DAYS=91": {`BACKFILL_DURATION_DAYS: makes 91 days`},
		"BACKFILL_START_DATE=2026-01-01 " +
			"BACKFILL_END_DATE=2026-06-01": {`BACKFILL_END_DATE: makes 152 days`},
		"BACKFILL_DAYS_BACK=1 BACKFILL_DURATION_DAYS=1 " +
			"BACKFILL_MAX_VISITS_PER_DAY=9000": {`BACKFILL_MAX_VISITS_PER_DAY="9000": allows 9000 visits on the busiest day`},
		"BACKFILL_DAYS_BACK=1 BACKFILL_DURATION_DAYS=1 BACKFILL_MAX_VISITS_PER_DAY=9000 " +
			"TARGET_VISITS_PER_DAY=1000": nil,
		"BACKFILL_DAYS_BACK=1 BACKFILL_DURATION_DAYS=1 " +
			"BACKFILL_RPS_LIMIT=101": {`BACKFILL_RPS_LIMIT="101": is a high load`},
		"BACKFILL_DAYS_BACK=1 BACKFILL_DURATION_DAYS=1 BACKFILL_MAX_VISITS_TOTAL=50 " +
			"BACKFILL_MAX_VISITS_PER_DAY=100": {`BACKFILL_MAX_VISITS_TOTAL="50": is below BACKFILL_MAX_VISITS_PER_DAY=100`},
	} {
		s, problems := parse(knobs(settings + " BACKFILL_ENABLED=true"))
		_, more := s.Backfill(now)
		warned := append(problems, more...).Warnings()
		if len(warned) != len(want) {
			t.Errorf("%s: %v", settings, warned)
		}
		for _, text := range want {
			if !strings.Contains(warned.Error(), text) {
				t.Errorf("%s: nothing warns %q:\n%s", settings, text, warned)
			}
		}
	}
}

// knobs reads KEY=value, separated by spaces.
func knobs(settings string) map[string]string {
	env := map[string]string{"TIMEZONE": "Europe/Berlin"}
	for pair := range strings.FieldsSeq(settings) {
		key, v, _ := strings.Cut(pair, "=")
		env[key] = v
	}
	return env
}
