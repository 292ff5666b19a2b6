package export_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/shared/export"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

func TestALengthIsNotThatOfTheWallClock(t *testing.T) {
	r := tenSeconds()
	r.Summary.DurationSeconds = 20
	for name, ended := range map[string]time.Time{"set back": start.Add(-time.Hour),
		"set forward": start.Add(time.Hour)} {
		r.Summary.Ended = ended
		var b strings.Builder
		if err := export.JUnit(&b, r); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), `time="20.000"`) {
			t.Errorf("%s: JUnit has another time:\n%s", name, b.String())
		}
		if text := page(t, r); !strings.Contains(text, "· 20 s") ||
			!regexp.MustCompile(`id="hit-rate"[^>]*value="4.5"`).MatchString(text) {
			t.Errorf("%s: the page has another length, or another rate than 90 hits in 20 s", name)
		}
	}
}

func TestAStandstillIsReported(t *testing.T) {
	r := tenSeconds()
	r.Summary.Standstills = []runsummary.Standstill{{Seconds: 90, Visits: 1800, Hits: 5400},
		{Seconds: 3.5, Visits: 70, Hits: 200}}
	const want = "was suspended for 1 min 34 s (paused, or its machine asleep): 1,870 visits and 5,600 hits were not sent"
	var junit strings.Builder
	if err := export.JUnit(&junit, r); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"page": page(t, r), "JUnit": junit.String()} {
		if !strings.Contains(text, want) {
			t.Errorf("the %s does not mention it", name)
		}
	}
}

func TestThePageSaysHowManyVisitsMatomoMayHave(t *testing.T) {
	r := tenSeconds()
	r.Summary.Visits = runsummary.Visits{Planned: 30, Complete: 10, Partial: 4, Split: 1, Uncertain: 6,
		Repeated: 2, Lost: 10}
	if text := page(t, r); !strings.Contains(text, "15 to 23, because some hits are unknown") {
		t.Error("the page does not bound the visits of Matomo")
	}
}
