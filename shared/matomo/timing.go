package matomo

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/target"
)

// Timing is how one request to the Reporting API went.
type Timing struct {
	// Took is the time until the answer was read to its end, with the connection: none is used twice.
	Took time.Duration
	// Bytes and Rows are those of the answer. Rows are the elements of a list; anything else is one.
	Bytes int64
	Rows  int
}

// Time calls a method of the Reporting API for the target's site and measures it. The error is ErrTimedOut, or tells
// what Matomo refused.
func (c *Client) Time(ctx context.Context, t target.Target, method string, parameters url.Values) (Timing, error) {
	token := t.Reader().Reveal()
	form := url.Values{"module": {"API"}, "format": {"json"}, "method": {method}, "idSite": {strconv.Itoa(t.SiteID)},
		"token_auth": {token}}
	for k, v := range parameters {
		form[k] = v
	}
	began := time.Now()
	resp, r, err := c.send(ctx, t, t.API(), "application/x-www-form-urlencoded", form.Encode(), token)
	if err != nil {
		return Timing{}, unanswered(method, err)
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	body := &counted{r: resp.Body}
	rows, err := count(body)
	out := Timing{Took: time.Since(began), Bytes: body.n, Rows: rows}
	if err != nil && errors.Is(plain(err), ErrTimedOut) {
		return out, ErrTimedOut
	}
	r.Body, r.Cut = body.first, body.n > firstBytes
	if err == nil && resp.StatusCode == http.StatusOK && body.n > firstBytes {
		return out, nil // no error of Matomo's is so long
	}
	if a := answer.API(&r); a.Class != answer.Accepted {
		return out, refusal(method, a)
	}
	return out, nil
}

// firstBytes are kept of an answer, for its first words.
const firstBytes = 4 << 10

type counted struct {
	r     io.Reader
	n     int64
	first []byte
}

// Read implements io.Reader.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	c.first = append(c.first, p[:min(n, firstBytes-len(c.first))]...)
	return n, err
}

// count reads an answer to its end, keeping one row of it at a time.
func count(r io.Reader) (rows int, err error) {
	d := json.NewDecoder(r)
	first, err := d.Token()
	if err != nil {
		return 0, err
	}
	rows = 1
	if open, nested := first.(json.Delim); nested {
		if rows, err = inside(d, open); err != nil {
			return rows, err
		}
	}
	_, err = io.Copy(io.Discard, r) // what follows the answer, so that it counts
	return rows, err
}

func inside(d *json.Decoder, open json.Delim) (rows int, err error) {
	for d.More() {
		if open == '{' {
			if _, err := d.Token(); err != nil {
				return rows, err
			}
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return rows, err
		}
		rows++
	}
	if _, err := d.Token(); err != nil {
		return rows, err
	}
	if open == '{' {
		rows = 1
	}
	return rows, nil
}

// Examples are what reports about a single thing can be asked for; each is empty where the site has none.
type Examples struct {
	// Visitor is the id of the latest, Page the address of a page of that visit and Label its path in the report of
	// pages, as API.getRowEvolution takes it. Dimension is the number of an active custom dimension.
	Visitor, Page, Label, Dimension string
}

// Examples looks for them in the raw log of a period: a report would have Matomo archive, and the first request for one
// is to be measured.
func (c *Client) Examples(ctx context.Context, t target.Target, parameters url.Values) (Examples, error) {
	form := url.Values{"idSite": {strconv.Itoa(t.SiteID)}, "filter_limit": {"1"}}
	for k, v := range parameters {
		form[k] = v
	}
	var visits []struct {
		Visitor string `json:"visitorId"`
		Actions []struct {
			Type string `json:"type"`
			URL  string `json:"url"`
		} `json:"actionDetails"`
	}
	x := Examples{Dimension: c.dimension(ctx, t)}
	if err := c.ask(ctx, t, "Live.getLastVisitsDetails", form, &visits); err != nil || len(visits) == 0 {
		return x, err
	}
	x.Visitor = visits[0].Visitor
	for _, a := range visits[0].Actions {
		u, err := url.Parse(a.URL)
		if a.Type != "action" || err != nil || strings.Trim(u.Path, "/") == "" {
			continue
		}
		x.Page = a.URL
		folders := strings.Split(strings.Trim(u.Path, "/"), "/")
		last := len(folders) - 1
		folders[last] = "/" + folders[last] // a page's row, beside the folder's of the same name
		x.Label = strings.Join(folders, ">")
		break
	}
	return x, nil
}

// dimension is the number of an active custom dimension; none where there is none, or not the plugin for them.
func (c *Client) dimension(ctx context.Context, t target.Target) string {
	var all []struct {
		ID     number `json:"idcustomdimension"`
		Active bool   `json:"active"`
	}
	if c.ask(ctx, t, "CustomDimensions.getConfiguredCustomDimensions", url.Values{"idSite": {strconv.Itoa(t.SiteID)}},
		&all) != nil {
		return ""
	}
	for _, d := range all {
		if d.Active {
			return strconv.Itoa(int(d.ID))
		}
	}
	return ""
}

// VisitsOf counts the visits of a period.
func (c *Client) VisitsOf(ctx context.Context, t target.Target, parameters url.Values) (uint64, error) {
	form := url.Values{"idSite": {strconv.Itoa(t.SiteID)}}
	for k, v := range parameters {
		form[k] = v
	}
	var v struct {
		Value amount `json:"value"`
	}
	err := c.ask(ctx, t, "VisitsSummary.getVisits", form, &v)
	if errors.Is(err, errEmpty) {
		err = nil
	}
	return v.Value.whole(), err
}
