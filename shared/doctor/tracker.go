package doctor

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/target"
)

// maxSkew is the tolerated clock difference: Matomo rejects hits that are more than about a minute in its future.
const maxSkew = 30 * time.Second

// someAddress is a visitor's address: a hit with one makes Matomo check the token (core/Tracker/Request.php).
const someAddress = "90.224.0.10"

func (x *examination) tracker(ctx context.Context, d *Diagnosis) bool {
	sent := time.Now()
	var trace route
	r, err := x.PostForm(trace.record(ctx), x.target, x.target.URL, matomo.Ping(x.target))
	d.add(x.route(&trace, r, err))
	if err != nil {
		d.add(unreachable(err, x.target.URL))
		return false
	}
	a := answer.ParseHit(&r.Raw)
	d.Reachable, d.Status, d.Took = true, r.Status, r.Took
	d.add(x.answered(&a))
	d.add(clock(r.Date, sent))
	d.add(x.elsewhere(ctx, &a))
	return a.Class == answer.Accepted
}

func unreachable(err error, address string) []Finding {
	if message, cure := matomo.CertificateProblem(err); message != "" {
		return failed("certificate", cure, "%s", message)
	}
	cure := matomo.NetworkCure(err)
	if errors.Is(err, syscall.ECONNREFUSED) && strings.Contains(address, "//host.docker.internal") {
		cure = "make it listen on all addresses (0.0.0.0): containers cannot reach this machine's 127.0.0.1; with a " +
			"rootless engine, use this machine's network address"
	}
	return failed("tracker", cure, "does not answer: %v", err)
}

const trackerSetting = "MATOMO_URL or the target's url"

func (x *examination) answered(a *answer.Answer) []Finding {
	site := x.target.SiteID
	const check = "tracker"
	switch {
	case a.Class == answer.Accepted && a.Malformed:
		return warning(check, "check for PHP warnings (display_errors) or a byte order mark in Matomo's files",
			"accepts hits for site %d, but %s", site, a)
	case a.Class == answer.Accepted:
		return passed(check, "accepts hits for site %d", site)
	case a.Status/100 == 3:
		return failed(check, "use the URL it redirects to if that is Matomo, such as https or the www host", "%s", a)
	case a.Class == answer.InFront && a.Status == http.StatusNotFound:
		return failed(check, "correct the path: Matomo's tracker is matomo.php in Matomo's folder", "%s", a)
	case a.Class == answer.InFront:
		return failed(check, matomo.FrontCure(a, trackerSetting), "is blocked: %s", a)
	case a.Class == answer.Token:
		return failed(check, "use a token with write access to the site", "%s", a)
	case a.Class == answer.Rejected:
		return failed(check, "check that the site exists in Matomo and its database is running",
			"rejects hits for site %d (%d)", site, a.Status)
	case a.Class == answer.NotNow:
		return failed(check, "turn on record_statistics in config.ini.php, or wait if the server is overloaded",
			"accepts no hits at the moment: %s", a)
	case a.Status >= http.StatusInternalServerError:
		return failed(check, "check the log of Matomo's web server", "fails: %s", a)
	case strings.Contains(a.Excerpt, "piwik.DEBUG"):
		return failed(check, "set debug=0 in section [Tracker] of Matomo's config.ini.php",
			"answers with its debug log: hits are recorded, but would count as unknown")
	default:
		return failed(check, "use the URL of matomo.php", "does not answer like Matomo: %s", a)
	}
}

func clock(date, sent time.Time) []Finding {
	if date.IsZero() {
		return skipped("clock", "", "compare the clocks manually", "the response has no Date header")
	}
	if skew := date.Sub(sent).Abs(); skew > maxSkew {
		return warning("clock", "synchronise both with NTP", "the server's clock and the local one differ by %s",
			skew.Round(time.Second))
	}
	return passed("clock", "the server's clock and the local one agree")
}

func (x *examination) token(ctx context.Context) []Finding {
	const check = "token"
	if x.target.Token == "" {
		return warning(check, "use a token with write access to the site",
			"not set: countries, cities and IP addresses of visitors are not sent")
	}
	form := x.pingWithAddress()
	form.Set("token_auth", x.target.Token.Reveal())
	r, err := x.PostForm(ctx, x.target, x.target.URL, form)
	if err != nil {
		return failed(check, "try again", "could not be tested: %v", err)
	}
	a := answer.ParseHit(&r.Raw)
	if a.Class != answer.Accepted && !a.Class.RisksLockout() {
		cure := "try again"
		if a.Class == answer.InFront {
			cure = matomo.FrontCure(&a, trackerSetting)
		}
		return failed(check, cure, "could not be tested: %s", a.String())
	}
	level := x.accessOf(ctx, x.target.Token)
	if a.Class != answer.Accepted {
		return failed(check,
			"use a token with write access to this site; a new token takes up to 5 minutes to reach the tracker",
			"is rejected for site %d (%d)%s: every hit with an IP address or country would be lost", x.target.SiteID,
			a.Status, accessNotes[level].rejected)
	}
	return append(passed(check, "has write access to site %d%s", x.target.SiteID, accessNotes[level].accepted),
		x.bulk(ctx)...)
}

func (x *examination) pingWithAddress() url.Values {
	form := matomo.Ping(x.target)
	form.Set("cip", someAddress)
	return form
}

