// Package matomo owns what is asked of a Matomo apart from tracking: its Reporting API, and the doctor who tells
// whether tracking will work. It leaves no visit behind but for Probe, and knows nothing of runs or settings.
package matomo

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/target"
)

// Client asks Matomos. It follows no redirect, because a token must not travel on, and reaches no link-local address,
// because there live the secrets of clouds. It is safe for concurrent use.
type Client struct {
	http *http.Client
}

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 1 << 20

// errForbidden refuses an address that no Matomo has.
var errForbidden = errors.New("the address is link-local, multicast or unspecified, which no Matomo has")

// NewClient makes a client; timeout is for one request and must be positive.
func NewClient(timeout time.Duration) *Client {
	dialer := net.Dialer{Timeout: timeout, Control: refuseForbidden}
	return &Client{http: &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		// No proxy: the check of the address would look at the proxy's.
		Transport: &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: timeout, DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10},
	}}
}

// anyCertificate is the client without a look at certificates.
func (c *Client) anyCertificate() *Client {
	own, ok := c.http.Transport.(*http.Transport)
	if !ok {
		return c
	}
	trusting := own.Clone()
	trusting.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // asked for by TLS_VERIFY=false
	with := *c.http
	with.Transport = trusting
	return &Client{http: &with}
}

// refuseForbidden looks at the address that is really dialled, after names are resolved.
func refuseForbidden(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("parse address: %w", err)
	}
	ip := ap.Addr().Unmap()
	if ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() {
		return errForbidden
	}
	return nil
}

// reply is what came back, and after how long.
type reply struct {
	answer.Raw
	took time.Duration
}

// postForm posts a form, of which token_auth is not repeated where the answer is quoted.
func (c *Client) postForm(ctx context.Context, to string, form url.Values) (reply, error) {
	return c.post(ctx, to, "application/x-www-form-urlencoded", form.Encode(), form.Get("token_auth"))
}

func (c *Client) post(ctx context.Context, to, kind, body, token string) (reply, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(body))
	if err != nil {
		return reply{}, errors.New("the address cannot be used")
	}
	req.Header.Set("Content-Type", kind)
	// A browser's name: Matomo leaves what it takes for a bot unanswered in its own way.
	req.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
	began := time.Now()
	resp, err := c.http.Do(req)
	if err != nil {
		return reply{}, plain(err)
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	r := reply{raw(resp), time.Since(began)}
	r.Secret = token
	r.Body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	r.Cut = err != nil || len(r.Body) == maxAnswer
	if err != nil && len(r.Body) == 0 {
		return r, plain(err)
	}
	return r, nil
}

// raw is an answer without its body.
func raw(resp *http.Response) answer.Raw {
	header := func(name string) []byte { return []byte(resp.Header.Get(name)) }
	r := answer.Raw{
		Status: resp.StatusCode, Server: header("Server"), Location: header("Location"), RetryAfter: header("Retry-After"),
		Challenge: resp.Header.Get("WWW-Authenticate") != "",
	}
	r.Date, _ = http.ParseTime(resp.Header.Get("Date")) // none is zero
	return r
}

// plain is err without the address, which the caller knows.
func plain(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if errors.Is(err, errForbidden) {
		return errForbidden
	}
	if t, ok := errors.AsType[net.Error](err); ok && t.Timeout() {
		return ErrTimedOut
	}
	return err
}

// Site is what Matomo tells of a site (SitesManager.getSiteFromId).
type Site struct {
	ID   int
	Name string
	// Timezone is the name of a zone as Matomo writes it; see Zone.
	Timezone string
	// Currency is an ISO 4217 code.
	Currency              string
	SiteSearch, Ecommerce bool
	// SearchParameters are the site's own names of a search's keyword in addresses, none where it has those of the whole Matomo.
	SearchParameters []string
	// KnownURLsOnly drops hits whose URL is none of the site's.
	KnownURLsOnly bool
	MainURL       string
	// ExcludedIPs (addresses and ranges), ExcludedAgents (parts of user agents) and ExcludedParameters are the site's
	// own; those of the whole Matomo are told by Exclusions.
	ExcludedIPs, ExcludedAgents, ExcludedParameters []string
}

// Zone is that of the site; the error is a *calendar.ZoneError.
func (s *Site) Zone() (calendar.Zone, error) { return calendar.ParseZone(s.Timezone) }

