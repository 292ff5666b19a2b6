// Package matomo owns how a Matomo's Reporting API is asked: the way there, the answers, and the errors with what helps
// against them. It leaves no visit behind, and knows nothing of runs or settings, nor what answers are compared with.
package matomo

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/target"
)

// Site is what Matomo tells of a site (SitesManager.getSiteFromId).
type Site struct {
	ID   int
	Name string
	// Timezone is the name of a zone as Matomo writes it; see Zone.
	Timezone string
	// Currency is an ISO 4217 code.
	Currency              string
	SiteSearch, Ecommerce bool
	// SearchParameters are the site's own names of a search's keyword in addresses, none where it has those of the
	// whole Matomo.
	SearchParameters []string
	// KnownURLsOnly drops hits whose URL is none of the site's.
	KnownURLsOnly bool
	MainURL       string
	// Created is when the site was, zero where Matomo does not tell.
	Created time.Time
	// ExcludedIPs (addresses and ranges), ExcludedAgents (parts of user agents) and ExcludedParameters are the site's
	// own; those of the whole Matomo are told by Exclusions.
	ExcludedIPs, ExcludedAgents, ExcludedParameters []string
}

// Zone is that of the site; the error is a *calendar.ZoneError.
func (s *Site) Zone() (calendar.Zone, error) { return calendar.ParseZone(s.Timezone) }

// HidesDay reports that Matomo makes no reports of a day, because the site is younger (core/Archive.php,
// cacheArchiveIdsAfterLaunching), whatever its raw log has. Matomo moves the date back with an older hit that it
// records (plugins/SitesManager/Tracker), unless the request with that hit is rolled back or the date is still in the
// tracker's cache, for 5 minutes.
func (s *Site) HidesDay(day calendar.Date) bool {
	return !s.Created.IsZero() && day.Add(2).Start(time.UTC).Before(s.Created)
}

// HiddenDaysCure is who can make Matomo show days from first on, and how.
func (s *Site) HiddenDaysCure(first calendar.Date) string {
	return fmt.Sprintf(
		"have a user with admin access move the site's creation date back (SitesManager.updateSite with idSite=%d and "+
			"startDate=%s), then rebuild the reports of these days",
		s.ID,
		first.Add(-1),
	)
}

// ErrEmpty means that there is nothing to tell: Matomo writes an empty list, also where an object would stand.
var ErrEmpty = errors.New("no data")

// Version asks for Matomo's version (API.getMatomoVersion); any token that works may.
func (c *Client) Version(ctx context.Context, t target.Target) (string, error) {
	var v struct{ Value string }
	return v.Value, c.Call(ctx, t, "API.getMatomoVersion", nil, &v)
}

// Site asks for the target's site; the token's user must have at least view access to it.
func (c *Client) Site(ctx context.Context, t target.Target) (Site, error) {
	var v struct {
		IDSite      Number `json:"idsite"`
		Name        string `json:"name"`
		MainURL     string `json:"main_url"`
		Timezone    string `json:"timezone"`
		Currency    string `json:"currency"`
		Ecommerce   Number `json:"ecommerce"`
		SiteSearch  Number `json:"sitesearch"`
		ExcludeURLs Number `json:"exclude_unknown_urls"`
		Created     string `json:"ts_created"`
		Search      string `json:"sitesearch_keyword_parameters"`
		IPs         string `json:"excluded_ips"`
		Agents      string `json:"excluded_user_agents"`
		Parameters  string `json:"excluded_parameters"`
	}
	if err := c.Call(ctx, t, "SitesManager.getSiteFromId", url.Values{"idSite": {strconv.Itoa(t.SiteID)}},
		&v); err != nil {
		return Site{}, err
	}
	created, _ := time.Parse(time.DateTime, v.Created) // not every version tells
	return Site{
		Created: created,
		ID:      int(v.IDSite), Name: v.Name, MainURL: v.MainURL, Timezone: v.Timezone, Currency: v.Currency,
		SiteSearch: v.SiteSearch != 0, Ecommerce: v.Ecommerce != 0, KnownURLsOnly: v.ExcludeURLs != 0,
		SearchParameters: list(v.Search),
		ExcludedIPs:      list(v.IPs), ExcludedAgents: list(v.Agents), ExcludedParameters: list(v.Parameters),
	}, nil
}

// CountVisits counts the visits of a period.
func (c *Client) CountVisits(ctx context.Context, t target.Target, parameters url.Values) (uint64, error) {
	form := url.Values{"idSite": {strconv.Itoa(t.SiteID)}}
	for k, v := range parameters {
		form[k] = v
	}
	var v struct {
		Value Amount `json:"value"`
	}
	err := c.Call(ctx, t, "VisitsSummary.getVisits", form, &v)
	if errors.Is(err, ErrEmpty) {
		err = nil
	}
	return v.Value.Count(), err
}