// bulk tests a token that works in a form. Matomo does not count the token of a bulk request as sent securely, and
// rejects a superuser's that is limited to secure requests, the default of new ones (plugins/UsersManager/Model.php).
func (x *examination) bulk(ctx context.Context) []Finding {
	const check = "bulk"
	a, err := postBulk(ctx, x.Client, x.target, []string{"?" + x.pingWithAddress().Encode()})
	finding, loss := warning, "with SEND_MODE=bulk or in a backfill, every hit would be lost"
	if x.expect.Bulk {
		finding, loss = failed, "every hit would be lost"
	}
	switch {
	case err != nil:
		return warning(check, "try again before a run with SEND_MODE=bulk", "could not be tested: %v", err)
	case a.Receipt.Invalid > 0:
		return finding(check,
			`use a token of a user with write access, or a superuser's without "Only allow secure requests"`,
			"the token is rejected in bulk requests: %s", loss)
	case a.Class == answer.InFront:
		return finding(check, matomo.FrontCure(&a, trackerSetting), "bulk requests do not reach Matomo (%s): %s",
			a.String(), loss)
	case a.Class == answer.NoReceipt:
		return passed(check, "bulk requests are accepted without a receipt: a queue is active")
	case a.Class != answer.Accepted:
		const cure = "check that the plugin BulkTracking is active, and Matomo's log: it blocks an IP address for an " +
			"hour after 20 wrong tokens"
		return finding(check, cure, "bulk requests are not accepted (%s): %s", a.String(), loss)
	}
	return passed(check, "the token is accepted in bulk requests")
}

// postBulk sends hits, each a query string, in one request.
func postBulk(ctx context.Context, c *matomo.Client, t target.Target, hits []string) (answer.Answer, error) {
	token := t.Token.Reveal()
	body, err := json.Marshal(map[string]any{"requests": hits, "token_auth": token})
	if err != nil {
		return answer.Answer{}, err
	}
	r, err := c.Post(ctx, t, t.URL, "application/json", string(body), token)
	return answer.ParseBulk(&r.Raw, len(hits)), err
}

type access int

const (
	notRead      access = iota // the API did not answer
	unknownToken               // Matomo rejects the token
	none
	view
	write
	admin
	superuser
)

// accessNotes follow the message about a rejected or an accepted token.
var accessNotes = [...]struct{ rejected, accepted string }{
	notRead:      {"", ""},
	unknownToken: {", also by the Reporting API", ""},
	none:         {", its user has no access to it", ""},
	view:         {", its user only has view access", ""},
	write:        {", although its user has write access", " (write access)"},
	admin:        {", although its user has write access", " (admin access)"},
	superuser:    {", although its user has write access", " (a superuser's; write access is enough)"},
}

func (x *examination) accessOf(ctx context.Context, token secret.String) access {
	t := x.target
	t.Token, t.ReadToken = token, ""
	var super struct{ Value any }
	switch err := x.Call(ctx, t, "UsersManager.hasSuperUserAccess", nil, &super); {
	case matomo.IsRefusal(err):
		return unknownToken
	case err != nil:
		return notRead
	case isOn(super.Value):
		return superuser
	}
	for i, name := range []string{"Admin", "Write", "AtLeastView"} {
		var sites []matomo.Number
		if err := x.Call(ctx, t, "SitesManager.getSitesIdWith"+name+"Access", nil, &sites); err != nil {
			return notRead
		}
		if slices.Contains(sites, matomo.Number(t.SiteID)) {
			return []access{admin, write, view}[i]
		}
	}
	return none
}

func (x *examination) readToken(ctx context.Context) []Finding {
	if x.target.ReadToken == "" {
		return nil
	}
	const check = "read_token"
	const cure = "set MATOMO_READ_TOKEN or the target's read_token to a token with view access to the site"
	switch x.accessOf(ctx, x.target.ReadToken) {
	case notRead:
		return skipped(check, "", "", "the read token could not be tested")
	case unknownToken:
		return warning(check, cure, "the read token is rejected")
	case none:
		return warning(check, cure, "the read token has no view access to site %d: Matomo's figures cannot be read",
			x.target.SiteID)
	}
	return passed(check, "the read token has view access to site %d", x.target.SiteID)
}

// testedMajor is the major version of Matomo that this package was tested with.
const testedMajor = 5

func (x *examination) version(ctx context.Context) (string, []Finding) {
	const check = "api"
	v, err := x.Version(ctx, x.target)
	if err != nil {
		return "", warning(check, "tracking works; for reconciliation: "+
			cmp.Or(matomo.Advice(err), "use a token with view access to the site"),
			"the Reporting API is not available: %v", err)
	}
	text, _, _ := strings.Cut(v, ".")
	switch major, err := strconv.Atoi(text); {
	case err != nil:
		return v, skipped(check, "", "see Administration → General settings", "Matomo reports no valid version")
	case major < testedMajor:
		return v, warning(check, fmt.Sprintf("update Matomo to %d", testedMajor),
			"Matomo %s is older than all tested versions: tracking may differ", v)
	case major > testedMajor:
		return v, warning(check, "send a probe visit and reconcile a short run before a long one",
			"Matomo %s is newer than all tested versions: tracking may differ", v)
	}
	return v, passed(check, "Matomo %s", v)
}
