package security

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// ClientIP is who asks: the nearest address of the chain that is no trusted proxy.
func (g *Guard) ClientIP(r *http.Request) netip.Addr {
	addr := parseAddr(r.RemoteAddr)
	chain := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(chain) - 1; i >= 0 && g.isTrustedProxy(addr); i-- {
		next := parseAddr(strings.TrimSpace(chain[i]))
		if !next.IsValid() {
			break
		}
		addr = next
	}
	return addr
}

// IsSecure says whether the browser came by TLS: here, at a trusted proxy, or at the public address if that is https.
func (g *Guard) IsSecure(r *http.Request) bool {
	return r.TLS != nil || g.isTrustedProxy(parseAddr(r.RemoteAddr)) &&
		strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") ||
		g.public.Scheme == "https" && strings.EqualFold(r.Host, g.public.Host)
}

// ownsHost says whether the controller speaks for all ports of its host, which HSTS (RFC 6797, 8.3) turns to TLS: only
// where PUBLIC_URL says that people reach it by https at the usual port.
func (g *Guard) ownsHost(r *http.Request) bool {
	return g.public.Scheme == "https" && g.public.Port() == "" && strings.EqualFold(r.Host, g.public.Host)
}

func (g *Guard) isTrustedProxy(a netip.Addr) bool {
	return slices.ContainsFunc(g.proxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// isHostAllowed keeps a foreign name that resolves to this machine (DNS rebinding) out.
func (g *Guard) isHostAllowed(r *http.Request) bool {
	return slices.Contains(g.hosts, strings.ToLower(withoutPort(r.Host)))
}

// isSameOrigin says whether a request that changes something comes from the controller's own pages or from a program,
// which sends neither header. Browsers judge it themselves and say so in Sec-Fetch-Site. Where they do not (plain http
// to another machine, old ones) Origin has to be exactly the address that was asked, or the public one.
func (g *Guard) isSameOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || r.Header.Get("Sec-Fetch-Site") != "" {
		return new(http.CrossOriginProtection).Check(r) == nil
	}
	return strings.EqualFold(origin, g.requestOrigin(r)) ||
		g.public.Host != "" && strings.EqualFold(origin, g.public.String())
}

// requestOrigin is the origin of the address in the request.
func (g *Guard) requestOrigin(r *http.Request) string {
	if g.IsSecure(r) {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

func (g *Guard) isAllowedOrigin(origin string) bool {
	return origin != "" && slices.Contains(g.origins, strings.ToLower(origin))
}

func parseAddr(s string) netip.Addr {
	if host, _, err := net.SplitHostPort(s); err == nil {
		s = host
	}
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

func withoutPort(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		return host[:i]
	}
	return host
}
