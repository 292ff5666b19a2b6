package calendar_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/shared/calendar"
)

func TestZonesAreReadAsMatomoWritesThem(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	for name, want := range map[string]string{
		"UTC": "12:00", "UTC+1": "13:00", "UTC+5.5": "17:30", "UTC-3.5": "08:30", "UTC+5.75": "17:45",
		"UTC-12": "00:00", "UTC+13.75": "01:45",
		"CET": "13:00", "Asia/Kolkata": "17:30", "America/St_Johns": "08:30", "Etc/GMT-5": "17:00",
	} {
		z, err := calendar.ParseZone(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := noon.In(z.Location()).Format("15:04"); got != want {
			t.Errorf("at noon UTC it is %s in %s, want %s", got, name, want)
		}
		if z.String() != name || z.Location().String() != name {
			t.Errorf("%s is called %s and %s", name, z, z.Location())
		}
		var back calendar.Zone
		if text, err := json.Marshal(z); err != nil || json.Unmarshal(text, &back) != nil || back.String() != name {
			t.Errorf("%s comes back from JSON as %s", name, back)
		}
	}
}

func TestAnUnknownZoneComesWithWhatToWrite(t *testing.T) {
	t.Parallel()
	for name, cure := range map[string]string{
		"": "IANA", "Local": "IANA", "Europe/Stokholm": "IANA", "../etc/passwd": "IANA",
		"UTC+5:30": "use UTC+5.5", "utc+1": "use UTC+1", "GMT-03:30": "use UTC-3.5", "+0545": "use UTC+5.75",
		"UTC 5,5": "use UTC+5.5",
		"UTC+15":  "-12 to +14", "UTC-12.5": "-12 to +14",
	} {
		z, err := calendar.ParseZone(name)
		if err == nil || !strings.Contains(err.Error(), cure) {
			t.Errorf("%q is read as %s: %v; want %q", name, z, err, cure)
		}
	}
}

func TestZonesDifferByTheirDaysAndNotByTheirNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ a, b, first, last, differ string }{
		{"Europe/Berlin", "UTC+1", "2026-01-01", "2026-03-28", ""},
		{"Europe/Berlin", "UTC+1", "2026-03-20", "2026-04-03", "2026-03-29"},
		{"Europe/Berlin", "CET", "2026-01-01", "2026-06-30", ""},
		{"Asia/Kolkata", "UTC+5.5", "2026-01-01", "2026-06-30", ""},
		{"Asia/Kolkata", "UTC+5", "2026-01-01", "2026-01-01", "2026-01-01"},
		{"UTC", "Africa/Abidjan", "2026-01-01", "2026-01-01", ""},
		{"Europe/Berlin", "Europe/Stockholm", "2026-10-20", "2026-10-30", ""},
	} {
		a, errA := calendar.ParseZone(c.a)
		b, errB := calendar.ParseZone(c.b)
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		got := ""
		if d, differ := a.FirstDifference(b, date(t, c.first), date(t, c.last)); differ {
			got = d.String()
		}
		if got != c.differ {
			t.Errorf("%s and %s differ from %s to %s on %q, want %q", c.a, c.b, c.first, c.last, got, c.differ)
		}
	}
}
