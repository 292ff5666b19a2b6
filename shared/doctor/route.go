package doctor

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/target"
)

// route is how a request got to its server.
type route struct {
	mu      sync.Mutex // a connection may be tried at several addresses at once
	address string     // host:port that was connected to
	tls     *tls.ConnectionState
}

// of notes the route of the requests of a context.
func (r *route) of(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		ConnectDone: func(_, address string, err error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			if err == nil {
				r.address = address
			}
		},
		TLSHandshakeDone: func(state tls.ConnectionState, err error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			if err == nil {
				r.tls = &state
			}
		},
	})
}

// route tells how the first request got to the tracker: through which proxy, to which address, by which TLS, and what
// was answered first.
func (x *examination) route(r *route, first matomo.Reply, err error) Finding {
	r.mu.Lock()
	defer r.mu.Unlock()
	parts := []string{x.hop(r.address)}
	if r.tls != nil && len(r.tls.PeerCertificates) > 0 {
		c := r.tls.PeerCertificates[0]
		issuer := answer.Excerpt(c.Issuer.String())
		if c.Issuer.String() == c.Subject.String() {
			issuer = "itself (self-signed)"
		}
		parts = append(parts, fmt.Sprintf("%s, certificate issued by %s, valid until %s",
			tls.VersionName(r.tls.Version), issuer, c.NotAfter.Format(time.DateOnly)))
	}
	if err != nil {
		return skipped("route", "", "", "%s: no answer", strings.Join(parts, ", "))
	}
	parts = append(parts, fmt.Sprintf("answered %d in %s", first.Status, first.Took.Round(time.Millisecond)))
	return passed("route", "%s", strings.Join(parts, ", "))
}

// hop is the first connection of the route.
func (x *examination) hop(address string) string {
	to, err := url.Parse(x.target.URL)
	if err != nil {
		return ""
	}
	how := "direct"
	if proxy, err := x.Proxy(x.target, to); err == nil && proxy != nil {
		how = "through the proxy " + target.Redact(proxy.String())
	}
	if address == "" {
		return how + ", no connection"
	}
	return how + ", connected to " + address
}

// mostTried is how many other addresses are tried where the given one is no tracker.
const mostTried = 4

// others are addresses at which the tracker may be where it is not at the given one: that of a folder without its
// slash, the folder's, and the usual ones of the host.
func others(given string) (out []string) {
	u, err := url.Parse(given)
	if err != nil {
		return nil
	}
	u.RawQuery = ""
	folder := path.Dir(u.Path)
	for _, p := range []string{
		path.Join(u.Path, "matomo.php"), path.Join(folder, "matomo.php"), path.Join(folder, "piwik.php"),
		"/matomo.php", "/matomo/matomo.php",
	} {
		if strings.HasSuffix(path.Dir(p), ".php") {
			continue
		}
		u.Path = p
		if a := u.String(); a != given && !slices.Contains(out, a) && len(out) < mostTried {
			out = append(out, a)
		}
	}
	return out
}

// elsewhere tries other addresses where the given one answers as no tracker does, and tells what each answered. A hit
// that leaves no visit is sent, without a token.
func (x *examination) elsewhere(ctx context.Context, given *answer.Answer) []Finding {
	switch {
	case given.Class == answer.Accepted:
		return nil
	case given.Status/100 == 3, given.Status == http.StatusNotFound, given.Status == http.StatusMethodNotAllowed:
	case given.Class == answer.Unreadable && given.Status < http.StatusInternalServerError:
	default: // Matomo itself, or a gate that is closed for every address
		return nil
	}
	var tried []string
	alike := true
	for _, address := range others(x.target.URL) {
		r, err := x.PostForm(ctx, x.target, address, matomo.Ping(x.target))
		if err != nil {
			tried = append(tried, address+": "+err.Error())
			continue
		}
		a := answer.ParseHit(&r.Raw)
		if a.Class == answer.Accepted {
			return []Finding{failed("address", "use "+address, "%s is not a tracker, but %s accepts hits",
				x.target.URL, address)}
		}
		alike = alike && a.Status == given.Status && a.Excerpt == given.Excerpt
		tried = append(tried, fmt.Sprintf("%s answered %d", address, a.Status))
	}
	if len(tried) == 0 {
		return nil
	}
	message := "no tracker found; also tried: " + strings.Join(tried, ", ")
	if alike && given.Status == http.StatusOK {
		message += "; all answers are alike: something in front of Matomo answers, or there is no Matomo"
	}
	const look = "find the tracker URL in Matomo's Administration → Websites → Tracking code"
	return []Finding{skipped("address", "", look, "%s", message)}
}