// refusal is an answer of the Reporting API that is no result.
type refusal struct {
	method string
	answer answer.Answer
}

// Error implements error.
func (e *refusal) Error() string { return "ask " + e.method + ": " + e.answer.String() }

// refused says that Matomo itself says no, to the question or to the token.
func refused(err error) bool {
	e, ok := errors.AsType[*refusal](err)
	return ok && (e.answer.Class == answer.Rejected || e.answer.Class == answer.Token)
}

// Advice is what to do about an error of the Reporting API, "" where the error says all there is to know.
func Advice(err error) string {
	e, ok := errors.AsType[*refusal](err)
	if !ok {
		return ""
	}
	switch e.answer.Class {
	case answer.Token:
		return "give a token whose user may view the site"
	case answer.InFront:
		return "let index.php be reached from here"
	case answer.NotNow:
		return "try again later"
	}
	return ""
}

// errEmpty means that there is nothing to tell: Matomo writes an empty list, also where an object would stand.
var errEmpty = errors.New("no data")

// Version asks for Matomo's version (API.getMatomoVersion); any token that works may.
func (c *Client) Version(ctx context.Context, t target.Target) (string, error) {
	var v struct{ Value string }
	return v.Value, c.ask(ctx, t, "API.getMatomoVersion", nil, &v)
}

// Site asks for the target's site; the token's user must have at least view access to it.
func (c *Client) Site(ctx context.Context, t target.Target) (Site, error) {
	var v struct {
		IDSite      number `json:"idsite"`
		Name        string `json:"name"`
		MainURL     string `json:"main_url"`
		Timezone    string `json:"timezone"`
		Currency    string `json:"currency"`
		Ecommerce   number `json:"ecommerce"`
		SiteSearch  number `json:"sitesearch"`
		ExcludeURLs number `json:"exclude_unknown_urls"`
		Search      string `json:"sitesearch_keyword_parameters"`
		IPs         string `json:"excluded_ips"`
		Agents      string `json:"excluded_user_agents"`
		Parameters  string `json:"excluded_parameters"`
	}
	if err := c.ask(ctx, t, "SitesManager.getSiteFromId", url.Values{"idSite": {strconv.Itoa(t.SiteID)}}, &v); err != nil {
		return Site{}, err
	}
	return Site{
		ID: int(v.IDSite), Name: v.Name, MainURL: v.MainURL, Timezone: v.Timezone, Currency: v.Currency,
		SiteSearch: v.SiteSearch != 0, Ecommerce: v.Ecommerce != 0, KnownURLsOnly: v.ExcludeURLs != 0,
		SearchParameters: list(v.Search),
		ExcludedIPs:      list(v.IPs), ExcludedAgents: list(v.Agents), ExcludedParameters: list(v.Parameters),
	}, nil
}

// number is an integer that Matomo writes with or without quotes, by version.
type number int

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(b []byte) error {
	i, err := strconv.Atoi(strings.Trim(string(b), `"`))
	if err != nil {
		return fmt.Errorf("parse number: %w", err)
	}
	*n = number(i)
	return nil
}

// listed is a list that Matomo writes as such, or as an object whose values it is.
type listed[T any] []T

// UnmarshalJSON implements json.Unmarshaler.
func (l *listed[T]) UnmarshalJSON(b []byte) error {
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

// ask calls a method of the Reporting API. The token goes in the body: in a query it would end in access logs.
func (c *Client) ask(ctx context.Context, t target.Target, method string, more url.Values, into any) error {
	form := url.Values{"module": {"API"}, "format": {"json"}, "method": {method}, "token_auth": {t.Reader().Reveal()}}
	for k, v := range more {
		form[k] = v
	}
	r, err := c.postForm(ctx, t.API(), form)
	if err != nil {
		return fmt.Errorf("ask %s: %w", method, err)
	}
	if said := answer.API(&r.Raw); said.Class != answer.Accepted {
		return &refusal{method, said}
	}
	if err := json.Unmarshal(r.Body, into); err != nil {
		if bytes.Equal(bytes.TrimSpace(r.Body), []byte("[]")) {
			return errEmpty
		}
		return fmt.Errorf("ask %s: the answer is not that of a Matomo", method)
	}
	return nil
}
