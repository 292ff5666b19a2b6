package matomo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/target"
)

// Query is the part of a site's data that is asked for.
type Query struct {
	// From and To are the first and the last day, in the site's zone.
	From, To time.Time
	// Segment is in Matomo's language, empty for all visits.
	Segment string
}

// days is Matomo's name of the slice's days: reports of one day are archived by themselves, several make a range.
func (s Query) days() url.Values {
	from, to := s.From.Format(time.DateOnly), s.To.Format(time.DateOnly)
	out := url.Values{"period": {"range"}, "date": {from + "," + to}}
	if from == to {
		out = url.Values{"period": {"day"}, "date": {from}}
	}
	if s.Segment != "" {
		out.Set("segment", s.Segment)
	}
	return out
}

// Figures is what a Matomo shows for a slice. Money is in the site's currency.
type Figures struct {
	Visits uint64
	// Unique is nil where the site does not compute unique visitors for the period
	// (enable_processing_unique_visitors_range of config/global.ini.php).
	Unique *uint64
	// Hits are the actions and orders, by the name of their kind.
	Hits                   map[string]uint64
	Items                  uint64
	Revenue, Tax, Shipping float64
	// Days are visits by day (YYYY-MM-DD); Countries by ISO code, Sources by direct,
	// search, social, website and the like, Devices by desktop, smartphone and the like.
	Days, Countries, Sources, Devices map[string]uint64
}

// events is the name of their kind.
var events = hit.Event.String()

// Actions are what Matomo counts as such.
func (r Figures) Actions() (sum uint64) {
	for _, kind := range hit.Rows {
		if kind.Action {
			sum += r.Hits[kind.Name]
		}
	}
	return sum
}

// UnmarshalJSON implements json.Unmarshaler. It also reads what was kept when each kind had a field of its own.
func (r *Figures) UnmarshalJSON(data []byte) error {
	type plain Figures
	var before struct{ Pageviews, Searches, Events, Outlinks, Downloads, Orders uint64 }
	if err := errors.Join(json.Unmarshal(data, (*plain)(r)), json.Unmarshal(data, &before)); err != nil {
		return fmt.Errorf("read what was recorded: %w", err)
	}
	if r.Hits == nil {
		r.Hits = map[string]uint64{"pageview": before.Pageviews, "search": before.Searches, "event": before.Events,
			"outlink": before.Outlinks, "download": before.Downloads, "order": before.Orders}
	}
	return nil
}

// Figures asks what the target's site shows for a slice; the token's user needs view access to it. Totals are taken
// from the methods that sum before rows are cut off (datatable_archiving_maximum_rows of config/global.ini.php).
func (c *Client) Figures(ctx context.Context, t target.Target, s Query) (Figures, error) {
	r := Figures{Hits: map[string]uint64{}}
	for _, read := range []func(context.Context, target.Target, Query, *Figures) error{c.visits, c.actions, c.orders,
		c.byDay, c.byCountry, c.bySource, c.byDevice} {
		if err := read(ctx, t, s, &r); err != nil {
			return r, err
		}
	}
	return r, nil
}

// Report asks a method for a slice. Matomo answers an empty list where an object has nothing to tell.
func (c *Client) Report(ctx context.Context, t target.Target, method string, s Query, into any, more ...string) error {
	form := s.days()
	form.Set("idSite", strconv.Itoa(t.SiteID))
	form.Set("filter_limit", "-1")
	for i := 0; i+1 < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	err := c.Call(ctx, t, method, form, into)
	if errors.Is(err, ErrEmpty) {
		return nil
	}
	return err
}

func (c *Client) visits(ctx context.Context, t target.Target, s Query, r *Figures) error {
	var v struct {
		Visits  Amount  `json:"nb_visits"`
		Unique  *Amount `json:"nb_uniq_visitors"`
		Actions Amount  `json:"nb_actions"`
	}
	err := c.Report(ctx, t, "VisitsSummary.get", s, &v)
	r.Visits, r.Hits[events] = v.Visits.Count(), v.Actions.Count()
	if v.Unique != nil {
		n := v.Unique.Count()
		r.Unique = &n
	}
	return err
}

// actions have metrics of their own but for events, which are the rest of all
// (plugins/Actions/Columns/VisitTotalActions.php).
func (c *Client) actions(ctx context.Context, t target.Target, s Query, r *Figures) error {
	var metrics map[string]json.RawMessage
	err := c.Report(ctx, t, "Actions.get", s, &metrics)
	for _, kind := range hit.Rows {
		if raw := metrics[kind.Metric]; raw != nil {
			var n Amount
			err = errors.Join(err, n.UnmarshalJSON(raw))
			r.Hits[kind.Name] = n.Count()
			r.Hits[events] -= min(r.Hits[events], n.Count())
		}
	}
	return err
}

func (c *Client) orders(ctx context.Context, t target.Target, s Query, r *Figures) error {
	var v struct {
		Orders   Amount `json:"nb_conversions"`
		Items    Amount `json:"items"`
		Revenue  Amount `json:"revenue"`
		Tax      Amount `json:"revenue_tax"`
		Shipping Amount `json:"revenue_shipping"`
	}
	err := c.Report(ctx, t, "Goals.get", s, &v, "idGoal", "ecommerceOrder")
	r.Hits[hit.Order.String()], r.Items = v.Orders.Count(), v.Items.Count()
	r.Revenue, r.Tax, r.Shipping = float64(v.Revenue), float64(v.Tax), float64(v.Shipping)
	return err
}

func (c *Client) byDay(ctx context.Context, t target.Target, s Query, r *Figures) error {
	byDate := map[string]Amount{}
	form := url.Values{"period": {"day"}, "date": {s.From.Format(time.DateOnly) + "," + s.To.Format(time.DateOnly)},
		"idSite": {strconv.Itoa(t.SiteID)}}
	if s.Segment != "" {
		form.Set("segment", s.Segment)
	}
	err := c.Call(ctx, t, "VisitsSummary.getVisits", form, &byDate)
	if errors.Is(err, ErrEmpty) {
		err = nil
	}
	r.Days = map[string]uint64{}
	for day, n := range byDate {
		if n > 0 {
			r.Days[day] = n.Count()
		}
	}
	return err
}

// broken is how many visits a report shows for each value of what it breaks visits down by. The value is read from the
// row's segment, because labels are translated.
func (c *Client) broken(ctx context.Context, t target.Target, method string, s Query) (map[string]uint64, error) {
	var rows []struct {
		Label   string `json:"label"`
		Segment string `json:"segment"`
		Visits  Amount `json:"nb_visits"`
	}
	err := c.Report(ctx, t, method, s, &rows)
	out := map[string]uint64{}
	for _, r := range rows {
		name := r.Label
		if _, escaped, ok := strings.Cut(r.Segment, "=="); ok {
			if v, err := url.QueryUnescape(escaped); err == nil {
				name = v
			}
		}
		if n := r.Visits.Count(); n > 0 {
			out[name] += n
		}
	}
	return out, err
}

func (c *Client) byCountry(ctx context.Context, t target.Target, s Query, r *Figures) (err error) {
	r.Countries, err = c.broken(ctx, t, "UserCountry.getCountry", s)
	return err
}

func (c *Client) bySource(ctx context.Context, t target.Target, s Query, r *Figures) (err error) {
	r.Sources, err = c.broken(ctx, t, "Referrers.getReferrerType", s)
	return err
}

func (c *Client) byDevice(ctx context.Context, t target.Target, s Query, r *Figures) (err error) {
	r.Devices, err = c.broken(ctx, t, "DevicesDetection.getType", s)
	return err
}
