package benchmark

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/target"
)

// Timing is how one request to the Reporting API went.
type Timing struct {
	// Took is the time until the response was read completely. It includes the connection, because none is reused.
	Took time.Duration
	// Bytes and Rows are those of the response. Rows are the elements of a list; anything else is one row.
	Bytes int64
	Rows  int
}

// Client measures a Matomo.
type Client struct{ *matomo.Client }

// NewClient returns a client; timeout is for one request and must be positive.
func NewClient(timeout time.Duration, m target.Environment) Client {
	return Client{matomo.NewClient(timeout, m)}
}

// Time calls a method of the Reporting API for the target's site and measures it. It returns matomo.ErrTimedOut or the
// error that Matomo reported.
func (c Client) Time(ctx context.Context, t target.Target, method string, parameters url.Values) (Timing, error) {
	var out Timing
	began := time.Now()
	err := c.Stream(ctx, t, method, parameters, func(body io.Reader) (err error) {
		n := &counted{r: body}
		out.Rows, err = count(n)
		out.Took, out.Bytes = time.Since(began), n.n
		return err
	})
	return out, err
}

// counted counts the bytes read from r.
type counted struct {
	r io.Reader
	n int64
}

// Read implements io.Reader.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// count reads a response completely, one row at a time.
func count(r io.Reader) (rows int, err error) {
	d := json.NewDecoder(r)
	first, err := d.Token()
	if err != nil {
		return 0, err
	}
	open, nested := first.(json.Delim)
	for nested && d.More() {
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
	if nested {
		if _, err := d.Token(); err != nil {
			return rows, err
		}
	}
	if open != '[' {
		rows = 1
	}
	_, err = io.Copy(io.Discard, r) // so that trailing bytes count
	return rows, err
}

// Examples are the arguments of reports about a single thing; each is empty if the site has none.
type Examples struct {
	// Visitor is the id of the latest visitor. Page is the URL of a page of that visit, and Label its path in the pages
	// report, as API.getRowEvolution expects it. Dimension is the number of an active custom dimension.
	Visitor, Page, Label, Dimension string
}

// Examples finds them in the raw log of a period: a report would make Matomo archive, but the first request for a
// report has to be measured.
func (c Client) Examples(ctx context.Context, t target.Target, parameters url.Values) (Examples, error) {
	form := url.Values{"idSite": {strconv.Itoa(t.SiteID)}, "filter_limit": {"1"}}
	maps.Copy(form, parameters)
	var visits []struct {
		Visitor string `json:"visitorId"`
		Actions []struct {
			Type string `json:"type"`
			URL  string `json:"url"`
		} `json:"actionDetails"`
	}
	x := Examples{Dimension: c.dimension(ctx, t)}
	if err := c.Call(ctx, t, "Live.getLastVisitsDetails", form, &visits); err != nil || len(visits) == 0 {
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
		folders[last] = "/" + folders[last] // the row of the page, not that of a folder with the same name
		x.Label = strings.Join(folders, ">")
		break
	}
	return x, nil
}

// dimension returns the number of an active custom dimension, or "" without one or without the plugin.
func (c Client) dimension(ctx context.Context, t target.Target) string {
	var all []struct {
		ID     matomo.Number `json:"idcustomdimension"`
		Active bool          `json:"active"`
	}
	form := url.Values{"idSite": {strconv.Itoa(t.SiteID)}}
	if c.Call(ctx, t, "CustomDimensions.getConfiguredCustomDimensions", form, &all) == nil {
		for _, d := range all {
			if d.Active {
				return strconv.Itoa(int(d.ID))
			}
		}
	}
	return ""
}
