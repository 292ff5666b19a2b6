package sink

import (
	"errors"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a machine without zones must cut days like any other
)

const defaultSites = 9

// zoneOf reads a zone as Matomo does (core/Date.php, extractUtcOffset).
func zoneOf(name string) (*time.Location, error) {
	if offset, ok := strings.CutPrefix(name, "UTC"); ok && offset != "" {
		hours, err := strconv.ParseFloat(offset, 64)
		return time.FixedZone(name, int(hours*3600)), err
	}
	if name == "" {
		return nil, errors.New("no name")
	}
	return time.LoadLocation(name)
}

// withZones copies the sites and gives each a zone.
func withZones(sites map[int]Site) map[int]Site {
	cet, err := time.LoadLocation("CET")
	if err != nil {
		panic("load zone CET: " + err.Error()) // it is linked into the program
	}
	out := map[int]Site{}
	if sites == nil {
		for id := 1; id <= defaultSites; id++ {
			out[id] = Site{Zone: cet}
		}
	}
	for id, site := range sites {
		if site.Zone == nil {
			site.Zone = cet
		}
		out[id] = site
	}
	return out
}
