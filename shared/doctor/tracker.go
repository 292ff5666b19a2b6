package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/target"
)

// maxSkew is how far the clocks may be apart: Matomo refuses hits from its future beyond a minute or so.
const maxSkew = 30 * time.Second

// someAddress is one of a visitor: giving one makes Matomo check the token (core/Tracker/Request.php).
const someAddress = "90.224.0.10"

func placedPing(t target.Target) url.Values {
	form := matomo.Ping(t)
	form.Set("cip", someAddress)
	return form
}

// tracker reports whether hits are taken.
func (x *examination) tracker(ctx context.Context, d *Diagnosis) bool {
	sent := time.Now()
	var way route
	r, err := x.PostForm(way.of(ctx), x.target, x.target.URL, matomo.Ping(x.target))
	d.Findings = append(d.Findings, x.route(&way, r, err))
	if err != nil {
		d.Findings = append(d.Findings, unreachable(err, x.target.URL))
		return false
	}
	a := answer.ParseHit(&r.Raw)
	d.Reachable, d.Status, d.Took = true, r.Status, r.Took
	d.Findings = append(d.Findings, x.answered(&a), clock(r.Date, sent))
	d.Findings = append(d.Findings, x.elsewhere(ctx, &a)...)
	return a.Class == answer.Accepted
}

// unreachable says why the tracker at address gave no answer.
func unreachable(err error, address string) Finding {
	if message, cure := matomo.CertificateProblem(err); message != "" {
		return failed("certificate", cure, "%s", message)
	}
	cure := matomo.NetworkCure(err)
	if errors.Is(err, syscall.ECONNREFUSED) && strings.Contains(address, "//host.docker.internal") {
		cure = "let it listen on all addresses (0.0.0.0): containers cannot reach this machine's 127.0.0.1; with a " +
			"rootless engine, use this machine's network address"
	}
	return failed("tracker", cure, "does not answer: %v", err)
}

const trackerSetting = "MATOMO_URL or the target's url"

func (x *examination) answered(a *answer.Answer) Finding {
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

func clock(date, sent time.Time) Finding {
	if date.IsZero() {
		return skipped("clock", "", "compare the clocks manually", "the response has no Date header")
	}
	if skew := date.Sub(sent).Abs(); skew > maxSkew {
		return warning("clock", "synchronise both with NTP", "the server's clock and the local one differ by %s",
			skew.Round(time.Second))
	}
	return passed("clock", "the server's clock and the local one agree")
}

// token reports whether hits may carry addresses and countries.
func (x *examination) token(ctx context.Context) []Finding {
	if x.target.Token == "" {
		return []Finding{warning("token", "use a token with write access to the site",
			"not set: countries, cities and IP addresses of visitors are not sent")}
	}
	form := placedPing(x.target)
	form.Set("token_auth", x.target.Token.Reveal())
	r, err := x.PostForm(ctx, x.target, x.target.URL, form)
	if err != nil {
		return []Finding{failed("token", "try again", "could not be tested: %v", err)}
	}
	a := answer.ParseHit(&r.Raw)
	if a.Class != answer.Accepted && !a.Class.RisksLockout() {
		cure := "try again"
		if a.Class == answer.InFront {
			cure = matomo.FrontCure(&a, trackerSetting)
		}
		return []Finding{failed("token", cure, "could not be tested: %s", a.String())}
	}
	may := x.mayOf(ctx, x.target.Token)
	if a.Class != answer.Accepted {
		return []Finding{failed("token",
			"use a token with write access to this site; a new token takes up to 5 minutes to reach the tracker",
			"is rejected for site %d (%d)%s: every hit with an IP address or country would be lost", x.target.SiteID,
			a.Status, may.refused())}
	}
	return []Finding{passed("token", "has write access to site %d%s", x.target.SiteID, may.taken()), x.bulk(ctx)}
}

// bulk tries a token that is good in a form. Matomo does not count that of a bulk request as sent securely, and refuses
// a superuser's for secure requests only, which new ones are unless told (plugins/UsersManager/Model.php).
func (x *examination) bulk(ctx context.Context) Finding {
	body, err := json.Marshal(map[string]any{"requests": []string{"?" + placedPing(x.target).Encode()},
		"token_auth": x.target.Token.Reveal()})
	if err != nil {
		return skipped("bulk", "", "", "could not be tested: %v", err) // strings always marshal
	}
	r, err := x.Post(ctx, x.target, x.target.URL, "application/json", string(body), x.target.Token.Reveal())
	a := answer.ParseBulk(&r.Raw, 1)
	finding, loss := warning, "with SEND_MODE=bulk or in a backfill, every hit would be lost"
	if x.expect.Bulk {
		finding, loss = failed, "every hit would be lost"
	}
	switch {
	case err != nil:
		return warning("bulk", "try again before a run with SEND_MODE=bulk", "could not be tested: %v", err)
	case a.Receipt.Invalid > 0:
		return finding("bulk",
			`use a token of a user with write access, or a superuser's without "Only allow secure requests"`,
			"the token is rejected in bulk requests: %s", loss)
	case a.Class == answer.InFront:
		return finding("bulk", matomo.FrontCure(&a, trackerSetting), "bulk requests do not reach Matomo (%s): %s",
			a.String(), loss)
	case a.Class == answer.NoReceipt:
		return passed("bulk", "bulk requests are accepted without a receipt: a queue is active")
	case a.Class != answer.Accepted:
		return finding(
			"bulk",
			"check that the plugin BulkTracking is active, and Matomo's log: it blocks an IP address for an hour after 20 "+
				"wrong tokens",
			"bulk requests are not accepted (%s): %s",
			a.String(),
			loss,
		)
	}
	return passed("bulk", "the token is accepted in bulk requests")
}
