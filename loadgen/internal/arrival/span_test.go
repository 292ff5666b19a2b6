package arrival

import (
	"testing"
	"time"

	"github.com/puttrix/trafficinator/shared/profile"
)

func TestASpanIsTheInverseOfItsPiecesIntegral(t *testing.T) {
	start := time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)
	const perHour = 24 // in visits a day
	piece := func(from, to float64) profile.Piece {
		return profile.Piece{From: start, To: start.Add(time.Hour), StartRate: from * perHour, EndRate: to * perHour}
	}
	for name, c := range map[string]struct {
		piece profile.Piece
		lead  float64
		at    []time.Duration // of the arrivals
		carry float64
	}{
		"even": {piece(4, 4), 0,
			[]time.Duration{0, 15 * time.Minute, 30 * time.Minute, 45 * time.Minute}, 0},
		"in the midst of one": {piece(4, 4), .5,
			[]time.Duration{450 * time.Second, 1350 * time.Second, 2250 * time.Second, 3150 * time.Second}, .5},
		"part of a visit is due": {piece(1.25, 1.25), 0, []time.Duration{0, 48 * time.Minute}, .75},
		"a ramp": {piece(0, 8), 0, []time.Duration{0, 30 * time.Minute, 2545584412271, 3117691453623},
			0},
		"no visits":              {piece(0, 0), .25, nil, .25},
		"fewer than are awaited": {piece(.5, .5), .75, nil, .25},
	} {
		s := newSpan(c.piece, c.lead)
		if s.n != uint64(len(c.at)) {
			t.Errorf("%s: %d arrivals, want %d", name, s.n, len(c.at))
			continue
		}
		for k, want := range c.at {
			if got := s.even(uint64(k)).Sub(start); got != want {
				t.Errorf("%s: arrival %d comes after %v, want %v", name, k, got, want)
			}
		}
		if got := s.carry(s.n); got != c.carry {
			t.Errorf("%s: the next piece starts with a lead of %v, want %v", name, got, c.carry)
		}
	}
}

func TestAPauseStopsTheTimeOfAProfile(t *testing.T) {
	start := time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)
	c := clock{
		profile: profile.NewStages([]profile.Stage{{Length: time.Hour, From: 24, To: 48}}),
		start:   start,
		scale:   2,
	}
	if got := c.visits(start, start.Add(time.Hour)); got != 3 {
		t.Errorf("%v visits, want twice 1.5", got)
	}
	c.pause(start.Add(10 * time.Minute))
	if _, ends := c.end(); ends || c.running() {
		t.Error("a paused profile has an end")
	}
	c.resume(start.Add(25 * time.Minute))
	if end, ends := c.end(); !ends || !end.Equal(start.Add(75*time.Minute)) {
		t.Errorf("it ends at %v, want a quarter of an hour later", end)
	}
	if p, _ := c.piece(start.Add(25 * time.Minute)); p.StartRate != 2*28 {
		t.Errorf("the rate after the pause is %v visits a day, want the rate before it", p.StartRate)
	}
}
