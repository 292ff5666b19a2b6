package calendar

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a machine or an image may have no zones
)

// Zone is the time zone of a site. The zero value is UTC.
type Zone struct {
	place *time.Location
}

// ZoneError is an unknown name of a zone.
type ZoneError struct {
	Name string
	Cure string
}

// Error implements error.
func (e *ZoneError) Error() string { return fmt.Sprintf("%q is not a time zone: %s", e.Name, e.Cure) }

var (
	// fixed matches Matomo's notation of an offset (core/Date.php, extractUtcOffset), clock other ones.
	fixed = regexp.MustCompile(`^UTC([+-]\d{1,2}(?:\.\d+)?)$`)
	clock = regexp.MustCompile(`(?i)^(?:UTC|GMT|Z)? ?([+-]?)(\d{1,2})(?::?(\d{2})|[.,](\d+))?$`)
)

// Offsets of Matomo's zones (plugins/SitesManager/API.php, getTimezonesListUTCOffsets), in hours.
const lowest, highest = -12, 14

// ParseZone parses an IANA name (Europe/Stockholm) or Matomo's notation of a zone without clock changes: UTC, UTC+1,
// UTC-3.5 (three and a half hours west of Greenwich). The error is a *ZoneError.
func ParseZone(name string) (Zone, error) {
	if m := fixed.FindStringSubmatch(name); m != nil {
		hours, err := strconv.ParseFloat(m[1], 64)
		if err == nil && hours >= lowest && hours <= highest {
			return Zone{time.FixedZone(name, int(hours*60*60))}, nil
		}
	}
	place, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return Zone{}, &ZoneError{Name: name, Cure: proposal(name)}
	}
	return Zone{place}, nil
}

func proposal(name string) string {
	const names = "use an IANA name such as Europe/Stockholm, or Matomo's spelling such as UTC+5.5"
	m := clock.FindStringSubmatch(strings.TrimSpace(name))
	if m == nil {
		return names
	}
	hours, _ := strconv.ParseFloat(m[2]+"."+m[4]+"0", 64) // only digits
	minutes, _ := strconv.ParseFloat("0"+m[3], 64)
	hours += minutes / 60
	if m[1] == "-" {
		hours = -hours
	}
	if hours < lowest || hours > highest {
		return names + fmt.Sprintf("; offsets range from %d to +%d hours", lowest, highest)
	}
	return fmt.Sprintf("use UTC%+g", hours)
}

// UnmarshalText implements encoding.TextUnmarshaler by ParseZone.
func (z *Zone) UnmarshalText(text []byte) error {
	read, err := ParseZone(string(text))
	if err == nil {
		*z = read
	}
	return err
}

// MarshalText implements encoding.TextMarshaler.
func (z Zone) MarshalText() ([]byte, error) { return []byte(z.String()), nil }

// String returns the name for ParseZone.
func (z Zone) String() string { return z.Location().String() }

// Location returns the zone, with the same name.
func (z Zone) Location() *time.Location {
	if z.place == nil {
		return time.UTC
	}
	return z.place
}

// FirstDifference returns the first day from first to last that starts or ends at different times in both zones, and
// whether there is one. For Matomo, other days are the same, whatever the names of the zones.
func (z Zone) FirstDifference(other Zone, first, last Date) (Date, bool) {
	here, there := z.Location(), other.Location()
	for d := first; d.DaysUntil(last) >= 0; d = d.Add(1) {
		if !d.Start(here).Equal(d.Start(there)) || !d.Add(1).Start(here).Equal(d.Add(1).Start(there)) {
			return d, true
		}
	}
	return Date{}, false
}
