package matomo

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/target"
)

// Verdict is how a check ended.
type Verdict string

// The verdicts.
const (
	Good Verdict = "ok"
	// Doubtful lets hits arrive, but some not as they are meant.
	Doubtful Verdict = "warning"
	// Bad means that hits will be lost.
	Bad Verdict = "error"
	// Skipped checks could not be made.
	Skipped Verdict = "skipped"
)

// Finding is one check with its cure.
type Finding struct {
	// Check is address, tracker, token, bulk, api, site, search, ecommerce, urls or clock.
	Check   string  `json:"check"`
	Verdict Verdict `json:"verdict"`
	Message string  `json:"message"`
	Cure    string  `json:"cure,omitempty"`
}

// Diagnosis is what the doctor found of one target.
type Diagnosis struct {
	// Works tells that a hit sent now would be taken with all it carries.
	Works bool
	// Reachable tells that something answered; Status is its HTTP status and Took the time of that answer.
	Reachable bool
	Status    int
	Took      time.Duration
	// Version is empty and Site nil where the token does not allow to read them.
	Version  string
	Site     *Site
	Findings []Finding
}

func (d *Diagnosis) find(check string, v Verdict, message, cure string) {
	d.Findings = append(d.Findings, Finding{check, v, message, cure})
}

// maxSkew is how far the clocks may be apart: Matomo refuses hits from its future beyond a minute or so.
const maxSkew = 30 * time.Second

// Examine tells whether t takes hits and what of them, without leaving a visit there. Each failure has its cure.
func (c *Client) Examine(ctx context.Context, t target.Target) Diagnosis {
	var d Diagnosis
	c.examine(ctx, t, &d)
	d.Works = d.Reachable && !slices.ContainsFunc(d.Findings, func(f Finding) bool { return f.Verdict == Bad })
	return d
}

func (c *Client) examine(ctx context.Context, t target.Target, d *Diagnosis) {
	if err := target.CheckURL(t.URL); err != nil {
		d.find("address", Bad, err.Error(), "write https://host/matomo.php")
		return
	}
	if !c.tracker(ctx, t, d) {
		return
	}
	if t.Token == "" {
		d.find("token", Doubtful, "there is none: countries, cities and addresses of visitors are not sent", "give a token of a user with write access to the site")
		d.find("api", Skipped, "without a token version and site cannot be read", "")
		return
	}
	if c.token(ctx, t, d) {
		c.bulk(ctx, t, d)
		c.api(ctx, t, d)
	}
}

// ping is a hit that Matomo checks and answers but stores nothing for: a heartbeat of a visitor who has no visit
// (plugins/Heartbeat/Tracker/PingRequestProcessor.php). It asks for the GIF: without, a Matomo whose tracking is off
// answers like any other (core/Tracker/Response.php).
func ping(t target.Target) url.Values {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails, see crypto/rand
	return url.Values{
		"idsite": {strconv.Itoa(t.SiteID)}, "rec": {"1"}, "apiv": {"1"}, "ping": {"1"},
		"cid": {hex.EncodeToString(id[:])}, "url": {"https://shop.example.test/"},
	}
}

// placedPing has an address of its own, which makes Matomo check the token (core/Tracker/Request.php).
func placedPing(t target.Target) url.Values {
	form := ping(t)
	form.Set("cip", "90.224.0.10")
	return form
}

func (c *Client) tracker(ctx context.Context, t target.Target, d *Diagnosis) bool {
	sent := time.Now()
	a, err := c.postForm(ctx, t.URL, ping(t))
	if err != nil {
		cure := "start Matomo, or correct host and port"
		if errors.Is(err, errForbidden) {
			cure = "give the address of a Matomo"
		}
		d.find("tracker", Bad, "does not answer: "+err.Error(), cure)
		return false
	}
	d.Reachable, d.Status, d.Took = true, a.status, a.took
	switch {
	case a.taken():
		d.find("tracker", Good, fmt.Sprintf("takes hits for site %d", t.SiteID), "")
	case a.status/100 == 3:
		d.find("tracker", Bad, fmt.Sprintf("answers with a redirect (%d), and hits do not follow one", a.status), "give the address it redirects to: https instead of http, or with www")
	case a.status == http.StatusBadRequest:
		d.find("tracker", Bad, fmt.Sprintf("refuses hits for site %d (400)", t.SiteID), "look whether the site exists in Matomo, and whether its database runs")
	case a.status == http.StatusNotFound:
		d.find("tracker", Bad, "is not there (404)", "look at the path: Matomo's tracker is matomo.php in its own folder")
	case a.status == http.StatusUnauthorized, a.status == http.StatusForbidden:
		d.find("tracker", Bad, fmt.Sprintf("is closed (%d)", a.status), "let the server in front of Matomo pass requests from here")
	case a.status == http.StatusServiceUnavailable:
		d.find("tracker", Bad, "takes no hits now (503)", "turn on record_statistics in Matomo's config.ini.php, or wait where the server is overloaded")
	case a.status >= 500:
		d.find("tracker", Bad, fmt.Sprintf("fails (%d)", a.status), "read the log of Matomo's web server")
	default:
		d.find("tracker", Bad, fmt.Sprintf("answers %d, which is no answer of Matomo to a hit", a.status), "give the address of matomo.php itself")
	}
	if skew := a.date.Sub(sent).Abs(); !a.date.IsZero() && skew > maxSkew {
		d.find("clock", Doubtful, fmt.Sprintf("its clock and the one here are %s apart", skew.Round(time.Second)), "set both by NTP")
	}
	return a.taken()
}

