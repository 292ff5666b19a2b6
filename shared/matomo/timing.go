package matomo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/target"
)

// Timing is how one request to the Reporting API went.
type Timing struct {
	// Took is the time until the answer was read to its end.
	Took time.Duration
	// Bytes and Rows are those of the answer; Rows counts the elements of the outermost list or object.
	Bytes int64
	Rows  int
	// TimedOut says that no answer came in the client's time.
	TimedOut bool
}

// ErrTimedOut: no answer came in the client's time.
var ErrTimedOut = errors.New("no answer in time")

// Time calls a method of the Reporting API for the target's site and measures it. The error is ErrTimedOut, or tells
// what Matomo refused.
func (c *Client) Time(ctx context.Context, t target.Target, method string, parameters url.Values) (Timing, error) {
	form := url.Values{"module": {"API"}, "format": {"json"}, "method": {method}, "idSite": {strconv.Itoa(t.SiteID)}, "token_auth": {t.Reader().Reveal()}}
	for k, v := range parameters {
		form[k] = v
	}
	u, err := url.Parse(t.URL)
	if err != nil {
		return Timing{}, errors.New("the address cannot be used")
	}
	u.Path = path.Join(path.Dir(u.Path), "index.php")
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return Timing{}, errors.New("the address cannot be used")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	began := time.Now()
	resp, err := c.http.Do(req)
	if err != nil {
		return ended(began, err)
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	body := &counted{r: resp.Body}
	rows, refused, err := count(body)
	out := Timing{Took: time.Since(began), Bytes: body.n, Rows: rows}
	switch {
	case err != nil:
		if slow, err := ended(began, err); slow.TimedOut {
			return slow, err
		}
		return out, fmt.Errorf("ask %s: the answer is not that of a Matomo (%d)", method, resp.StatusCode)
	case refused != "":
		return out, fmt.Errorf("ask %s: %w: %s", method, errRefused, refused)
	case resp.StatusCode != http.StatusOK:
		return out, fmt.Errorf("ask %s: %w with status %d", method, errRefused, resp.StatusCode)
	}
	return out, nil
}

// ended is a request without an answer.
func ended(began time.Time, err error) (Timing, error) {
	err = plain(err)
	return Timing{Took: time.Since(began), TimedOut: errors.Is(err, ErrTimedOut)}, err
}

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

// count reads an answer to its end without keeping it. refused is Matomo's message where it is one of a failure.
func count(r io.Reader) (rows int, refused string, err error) {
	d := json.NewDecoder(r)
	first, err := d.Token()
	if err != nil {
		return 0, "", err
	}
	open, nested := first.(json.Delim)
	if !nested {
		return 1, "", nil
	}
	failed := false
	for d.More() {
		key := ""
		if open == '{' {
			token, err := d.Token()
			if err != nil {
				return rows, "", err
			}
			key, _ = token.(string)
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return rows, "", err
		}
		switch {
		case key == "result" && string(v) == `"error"`:
			failed = true
		case key == "message" && failed:
			refused = strings.Trim(string(v), `"`)
		}
		rows++
	}
	if _, err := d.Token(); err != nil {
		return rows, "", err
	}
	_, err = io.Copy(io.Discard, r) // what follows the answer, so that it counts
	return rows, refused, err
}

// Examples are what reports about a single thing can be asked for; each is empty where the site has none.
type Examples struct {
	// Visitor is the id of the latest, Page the address of the top page and Label its path in the report of pages, as
	// API.getRowEvolution takes it.
	Visitor, Page, Label string
}

// Examples looks for them in a period.
func (c *Client) Examples(ctx context.Context, t target.Target, parameters url.Values) (Examples, error) {
	var x Examples
	ask := func(method string, into any, more url.Values) error {
		more.Set("idSite", strconv.Itoa(t.SiteID))
		more.Set("filter_limit", "1")
		for k, v := range parameters {
			more[k] = v
		}
		if err := c.ask(ctx, t, method, more, into); err != nil && !errors.Is(err, errEmpty) {
			return err
		}
		return nil
	}
	var visits []struct {
		Visitor string `json:"visitorId"`
	}
	if err := ask("Live.getLastVisitsDetails", &visits, url.Values{"doNotFetchActions": {"1"}}); err != nil {
		return x, err
	}
	var pages []struct {
		Label string `json:"label"`
		URL   string `json:"url"`
	}
	if err := ask("Actions.getPageUrls", &pages, url.Values{"flat": {"1"}}); err != nil {
		return x, err
	}
	if len(visits) > 0 {
		x.Visitor = visits[0].Visitor
	}
	if len(pages) > 0 {
		x.Page, x.Label = pages[0].URL, strings.Trim(pages[0].Label, "/")
	}
	return x, nil
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
