// Package evidence owns the queries that explain a difference between sent hits and Matomo's reports: its raw log,
// failures, exclusions and annotations. It compares nothing.
package evidence

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/puttrix/trafficinator/shared/doctor"
	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/target"
)

// Client queries a Matomo.
type Client struct{ doctor.Doctor }

// NewClient returns a client; timeout is for one request and must be positive.
func NewClient(timeout time.Duration, m target.Environment) Client {
	return Client{doctor.New(timeout, m)}
}

// Failure is a tracking failure (core/Tracker/Failures.php); Matomo keeps a few per site and kind.
type Failure struct {
	SiteID  int
	First   time.Time
	Problem string
}

// Failures returns the failures of the target's site; the token's user needs admin access to it.
func (c Client) Failures(ctx context.Context, t target.Target) ([]Failure, error) {
	var v []struct {
		Site    matomo.Number `json:"idsite"`
		First   string        `json:"date_first_occurred"`
		Problem string        `json:"problem"`
	}
	if err := c.Call(ctx, t, "CoreAdminHome.getTrackingFailures", nil, &v); err != nil {
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

// Exclusions are what a Matomo does not record on any site.
type Exclusions struct{ IPs, Agents, Parameters []string }

// Exclusions returns the exclusions for all sites; the token's user needs admin access to at least one site.
func (c Client) Exclusions(ctx context.Context, t target.Target) (Exclusions, error) {
	var x Exclusions
	for method, into := range map[string]*[]string{
		"SitesManager.getExcludedIpsGlobal": &x.IPs, "SitesManager.getExcludedUserAgentsGlobal": &x.Agents,
		"SitesManager.getExcludedQueryParametersGlobal": &x.Parameters,
	} {
		var err error
		if *into, err = c.GlobalList(ctx, t, method); err != nil {
			return x, err
		}
	}
	return x, nil
}

// Annotate adds an annotation on a day of the target's site; the token's user needs view access to it and must not be
// anonymous (plugins/Annotations/API.php).
func (c Client) Annotate(ctx context.Context, t target.Target, day time.Time, note string) error {
	var written struct {
		Note string `json:"note"`
	}
	return c.Call(ctx, t, "Annotations.add", url.Values{
		"idSite": {strconv.Itoa(t.SiteID)}, "date": {day.Format(time.DateOnly)}, "note": {note}, "starred": {"0"},
	}, &written)
}
