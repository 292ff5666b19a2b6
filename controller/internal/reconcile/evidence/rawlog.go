package evidence

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
	"time"

	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/target"
)

// RawLog is what a Matomo's visits log contains; the reports show it once they are archived.
type RawLog struct {
	Visits Span
	// Actions is nil if only visits could be counted.
	Actions *Span
}

// Span is a number between bounds.
type Span struct{ Least, Most uint64 }

// maxMinutes is how far Live.getCounters goes back (plugins/Live/API.php).
const maxMinutes = 2880

// RawLogSince counts the visits whose last action was recorded since then, and those actions, in a segment if it is
// not empty (Live.getCounters); the token's user needs view access to the site. Matomo counts complete minutes back
// from now, so the result is a span. since must not be more than 2,880 minutes ago.
func (c Client) RawLogSince(ctx context.Context, t target.Target, since time.Time, segment string) (RawLog, error) {
	minutes := int(time.Since(since).Minutes())
	most, err := c.counters(ctx, t, min(max(minutes, 0)+1, maxMinutes), segment)
	if err != nil {
		return RawLog{}, err
	}
	var least counters
	if minutes > 0 {
		if least, err = c.counters(ctx, t, minutes, segment); err != nil {
			return RawLog{}, err
		}
	}
	// A hit recorded between the two requests may be in the second response only.
	return RawLog{
		Visits:  Span{least.Visits.Count(), max(least.Visits.Count(), most.Visits.Count())},
		Actions: &Span{least.Actions.Count(), max(least.Actions.Count(), most.Actions.Count())},
	}, nil
}

type counters struct {
	Visits  matomo.Amount `json:"visits"`
	Actions matomo.Amount `json:"actions"`
}

func (c Client) counters(ctx context.Context, t target.Target, minutes int, segment string) (counters, error) {
	var v []counters
	form := url.Values{"idSite": {strconv.Itoa(t.SiteID)}, "lastMinutes": {strconv.Itoa(minutes)}}
	if segment != "" {
		form.Set("segment", segment)
	}
	if err := c.Call(ctx, t, "Live.getCounters", form, &v); err != nil || len(v) == 0 {
		return counters{}, err
	}
	return v[0], nil
}

// maxVisits is the upper bound for the visits of a day.
const maxVisits = 1 << 40

// CountVisits counts the visits of a query in the raw log, on any days, by requesting single visits by their position
// in the list of their day (Live.getLastVisitsDetails). about are estimates by day (YYYY-MM-DD): a correct one takes
// two requests, others about twenty. The token's user needs view access to the site, whose visits log must not be
// disabled.
//
// Days are queried one by one, because with an offset Matomo ignores visits of other days (plugins/Live/Model.php,
// queryLogVisits).
func (c Client) CountVisits(ctx context.Context, t target.Target, s matomo.Query,
	about map[string]uint64) (all uint64, err error) {
	for day := s.From; !day.After(s.To); day = day.AddDate(0, 0, 1) {
		n, err := c.countDay(ctx, t, matomo.Query{From: day, To: day, Segment: s.Segment},
			about[day.Format(time.DateOnly)])
		if err != nil {
			return 0, err
		}
		all += n
	}
	return all, nil
}

func (c Client) countDay(ctx context.Context, t target.Target, s matomo.Query, guess uint64) (uint64, error) {
	least, over := uint64(0), uint64(maxVisits) // least <= visits < over
	for try, step := guess, uint64(1); least+1 < over; {
		there, err := c.visitAt(ctx, t, s, try)
		if err != nil {
			return 0, err
		}
		if there {
			least = try
		} else {
			over = try
		}
		switch { // growing steps until both bounds are known, then bisection
		case over == maxVisits:
			try, step = least+step, 2*step
		case least == 0 && over > step:
			try, step = over-step, 2*step
		default:
			try = least + (over-least)/2
		}
	}
	return least, nil
}

// visitAt reports whether a day has as many visits as n.
func (c Client) visitAt(ctx context.Context, t target.Target, s matomo.Query, n uint64) (bool, error) {
	if n == 0 {
		return true, nil
	}
	var visits []json.RawMessage
	err := c.Report(ctx, t, "Live.getLastVisitsDetails", s, &visits, "filter_limit", "1", "filter_offset",
		strconv.FormatUint(n-1, 10), "doNotFetchActions", "1")
	if errors.Is(err, matomo.ErrEmpty) {
		err = nil
	}
	return len(visits) > 0, err
}
