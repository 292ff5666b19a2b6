package security

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// ClientIP returns the nearest address of the chain that is not a trusted proxy.
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

// IsSecure reports whether the browser used TLS: here, at a trusted proxy, or at the public address if that is https.
func (g *Guard) IsSecure(r *http.Request) bool {
	return r.TLS != nil || g.isTrustedProxy(parseAddr(r.RemoteAddr)) &&
		strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") ||
		g.config.Public.Scheme == "https" && strings.EqualFold(r.Host, g.config.Public.Host)
}

// ownsHost reports whether PUBLIC_URL is https at the default port. Only then HSTS is sent, because it applies to all
// ports of the host (RFC 6797, 8.3).
func (g *Guard) ownsHost(r *http.Request) bool {
	public := g.config.Public
	return public.Scheme == "https" && public.Port() == "" && strings.EqualFold(r.Host, public.Host)
}

func (g *Guard) isTrustedProxy(a netip.Addr) bool {
	return slices.ContainsFunc(g.config.Proxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// isHostAllowed refuses a foreign name that resolves to this machine (DNS rebinding).
func (g *Guard) isHostAllowed(r *http.Request) bool {
	return slices.Contains(g.config.Hosts, strings.ToLower(withoutPort(r.Host)))
}

// isSameOrigin reports whether a request comes from the controller's own pages, or from a program, which sends neither
// header. If the browser sends no Sec-Fetch-Site (plain http to another machine, old browsers), Origin must be the
// requested address or the public one.
func (g *Guard) isSameOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || r.Header.Get("Sec-Fetch-Site") != "" {
		return new(http.CrossOriginProtection).Check(r) == nil
	}
	return strings.EqualFold(origin, g.requestOrigin(r)) ||
		g.config.Public.Host != "" && strings.EqualFold(origin, g.config.Public.String())
}

// requestOrigin returns the origin of the requested address.
func (g *Guard) requestOrigin(r *http.Request) string {
	if g.IsSecure(r) {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

func (g *Guard) isAllowedOrigin(origin string) bool {
	return origin != "" && slices.Contains(g.config.Origins, strings.ToLower(origin))
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