func (c *Client) token(ctx context.Context, t target.Target, d *Diagnosis) bool {
	form := placedPing(t)
	form.Set("token_auth", t.Token.Reveal())
	a, err := c.postForm(ctx, t.URL, form)
	switch {
	case err != nil:
		d.find("token", Bad, "could not be tried: "+err.Error(), "try again")
	case a.taken():
		d.find("token", Good, fmt.Sprintf("may write to site %d", t.SiteID), "")
		return true
	default:
		d.find("token", Bad, fmt.Sprintf("is refused for site %d (%d): every hit with an address or country would be lost", t.SiteID, a.status),
			"give a token of a user with write access to this site; a new token is known to the tracker after 5 minutes at most")
	}
	return false
}

// bulk tries a token that is good in a form. Matomo does not count that of a bulk request as sent securely, and refuses a
// superuser's for secure requests only, which new ones are unless told (plugins/UsersManager/Model.php).
func (c *Client) bulk(ctx context.Context, t target.Target, d *Diagnosis) {
	body, err := json.Marshal(map[string]any{"requests": []string{"?" + placedPing(t).Encode()}, "token_auth": t.Token.Reveal()})
	if err != nil { // strings always marshal
		return
	}
	var receipt struct{ Tracked, Invalid int }
	a, err := c.post(ctx, t.URL, "application/json", string(body))
	if err == nil {
		_ = json.Unmarshal(a.body, &receipt) // no receipt is one of nothing
	}
	switch {
	case err != nil:
		d.find("bulk", Doubtful, "could not be tried: "+err.Error(), "try again before a run with SEND_MODE=bulk")
	case receipt.Invalid > 0:
		d.find("bulk", Doubtful, "the token is refused in bulk requests: with SEND_MODE=bulk every hit would be lost",
			`give a token of a user with write access alone, or a superuser's without "Only allow secure requests"`)
	case receipt.Tracked == 0:
		d.find("bulk", Doubtful, fmt.Sprintf("bulk requests are not taken (%d): with SEND_MODE=bulk every hit would be lost", a.status),
			"look whether Matomo's plugin BulkTracking is active, and in its log: it refuses an address for an hour after 20 wrong tokens")
	}
}

func (c *Client) api(ctx context.Context, t target.Target, d *Diagnosis) {
	version, err := c.Version(ctx, t)
	if err != nil {
		d.find("api", Doubtful, "the Reporting API cannot be asked: "+err.Error(), "tracking works; to compare what arrived, let index.php be reached beside the tracker")
		return
	}
	d.Version = version
	d.find("api", Good, "Matomo "+version, "")
	site, err := c.Site(ctx, t)
	if err != nil {
		d.find("site", Doubtful, "its settings cannot be read: "+err.Error(), "give the token's user view access to the site")
		return
	}
	d.Site = &site
	d.find("site", Good, strings.Join([]string{site.Name, site.Timezone, site.Currency}, ", "), "")
	if !site.SiteSearch {
		d.find("search", Doubtful, "site search is off, so searches are recorded as pages", "turn it on in the site's settings or set SITESEARCH_PROBABILITY=0")
	}
	if !site.Ecommerce {
		d.find("ecommerce", Doubtful, "ecommerce is off, so orders are not shown", "turn it on in the site's settings or set ECOMMERCE_PROBABILITY=0")
	}
	if site.KnownURLsOnly {
		d.find("urls", Doubtful, "only hits on the site's own URLs are recorded", "let the URL list begin with "+site.MainURL)
	}
}