// GlobalList asks for a list of the whole Matomo's settings.
func (c *Client) GlobalList(ctx context.Context, t target.Target, method string) ([]string, error) {
	var v struct{ Value any }
	if err := c.Call(ctx, t, method, nil, &v); err != nil {
		return nil, err
	}
	text, _ := v.Value.(string) // false where it was never set
	return list(text), nil
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

// Number is an integer that Matomo writes with or without quotes, by version.
type Number int

// UnmarshalJSON implements json.Unmarshaler.
func (n *Number) UnmarshalJSON(b []byte) error {
	i, err := strconv.Atoi(strings.Trim(string(b), `"`))
	if err != nil {
		return fmt.Errorf("parse number: %w", err)
	}
	*n = Number(i)
	return nil
}

// Amount is a number that Matomo writes with or without quotes, by version and method.
type Amount float64

// Count is the amount as a count.
func (a Amount) Count() uint64 { return uint64(max(0, a)) }

// UnmarshalJSON implements json.Unmarshaler. What is no number counts nothing: an empty text, null, false.
func (a *Amount) UnmarshalJSON(b []byte) error {
	text := string(b)
	if len(text) > 1 && text[0] == '"' {
		text = text[1 : len(text)-1]
	}
	if text == "" || text == "null" || text == "false" {
		return nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return fmt.Errorf("parse amount: %w", err)
	}
	*a = Amount(n)
	return nil
}

// List is a list that Matomo writes as such, or as an object whose values it is.
type List[T any] []T

// UnmarshalJSON implements json.Unmarshaler.
func (l *List[T]) UnmarshalJSON(b []byte) error {
	var plain []T
	if err := json.Unmarshal(b, &plain); err == nil {
		*l = plain
		return nil
	}
	var byName map[string]T
	if err := json.Unmarshal(b, &byName); err != nil {
		return fmt.Errorf("parse list: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		*l = append(*l, byName[name])
	}
	return nil
}

// laterLimit bounds how long answers that say when to ask again (Retry-After) are waited for in all.
const laterLimit = 30 * time.Second

// Call calls a method of the Reporting API. The token goes in the body: in a query it would end in access logs. Where
// the answer says when to ask again it does, within laterLimit and as long as ctx lasts. The error is an *Error or
// ErrEmpty.
func (c *Client) Call(ctx context.Context, t target.Target, method string, more url.Values, into any) error {
	form := url.Values{"module": {"API"}, "format": {"json"}, "method": {method}, "token_auth": {t.APIToken().Reveal()}}
	for k, v := range more {
		form[k] = v
	}
	for waited := time.Duration(0); ; {
		wait, err := c.askOnce(ctx, t, method, form, into)
		if wait == 0 || waited+wait > laterLimit || !sleep(ctx, wait) {
			return err
		}
		waited += wait
	}
}

// sleep waits; it is false where ctx ends before.
func sleep(ctx context.Context, d time.Duration) bool {
	if end, ok := ctx.Deadline(); ok && time.Until(end) < d {
		return false
	}
	pause := time.NewTimer(d)
	defer pause.Stop()
	select {
	case <-pause.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// askOnce also tells how long the server wants to be left alone.
func (c *Client) askOnce(ctx context.Context, t target.Target, method string, form url.Values,
	into any) (time.Duration, error) {
	r, err := c.PostForm(ctx, t, t.API(), form)
	if err != nil {
		return 0, unanswered(method, err)
	}
	if said := answer.ParseAPI(&r.Raw); said.Class != answer.Accepted {
		return said.RetryAfter, refusal(method, said)
	}
	if err := json.Unmarshal(r.Body, into); err != nil {
		if bytes.Equal(bytes.TrimSpace(r.Body), []byte("[]")) {
			return 0, ErrEmpty
		}
		return 0, &Error{Method: method, Class: Unreadable, cause: errors.New("the response is not Matomo's")}
	}
	return 0, nil
}

// Invalidate tells Matomo that the reports of days (YYYY-MM-DD) must be made anew, those of their weeks, months and
// years too; the token's user needs admin access to the site. Reports are made anew when they are asked for, or by
// core:archive where only that may. Deleted are those of the days whose raw data Matomo deletes by age: it says so in
// plain English, and no other method tells of that age (core/Archive/ArchiveInvalidator/InvalidationResult.php).
func (c *Client) Invalidate(ctx context.Context, t target.Target, days []string) (deleted []string, err error) {
	var told []string
	form := url.Values{"idSites": {strconv.Itoa(t.SiteID)}, "dates": {strings.Join(days, ",")}}
	if err := c.Call(ctx, t, "CoreAdminHome.invalidateArchivedReports", form, &told); err != nil {
		return nil, err
	}
	for _, line := range told {
		_, dates, _ := strings.Cut(line, "Log Deletion limit:")
		dates, _, _ = strings.Cut(dates, "\n")
		for date := range strings.SplitSeq(dates, ",") {
			if date = strings.TrimSpace(date); slices.Contains(days, date) {
				deleted = append(deleted, date)
			}
		}
	}
	return deleted, nil
}

// InvalidateCommand is what does the same on the server of a Matomo, in its folder.
func InvalidateCommand(site int, first, last string) string {
	return "./console core:invalidate-report-data --sites=" + strconv.Itoa(site) + " --dates=" + first + "," + last
}

// Ping is a hit that Matomo checks and answers but stores nothing for: a heartbeat of a visitor who has no visit
// (plugins/Heartbeat/Tracker/PingRequestProcessor.php). It asks for the GIF: without, a Matomo whose tracking is off
// answers like any other (core/Tracker/Response.php).
func Ping(t target.Target) url.Values {
	return url.Values{
		"idsite": {strconv.Itoa(t.SiteID)}, "rec": {"1"}, "apiv": {"1"}, "ping": {"1"}, "cid": {NewVisitorID()},
		"url": {"https://shop.example.test/"},
	}
}

// NewVisitorID is an id that no visitor has.
func NewVisitorID() string {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails, see crypto/rand
	return hex.EncodeToString(id[:])
}

// Skew is how far the target's clock is ahead of the one here, by the date of an answer, which has whole seconds.
func (c *Client) Skew(ctx context.Context, t target.Target) (time.Duration, error) {
	sent := time.Now()
	a, err := c.PostForm(ctx, t, t.URL, Ping(t))
	if err != nil {
		return 0, err
	}
	if a.Date.IsZero() {
		return 0, errors.New("the answer has no " + http.CanonicalHeaderKey("date"))
	}
	return a.Date.Sub(sent.Add(a.Took / 2)), nil
}
