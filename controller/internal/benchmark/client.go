package benchmark

import (
	"context"
	"encoding/json"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/matomo"
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

// Client asks a Matomo for what is measured.
type Client struct{ *matomo.Client }

// NewClient makes a client; timeout is for one request and must be positive.
func NewClient(timeout time.Duration, m target.Environment) Client {
	return Client{matomo.NewClient(timeout, m)}
}

// Time calls a method of the Reporting API for the target's site and measures it. The error is matomo.ErrTimedOut, or
// tells what Matomo refused.
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

// counted counts what is read of r.
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
func (c Client) Examples(ctx context.Context, t target.Target, parameters url.Values) (Examples, error) {
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
		folders[last] = "/" + folders[last] // a page's row, beside the folder's of the same name
		x.Label = strings.Join(folders, ">")
		break
	}
	return x, nil
}

// dimension is the number of an active custom dimension; none where there is none, or not the plugin for them.
func (c Client) dimension(ctx context.Context, t target.Target) string {
	var all []struct {
		ID     matomo.Number `json:"idcustomdimension"`
		Active bool          `json:"active"`
	}
	if c.Call(ctx, t, "CustomDimensions.getConfiguredCustomDimensions", url.Values{"idSite": {strconv.Itoa(t.SiteID)}},
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
