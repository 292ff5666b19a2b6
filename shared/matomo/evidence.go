package matomo

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/target"
)

// Failure is a request that Matomo noted as not trackable (core/Tracker/Failures.php); it keeps a few per site and
// kind.
type Failure struct {
	SiteID  int
	First   time.Time
	Problem string
}

// Failures are those of the target's site; the token's user needs admin access to it.
func (c *Client) Failures(ctx context.Context, t target.Target) ([]Failure, error) {
	var v []struct {
		Site    number `json:"idsite"`
		First   string `json:"date_first_occurred"`
		Problem string `json:"problem"`
	}
	if err := c.ask(ctx, t, "CoreAdminHome.getTrackingFailures", nil, &v); err != nil {
		return nil, err
	}
	var out []Failure
	for _, f := range v {
		if first, err := time.Parse(time.DateTime, f.First); err == nil && int(f.Site) == t.SiteID {
			out = append(out, Failure{int(f.Site), first, f.Problem})
		}
	}
	return out, nil
}

// Exclusions are what a whole Matomo does not record, beside what a Site excludes.
type Exclusions struct{ IPs, Agents, Parameters []string }

// Exclusions asks for them; the token's user needs admin access to at least one site.
func (c *Client) Exclusions(ctx context.Context, t target.Target) (Exclusions, error) {
	var x Exclusions
	for method, into := range map[string]*[]string{
		"SitesManager.getExcludedIpsGlobal": &x.IPs, "SitesManager.getExcludedUserAgentsGlobal": &x.Agents,
		"SitesManager.getExcludedQueryParametersGlobal": &x.Parameters,
	} {
		var err error
		if *into, err = c.option(ctx, t, method); err != nil {
			return x, err
		}
	}
	return x, nil
}

// option asks for a list of the whole Matomo's settings.
func (c *Client) option(ctx context.Context, t target.Target, method string) ([]string, error) {
	var v struct{ Value any }
	if err := c.ask(ctx, t, method, nil, &v); err != nil {
		return nil, err
	}
	text, _ := v.Value.(string) // false where it was never set
	return list(text), nil
}

// Skew is how far the target's clock is ahead of the one here, by the date of an answer, which has whole seconds.
func (c *Client) Skew(ctx context.Context, t target.Target) (time.Duration, error) {
	sent := time.Now()
	a, err := c.postForm(ctx, t, t.URL, ping(t))
	if err != nil {
		return 0, err
	}
	if a.Date.IsZero() {
		return 0, errors.New("the answer has no " + http.CanonicalHeaderKey("date"))
	}
	return a.Date.Sub(sent.Add(a.took / 2)), nil
}

// list takes a setting of Matomo's apart, which separates by commas or lines.
func list(text string) []string {
	var out []string
	for _, one := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' || r == '\r' }) {
		if one = strings.TrimSpace(one); one != "" {
			out = append(out, one)
		}
	}
	return out
}

// Annotate writes a note into the target's graph at a day of the site; the token's user needs view access to it and
// must not be anonymous (plugins/Annotations/API.php).
func (c *Client) Annotate(ctx context.Context, t target.Target, day time.Time, note string) error {
	var written struct {
		Note string `json:"note"`
	}
	return c.ask(ctx, t, "Annotations.add", url.Values{
		"idSite": {strconv.Itoa(t.SiteID)}, "date": {day.Format(time.DateOnly)}, "note": {note}, "starred": {"0"},
	}, &written)
}
