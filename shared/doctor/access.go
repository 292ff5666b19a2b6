package doctor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/secret"
)

// access is what a token's user may do at a site.
type access int

const (
	unasked access = iota // Matomo did not tell
	unknown               // Matomo refuses the token
	nothing
	view
	write
	admin
	superuser
)

// mayOf asks with the token itself for what its user may do.
func (x *examination) mayOf(ctx context.Context, token secret.String) access {
	t := x.target
	t.Token, t.ReadToken = token, ""
	var super struct{ Value any }
	switch err := x.Call(ctx, t, "UsersManager.hasSuperUserAccess", nil, &super); {
	case matomo.IsRefusal(err):
		return unknown
	case err != nil:
		return unasked
	case filled(super.Value):
		return superuser
	}
	for _, m := range []struct {
		method string
		is     access
	}{
		{"SitesManager.getSitesIdWithAdminAccess", admin}, {"SitesManager.getSitesIdWithWriteAccess", write},
		{"SitesManager.getSitesIdWithAtLeastViewAccess", view},
	} {
		var sites []matomo.Number
		if err := x.Call(ctx, t, m.method, nil, &sites); err != nil {
			return unasked
		}
		if slices.Contains(sites, matomo.Number(t.SiteID)) {
			return m.is
		}
	}
	return nothing
}

// refused adds to what is told of a token that is not taken.
func (a access) refused() string {
	switch a {
	case nothing:
		return ", its user has no access to it"
	case view:
		return ", its user only has view access"
	case unknown:
		return ", also by the Reporting API"
	case unasked:
		return ""
	}
	return ", although its user has write access"
}

// taken adds to what is told of a token that is taken.
func (a access) taken() string {
	switch a {
	case superuser:
		return " (a superuser's; write access is enough)"
	case admin:
		return " (admin access)"
	case write:
		return " (write access)"
	}
	return ""
}

// readToken tells of a token of its own for reading.
func (x *examination) readToken(ctx context.Context) []Finding {
	if x.target.ReadToken == "" {
		return nil
	}
	const cure = "set MATOMO_READ_TOKEN or the target's read_token to a token with view access to the site"
	switch x.mayOf(ctx, x.target.ReadToken) {
	case unasked:
		return []Finding{skipped("read_token", "", "", "the read token could not be tested")}
	case unknown:
		return []Finding{warning("read_token", cure, "the read token is rejected")}
	case nothing:
		return []Finding{warning("read_token", cure,
			"the read token has no view access to site %d: Matomo's figures cannot be read", x.target.SiteID)}
	}
	return []Finding{passed("read_token", "the read token has view access to site %d", x.target.SiteID)}
}

// known is the major version of Matomo whose behaviour is known here.
const known = 5

func (x *examination) version(ctx context.Context) (string, Finding) {
	v, err := x.Version(ctx, x.target)
	if err != nil {
		return "", warning("api", "tracking works; for reconciliation: "+
			cmp.Or(matomo.Advice(err), "use a token with view access to the site"),
			"the Reporting API is not available: %v", err)
	}
	text, _, _ := strings.Cut(v, ".")
	switch major, err := strconv.Atoi(text); {
	case err != nil:
		return v, skipped("api", "", "see Administration → General settings", "Matomo reports no valid version")
	case major < known:
		return v, warning("api", fmt.Sprintf("update Matomo to %d", known),
			"Matomo %s is older than all tested versions: tracking may differ", v)
	case major > known:
		return v, warning("api", "send a probe visit and reconcile a short run before a long one",
			"Matomo %s is newer than all tested versions: tracking may differ", v)
	}
	return v, passed("api", "Matomo %s", v)
}
