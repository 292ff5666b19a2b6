package matomo

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/target"
)

// Stream calls a method of the Reporting API for the target's site once and has read read the answer, of any length, as
// it comes. The error is ErrTimedOut, or tells what Matomo refused; one of read alone matters to read.
func (c *Client) Stream(ctx context.Context, t target.Target, method string, parameters url.Values,
	read func(io.Reader) error) error {
	token := t.APIToken().Reveal()
	form := url.Values{"module": {"API"}, "format": {"json"}, "method": {method}, "idSite": {strconv.Itoa(t.SiteID)},
		"token_auth": {token}}
	for k, v := range parameters {
		form[k] = v
	}
	resp, r, err := c.send(ctx, t, t.API(), "application/x-www-form-urlencoded", form.Encode(), token)
	if err != nil {
		return unanswered(method, err)
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	body := &begun{r: resp.Body}
	err = read(body)
	if err != nil && errors.Is(plain(err), ErrTimedOut) {
		return ErrTimedOut
	}
	r.Body, r.Truncated = body.first, body.more
	if err == nil && resp.StatusCode == http.StatusOK && body.more {
		return nil // no error of Matomo's is so long
	}
	if a := answer.ParseAPI(&r); a.Class != answer.Accepted {
		return refusal(method, a)
	}
	return nil
}

// firstBytes are kept of an answer, for its first words.
const firstBytes = 4 << 10

// begun keeps the first bytes of what is read of r; more says that there were others.
type begun struct {
	r     io.Reader
	first []byte
	more  bool
}

// Read implements io.Reader.
func (b *begun) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	kept := min(n, firstBytes-len(b.first))
	b.first, b.more = append(b.first, p[:kept]...), b.more || kept < n
	return n, err
}
