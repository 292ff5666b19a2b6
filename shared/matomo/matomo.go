// Package matomo is a client of Matomo's Reporting API: the connection, the answers, and the errors with their cures.
// It leaves no visit in Matomo, does not depend on runs or settings, and compares nothing.
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
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/target"
)

// Site is a site's settings (SitesManager.getSiteFromId).
type Site struct {
	ID                    int
	Name                  string
	Timezone              string // the name of a zone as Matomo writes it; see Zone
	Currency              string // an ISO 4217 code
	SiteSearch, Ecommerce bool
	SearchParameters      []string // the site's own search parameters, none if the global ones apply
	// KnownURLsOnly drops hits whose URL is not one of the site's.
	KnownURLsOnly bool
	MainURL       string
	Created       time.Time // zero if Matomo does not report it
	// The site's own exclusions, without the global ones: addresses and ranges, parts of user agents, parameters.
	ExcludedIPs, ExcludedAgents, ExcludedParameters []string
}

// Zone parses the site's time zone; the error is a *calendar.ZoneError.
func (s *Site) Zone() (calendar.Zone, error) { return calendar.ParseZone(s.Timezone) }

// HidesDay reports that Matomo builds no reports of a day because the site was created later (core/Archive.php,
// cacheArchiveIdsAfterLaunching). Matomo moves the creation date back when it records an older hit
// (plugins/SitesManager/Tracker), unless the request is rolled back or the date is still cached by the tracker, for 5
// minutes.
func (s *Site) HidesDay(day calendar.Date) bool {
	return !s.Created.IsZero() && day.Add(2).Start(time.UTC).Before(s.Created)
}

// HiddenDaysCure says how Matomo can be made to show days from first on.
func (s *Site) HiddenDaysCure(first calendar.Date) string {
	return fmt.Sprintf(
		"have a user with admin access move the site's creation date back (SitesManager.updateSite with "+
			"idSite=%d and startDate=%s), then rebuild the reports of these days",
		s.ID,
		first.Add(-1),
	)
}

// ErrEmpty means that there is no data: Matomo writes an empty list, even in place of an object.
var ErrEmpty = errors.New("no data")

func unlessEmpty(err error) error {
	if errors.Is(err, ErrEmpty) {
		return nil
	}
	return err
}

// Version returns Matomo's version (API.getMatomoVersion); any valid token may read it.
func (c *Client) Version(ctx context.Context, t target.Target) (string, error) {
	var v struct{ Value string }
	return v.Value, c.Call(ctx, t, "API.getMatomoVersion", nil, &v)
}

// Site returns the target's site; the token's user needs view access to it.
func (c *Client) Site(ctx context.Context, t target.Target) (Site, error) {
	var v struct {
		IDSite      Number   `json:"idsite"`
		Name        string   `json:"name"`
		MainURL     string   `json:"main_url"`
		Timezone    string   `json:"timezone"`
		Currency    string   `json:"currency"`
		Ecommerce   Number   `json:"ecommerce"`
		SiteSearch  Number   `json:"sitesearch"`
		ExcludeURLs Number   `json:"exclude_unknown_urls"`
		Created     string   `json:"ts_created"`
		Search      textList `json:"sitesearch_keyword_parameters"`
		IPs         textList `json:"excluded_ips"`
		Agents      textList `json:"excluded_user_agents"`
		Parameters  textList `json:"excluded_parameters"`
	}
	form := url.Values{"idSite": {strconv.Itoa(t.SiteID)}}
	if err := c.Call(ctx, t, "SitesManager.getSiteFromId", form, &v); err != nil {
		return Site{}, err
	}
	created, _ := time.Parse(time.DateTime, v.Created) // missing in some versions
	return Site{
		ID: int(v.IDSite), Name: v.Name, MainURL: v.MainURL, Timezone: v.Timezone, Currency: v.Currency,
		SiteSearch: v.SiteSearch != 0, Ecommerce: v.Ecommerce != 0, KnownURLsOnly: v.ExcludeURLs != 0, Created: created,
		SearchParameters: v.Search, ExcludedIPs: v.IPs, ExcludedAgents: v.Agents, ExcludedParameters: v.Parameters,
	}, nil
}

// CountVisits counts the visits of a period.
func (c *Client) CountVisits(ctx context.Context, t target.Target, parameters url.Values) (uint64, error) {
	form := url.Values{"idSite": {strconv.Itoa(t.SiteID)}}
	maps.Copy(form, parameters)
	var v struct {
		Value Amount `json:"value"`
	}
	err := unlessEmpty(c.Call(ctx, t, "VisitsSummary.getVisits", form, &v))
	return v.Value.Count(), err
}

// GlobalList returns a list of global settings.
func (c *Client) GlobalList(ctx context.Context, t target.Target, method string) ([]string, error) {
	var v struct{ Value textList }
	err := c.Call(ctx, t, method, nil, &v)
	return v.Value, err
}

