package ledger

import (
	"testing"

	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/outcome"
)

func TestAVisitCanOnlyBeRepeatedWhileMatomoMayBeWorking(t *testing.T) {
	// Per request: u is unknown and pending, k unknown and done, a accepted, f failed, p a pending ping.
	for requests, want := range map[string]uint16{
		"a": 0, "u": 0, "ka": 0, "kkk": 0, "aaa": 0,
		"ua": 1, "uua": 2, "uu": 1, "uuu": 2,
		"uk": 1, "uka": 1, "kua": 1,
		"uf": 0, "ufa": 1,
		"au": 0, "aua": 0, "uaua": 1,
		"pa": 0, "up": 0,
	} {
		var c VisitState
		for i, r := range requests {
			at := int64(1_000_000 + 60*i)
			switch r {
			case 'u', 'k':
				c.Add(outcome.Unknown, hit.Pageview, at, true)
				if r == 'u' {
					c.AddPending()
				}
			case 'a':
				c.Add(outcome.Accepted, hit.Pageview, at, true)
			case 'f':
				c.Add(outcome.Failed, hit.Pageview, at, true)
			case 'p':
				c.Add(outcome.Unknown, hit.Ping, at, true)
			}
		}
		if c.Repeats != want {
			t.Errorf("%s: %d more visits, want %d", requests, c.Repeats, want)
		}
	}
}
