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

func (r *route) record(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		ConnectDone:      func(_, address string, err error) { r.set(err, func() { r.address = address }) },
		TLSHandshakeDone: func(state tls.ConnectionState, err error) { r.set(err, func() { r.tls = &state }) },
	})
}

func (r *route) set(err error, set func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		set()
	}
}

// route describes how the first request got to the tracker (proxy, address, TLS) and its response.
func (x *examination) route(r *route, first matomo.Reply, err error) []Finding {
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

// alternatives are up to four addresses where the tracker may be if it is not at the given one: that of a folder
// without its slash, the folder's, and the usual ones of the host.
func alternatives(given string) (out []string) {
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
		u.Path = p
		if a := u.String(); !strings.HasSuffix(path.Dir(p), ".php") && a != given && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out[:min(len(out), 4)]
}

// elsewhere tries other addresses if the given one is not a tracker, with pings without a token.
func (x *examination) elsewhere(ctx context.Context, given *answer.Answer) []Finding {
	const check = "address"
	switch {
	case given.Class == answer.Accepted:
		return nil
	case given.Status/100 == 3, given.Status == http.StatusNotFound, given.Status == http.StatusMethodNotAllowed:
	case given.Class == answer.Unreadable && given.Status < http.StatusInternalServerError:
	default: // Matomo itself, or a gate that is closed for every address
		return nil
	}
	var tried []string
	alike := given.Status == http.StatusOK
	for _, address := range alternatives(x.target.URL) {
		r, err := x.PostForm(ctx, x.target, address, matomo.Ping(x.target))
		if err != nil {
			tried = append(tried, address+": "+err.Error())
			continue
		}
		a := answer.ParseHit(&r.Raw)
		if a.Class == answer.Accepted {
			return failed(check, "use "+address, "%s is not a tracker, but %s accepts hits", x.target.URL, address)
		}
		alike = alike && a.Status == given.Status && a.Excerpt == given.Excerpt
		tried = append(tried, fmt.Sprintf("%s answered %d", address, a.Status))
	}
	if len(tried) == 0 {
		return nil
	}
	message := "no tracker found; also tried: " + strings.Join(tried, ", ")
	if alike {
		message += "; all answers are alike: something in front of Matomo answers, or there is no Matomo"
	}
	const look = "find the tracker URL in Matomo's Administration → Websites → Tracking code"
	return skipped(check, "", look, "%s", message)
}