// textList is a text that Matomo separates by commas or lines; false if it was never set.
type textList []string

// UnmarshalJSON implements json.Unmarshaler.
func (l *textList) UnmarshalJSON(b []byte) error {
	var text string
	_ = json.Unmarshal(b, &text) // anything else is no list
	for _, one := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' || r == '\r' }) {
		if one = strings.TrimSpace(one); one != "" {
			*l = append(*l, one)
		}
	}
	return nil
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

// Count returns the amount as a count.
func (a Amount) Count() uint64 { return uint64(max(0, a)) }

// UnmarshalJSON implements json.Unmarshaler. An empty text, null and false are 0.
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

// List is a list that Matomo may also write as an object with the list's items as values.
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

// laterLimit bounds the total wait for answers with Retry-After.
const laterLimit = 30 * time.Second

// Call calls a method of the Reporting API. The token goes in the body: in a query it would end up in access logs. It
// obeys Retry-After within laterLimit and until ctx is done. The error is an *Error or ErrEmpty.
func (c *Client) Call(ctx context.Context, t target.Target, method string, parameters url.Values, into any) error {
	form := apiForm(t, method, parameters)
	for waited := time.Duration(0); ; {
		wait, err := c.callOnce(ctx, t, method, form, into)
		if wait == 0 || waited+wait > laterLimit || !sleep(ctx, wait) {
			return err
		}
		waited += wait
	}
}

func apiForm(t target.Target, method string, parameters url.Values) url.Values {
	form := url.Values{"module": {"API"}, "format": {"json"}, "method": {method}, "token_auth": {t.APIToken().Reveal()}}
	maps.Copy(form, parameters)
	return form
}

// sleep returns false at once or as soon as ctx ends too early.
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

// callOnce also returns Retry-After.
func (c *Client) callOnce(ctx context.Context, t target.Target, method string, form url.Values,
	into any) (time.Duration, error) {
	r, err := c.PostForm(ctx, t, t.API(), form)
	if err != nil {
		return 0, unanswered(method, err)
	}
	if a := answer.ParseAPI(&r.Raw); a.Class != answer.Accepted {
		return a.RetryAfter, refusal(method, a)
	}
	switch err := json.Unmarshal(r.Body, into); {
	case err == nil:
		return 0, nil
	case string(bytes.TrimSpace(r.Body)) == "[]":
		return 0, ErrEmpty
	}
	return 0, &Error{Method: method, Class: Unreadable, cause: errors.New("the response is not Matomo's")}
}

// Invalidate makes Matomo rebuild the reports of days (YYYY-MM-DD), and of their weeks, months and years, when they are
// requested or, if only that may archive, by core:archive; the token's user needs admin access to the site. Returned
// are the days whose raw data Matomo has deleted by age: it says so in plain English, and no other method reports that
// age (core/Archive/ArchiveInvalidator/InvalidationResult.php).
func (c *Client) Invalidate(ctx context.Context, t target.Target, days []string) (deleted []string, err error) {
	var messages []string
	form := url.Values{"idSites": {strconv.Itoa(t.SiteID)}, "dates": {strings.Join(days, ",")}}
	if err := c.Call(ctx, t, "CoreAdminHome.invalidateArchivedReports", form, &messages); err != nil {
		return nil, err
	}
	for _, line := range messages {
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

// InvalidateCommand does the same in the folder of Matomo on its server.
func InvalidateCommand(site int, first, last string) string {
	return "./console core:invalidate-report-data --sites=" + strconv.Itoa(site) + " --dates=" + first + "," + last
}

// Ping is a hit that Matomo checks and answers, but does not store: a heartbeat of a visitor without a visit
// (plugins/Heartbeat/Tracker/PingRequestProcessor.php). It requests the GIF: without it, a Matomo whose tracking is off
// answers as usual (core/Tracker/Response.php).
func Ping(t target.Target) url.Values {
	return url.Values{
		"idsite": {strconv.Itoa(t.SiteID)}, "rec": {"1"}, "apiv": {"1"}, "ping": {"1"}, "cid": {NewVisitorID()},
		"url": {"https://shop.example.test/"},
	}
}

// NewVisitorID returns a random ID.
func NewVisitorID() string {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails, see crypto/rand
	return hex.EncodeToString(id[:])
}

// Skew returns how far the target's clock is ahead of the local one, by the Date of an answer, in whole seconds.
func (c *Client) Skew(ctx context.Context, t target.Target) (time.Duration, error) {
	sent := time.Now()
	a, err := c.PostForm(ctx, t, t.URL, Ping(t))
	if err != nil {
		return 0, err
	}
	if a.Date.IsZero() {
		return 0, errors.New("the answer has no Date")
	}
	return a.Date.Sub(sent.Add(a.Took / 2)), nil
}
