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
		return bad("certificate", cure, "%s", message)
	}
	cure := matomo.NetworkCure(err)
	if errors.Is(err, syscall.ECONNREFUSED) && strings.Contains(address, "//host.docker.internal") {
		cure = "let it listen on all addresses (0.0.0.0): this machine's 127.0.0.1 is not reached from a container; " +
			"with a rootless engine give this machine's address in the network"
	}
	return bad("tracker", cure, "does not answer: %v", err)
}

const trackerSetting = "MATOMO_URL, or url of the target"

func (x *examination) answered(a *answer.Answer) Finding {
	site := x.target.SiteID
	const check = "tracker"
	switch {
	case a.Class == answer.Accepted && a.Malformed:
		return doubtful(check, "look for PHP's warnings (display_errors) or a byte order mark in Matomo's files",
			"takes hits for site %d, but %s", site, a)
	case a.Class == answer.Accepted:
		return good(check, "takes hits for site %d", site)
	case a.Status/100 == 3:
		return bad(check, "give the address it redirects to, where that is Matomo's: https instead of http, or "+
			"with www", "%s", a)
	case a.Class == answer.InFront && a.Status == http.StatusNotFound:
		return bad(check, "look at the path: Matomo's tracker is matomo.php in its own folder", "%s", a)
	case a.Class == answer.InFront:
		return bad(check, matomo.FrontCure(a, trackerSetting), "is closed: %s", a)
	case a.Class == answer.Token:
		return bad(check, "give a token of a user with write access to the site", "%s", a)
	case a.Class == answer.Rejected:
		return bad(check, "look whether the site exists in Matomo, and whether its database runs",
			"refuses hits for site %d (%d)", site, a.Status)
	case a.Class == answer.NotNow:
		return bad(check, "turn on record_statistics in Matomo's config.ini.php, or wait where the server "+
			"is overloaded", "takes no hits now: %s", a)
	case a.Status >= http.StatusInternalServerError:
		return bad(check, "read the log of Matomo's web server", "fails: %s", a)
	case strings.Contains(a.Excerpt, "piwik.DEBUG"):
		return bad(check, "set debug=0 in section [Tracker] of Matomo's config.ini.php",
			"answers with its log: hits are recorded, but could only be counted as unknown")
	default:
		return bad(check, "give the address of matomo.php itself", "gives no answer of Matomo to a hit: %s", a)
	}
}

func clock(date, sent time.Time) Finding {
	if date.IsZero() {
		return untold("clock", "", "compare the server's clock by hand", "the answer has no date")
	}
	if skew := date.Sub(sent).Abs(); skew > maxSkew {
		return doubtful("clock", "set both by NTP", "its clock and the one here are %s apart", skew.Round(time.Second))
	}
	return good("clock", "its clock and the one here agree")
}

// token reports whether hits may carry addresses and countries.
func (x *examination) token(ctx context.Context) []Finding {
	if x.target.Token == "" {
		return []Finding{doubtful("token", "give a token of a user with write access to the site",
			"there is none: countries, cities and addresses of visitors are not sent")}
	}
	form := placedPing(x.target)
	form.Set("token_auth", x.target.Token.Reveal())
	r, err := x.PostForm(ctx, x.target, x.target.URL, form)
	if err != nil {
		return []Finding{bad("token", "try again", "could not be tried: %v", err)}
	}
	a := answer.ParseHit(&r.Raw)
	if a.Class != answer.Accepted && !a.Class.RisksLockout() {
		cure := "try again"
		if a.Class == answer.InFront {
			cure = matomo.FrontCure(&a, trackerSetting)
		}
		return []Finding{bad("token", cure, "could not be tried: %s", a.String())}
	}
	may := x.mayOf(ctx, x.target.Token)
	if a.Class != answer.Accepted {
		return []Finding{bad("token",
			"give a token of a user with write access to this site; a new token is known to the tracker after "+
				"5 minutes at most",
			"is refused for site %d (%d)%s: every hit with an address or country would be lost", x.target.SiteID,
			a.Status, may.refused())}
	}
	return []Finding{good("token", "may write to site %d%s", x.target.SiteID, may.taken()), x.bulk(ctx)}
}

// bulk tries a token that is good in a form. Matomo does not count that of a bulk request as sent securely, and refuses
// a superuser's for secure requests only, which new ones are unless told (plugins/UsersManager/Model.php).
func (x *examination) bulk(ctx context.Context) Finding {
	body, err := json.Marshal(map[string]any{"requests": []string{"?" + placedPing(x.target).Encode()},
		"token_auth": x.target.Token.Reveal()})
	if err != nil {
		return untold("bulk", "", "", "could not be tried: %v", err) // strings always marshal
	}
	r, err := x.Post(ctx, x.target, x.target.URL, "application/json", string(body), x.target.Token.Reveal())
	a := answer.ParseBulk(&r.Raw, 1)
	finding, loss := doubtful, "with SEND_MODE=bulk every hit would be lost, and those of past days go in bulk too"
	if x.expect.Bulk {
		finding, loss = bad, "every hit would be lost"
	}
	switch {
	case err != nil:
		return doubtful("bulk", "try again before a run with SEND_MODE=bulk", "could not be tried: %v", err)
	case a.Receipt.Invalid > 0:
		return finding("bulk",
			`give a token of a user with write access alone, or a superuser's without "Only allow secure requests"`,
			"the token is refused in bulk requests: %s", loss)
	case a.Class == answer.InFront:
		return finding("bulk", matomo.FrontCure(&a, trackerSetting), "bulk requests do not get to Matomo (%s): %s",
			a.String(), loss)
	case a.Class == answer.NoReceipt:
		return good("bulk", "bulk requests are taken without a receipt: a queue is on")
	case a.Class != answer.Accepted:
		return finding("bulk",
			"look whether Matomo's plugin BulkTracking is active, and in its log: it refuses an address for an hour "+
				"after 20 wrong tokens",
			"bulk requests are not taken (%s): %s", a.String(), loss)
	}
	return good("bulk", "the token is taken in bulk requests")
}
