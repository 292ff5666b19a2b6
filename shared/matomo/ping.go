package matomo

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/puttrix/trafficinator/shared/target"
)

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
