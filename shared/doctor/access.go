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
		return ", whose user has no access to it"
	case view:
		return ", whose user may only view it"
	case unknown:
		return ", as it is by the Reporting API"
	case unasked:
		return ""
	}
	return ", though its user may write there"
}

// taken adds to what is told of a token that is taken.
func (a access) taken() string {
	switch a {
	case superuser:
		return " (a superuser's, which is more than is needed)"
	case admin:
		return " (an administrator's of the site)"
	case write:
		return " (a user's with write access)"
	}
	return ""
}

// readToken tells of a token of its own for reading.
func (x *examination) readToken(ctx context.Context) []Finding {
	if x.target.ReadToken == "" {
		return nil
	}
	const cure = "give MATOMO_READ_TOKEN, or read_token of the target, one of a user with view access to the site"
	switch x.mayOf(ctx, x.target.ReadToken) {
	case unasked:
		return []Finding{untold("read_token", "", "", "the token for reading could not be tried")}
	case unknown:
		return []Finding{doubtful("read_token", cure, "the token for reading is refused")}
	case nothing:
		return []Finding{doubtful("read_token", cure,
			"the token for reading may not view site %d: what was recorded cannot be read", x.target.SiteID)}
	}
	return []Finding{good("read_token", "the token for reading may view site %d", x.target.SiteID)}
}

// known is the major version of Matomo whose behaviour is known here.
const known = 5

func (x *examination) version(ctx context.Context) (string, Finding) {
	v, err := x.Version(ctx, x.target)
	if err != nil {
		return "", doubtful("api", "tracking works; to compare what arrived: "+
			cmp.Or(matomo.Advice(err), "give a token that may view the site"),
			"the Reporting API cannot be asked: %v", err)
	}
	text, _, _ := strings.Cut(v, ".")
	switch major, err := strconv.Atoi(text); {
	case err != nil:
		return v, untold("api", "", "look at Administration, General settings",
			"Matomo gives no version that can be read")
	case major < known:
		return v, doubtful("api", fmt.Sprintf("update Matomo to %d", known),
			"Matomo %s is older than any that was tried: tracking may differ", v)
	case major > known:
		return v, doubtful("api", "send a probe visit, and compare a short run with its reports before a long one",
			"Matomo %s is newer than any that was tried: tracking may differ", v)
	}
	return v, good("api", "Matomo %s", v)
}
