package matomo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/target"
)

// Query selects a part of a site's data.
type Query struct {
	// From and To are the first and the last day, in the site's zone.
	From, To time.Time
	Segment  string // in Matomo's language, empty for all visits
}

// form requests a period, with pairs of other parameters. Matomo archives reports of one day separately.
func (q Query) form(t target.Target, period string, pairs ...string) url.Values {
	from, to := q.From.Format(time.DateOnly), q.To.Format(time.DateOnly)
	form := url.Values{"idSite": {strconv.Itoa(t.SiteID)}, "period": {period}, "date": {from + "," + to}}
	if period == "range" && from == to {
		form["period"], form["date"] = []string{"day"}, []string{from}
	}
	if q.Segment != "" {
		form.Set("segment", q.Segment)
	}
	for pair := range slices.Chunk(pairs, 2) {
		form.Set(pair[0], pair[1])
	}
	return form
}

// Figures are what Matomo's reports show for a query. Money is in the site's currency.
type Figures struct {
	Visits uint64
	// Unique is nil if the site does not compute unique visitors for the period
	// (enable_processing_unique_visitors_range of config/global.ini.php).
	Unique                 *uint64
	Hits                   map[string]uint64 // the actions and orders, by the name of their kind
	Items                  uint64
	Revenue, Tax, Shipping float64
	// Days are visits by day (YYYY-MM-DD), Countries by ISO code, Sources by direct, search, social, website and the
	// like, Devices by desktop, smartphone and the like.
	Days, Countries, Sources, Devices map[string]uint64
}

var events = hit.Event.String()

// Actions counts what Matomo counts as actions.
func (r Figures) Actions() (sum uint64) {
	for _, kind := range hit.Rows {
		if kind.Action {
			sum += r.Hits[kind.Name]
		}
	}
	return sum
}

// UnmarshalJSON implements json.Unmarshaler. It also reads older records, with a field for each kind.
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

// Figures reads the reports of the target's site; the token's user needs view access to it. Totals come from methods
// that sum before rows are cut off (datatable_archiving_maximum_rows of config/global.ini.php).
func (c *Client) Figures(ctx context.Context, t target.Target, q Query) (Figures, error) {
	r := Figures{Hits: map[string]uint64{}}
	for _, read := range []func(context.Context, target.Target, Query, *Figures) error{c.visits, c.actions, c.orders,
		c.byDay} {
		if err := read(ctx, t, q, &r); err != nil {
			return r, err
		}
	}
	for _, report := range []struct {
		method string
		into   *map[string]uint64
	}{
		{"UserCountry.getCountry", &r.Countries}, {"Referrers.getReferrerType", &r.Sources},
		{"DevicesDetection.getType", &r.Devices},
	} {
		var err error
		if *report.into, err = c.breakdown(ctx, t, report.method, q); err != nil {
			return r, err
		}
	}
	return r, nil
}

// Report calls a method for a query, with pairs of other parameters. It leaves into as it is if there is no data.
func (c *Client) Report(ctx context.Context, t target.Target, method string, q Query, into any, pairs ...string) error {
	form := q.form(t, "range", append([]string{"filter_limit", "-1"}, pairs...)...)
	return unlessEmpty(c.Call(ctx, t, method, form, into))
}

func (c *Client) visits(ctx context.Context, t target.Target, q Query, r *Figures) error {
	var v struct {
		Visits  Amount  `json:"nb_visits"`
		Unique  *Amount `json:"nb_uniq_visitors"`
		Actions Amount  `json:"nb_actions"`
	}
	err := c.Report(ctx, t, "VisitsSummary.get", q, &v)
	r.Visits, r.Hits[events] = v.Visits.Count(), v.Actions.Count()
	if v.Unique != nil {
		r.Unique = new(v.Unique.Count())
	}
	return err
}

// actions have metrics of their own except for events, which are the rest of all actions
// (plugins/Actions/Columns/VisitTotalActions.php).
func (c *Client) actions(ctx context.Context, t target.Target, q Query, r *Figures) error {
	var metrics map[string]json.RawMessage
	err := c.Report(ctx, t, "Actions.get", q, &metrics)
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

func (c *Client) orders(ctx context.Context, t target.Target, q Query, r *Figures) error {
	var v struct {
		Orders   Amount `json:"nb_conversions"`
		Items    Amount `json:"items"`
		Revenue  Amount `json:"revenue"`
		Tax      Amount `json:"revenue_tax"`
		Shipping Amount `json:"revenue_shipping"`
	}
	err := c.Report(ctx, t, "Goals.get", q, &v, "idGoal", "ecommerceOrder")
	r.Hits[hit.Order.String()], r.Items = v.Orders.Count(), v.Items.Count()
	r.Revenue, r.Tax, r.Shipping = float64(v.Revenue), float64(v.Tax), float64(v.Shipping)
	return err
}

func (c *Client) byDay(ctx context.Context, t target.Target, q Query, r *Figures) error {
	byDate := map[string]Amount{}
	err := unlessEmpty(c.Call(ctx, t, "VisitsSummary.getVisits", q.form(t, "day"), &byDate))
	r.Days = map[string]uint64{}
	for day, n := range byDate {
		if n > 0 {
			r.Days[day] = n.Count()
		}
	}
	return err
}

// breakdown counts the visits of a report by the value in the row's segment: labels are translated.
func (c *Client) breakdown(ctx context.Context, t target.Target, method string, q Query) (map[string]uint64, error) {
	var rows []struct {
		Label   string `json:"label"`
		Segment string `json:"segment"`
		Visits  Amount `json:"nb_visits"`
	}
	err := c.Report(ctx, t, method, q, &rows)
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
