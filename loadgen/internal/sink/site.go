package sink

import (
	"time"
	_ "time/tzdata" // a machine without zones must cut days like any other
)

const defaultSites = 9

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
