package settings

import (
	"net"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/go-units"

	"github.com/puttrix/trafficinator/controller/internal/security"
	"github.com/puttrix/trafficinator/shared/problem"
)

// check checks rules beyond types and bounds.
func (s *Settings) check(problems *problem.List) {
	if host, port, err := net.SplitHostPort(s.ListenAddr); err != nil || !isPort(port) {
		problems.Refuse("LISTEN_ADDR", s.ListenAddr, "is not host:port", "for example 127.0.0.1:8000")
	} else if s.PublicURL == "" && !isLoopback(host) {
		problems.Warn("LISTEN_ADDR", s.ListenAddr, "can be reached from other machines",
			"put a reverse proxy with TLS before it, or use 127.0.0.1")
	}
	if err := security.CheckKey(s.APIKey.Reveal()); s.APIKey != "" && err != nil {
		problems.Refuse("CONTROL_UI_API_KEY", "", err.Error(),
			"use a long random one, or unset it to have one generated")
	}
	for i, h := range s.AllowedHosts {
		s.AllowedHosts[i] = strings.ToLower(strings.TrimSpace(h))
		if !isHost(s.AllowedHosts[i]) {
			problems.Refuse("ALLOWED_HOSTS", h, "is not a host name",
				"write names without scheme and port, such as load.example.test or [::1]")
		}
	}
	for i, o := range s.CORSOrigins {
		s.CORSOrigins[i] = strings.TrimSuffix(strings.TrimSpace(o), "/")
		if !isOrigin(s.CORSOrigins[i]) {
			problems.Refuse("CORS_ORIGINS", o, "is not an origin",
				"write https://host or https://host:port; * is not taken, because pages of anybody could "+
					"then use your key")
		}
	}
	for i, p := range s.TrustedProxies {
		s.TrustedProxies[i] = strings.TrimSpace(p)
		if n, err := network(s.TrustedProxies[i]); err != nil {
			problems.Refuse("TRUSTED_PROXIES", p, "is not an address or a network",
				"for example 10.0.0.2 or 10.0.0.0/8")
		} else if n.Bits() == 0 {
			problems.Warn("TRUSTED_PROXIES", p, "trusts every client, so anyone can spoof their address",
				"list only your proxies")
		}
	}
	s.checkPublicURL(problems)
	if _, err := s.MemoryLimit(); err != nil {
		problems.Refuse("LOADGEN_MEMORY", s.LoadgenMemory, "is not a memory size",
			"for example 512m or 2g; 0 is no limit")
	}
	s.checkDockerHost(problems)
}

// engines are the schemes of a Docker engine's address. ssh is recognized, but of no use here.
var engines = []string{"unix", "tcp", "http", "https", "npipe", "ssh"}

// checkDockerHost refuses an address of no engine. RUNTIME=auto ignores one of another machine and logs why.
func (s *Settings) checkDockerHost(problems *problem.List) {
	if s.DockerHost == "" || s.Runtime == "process" {
		return
	}
	u, err := url.Parse(s.DockerHost)
	if err != nil || !slices.Contains(engines, u.Scheme) || u.User != nil && u.Scheme != "ssh" {
		problems.Refuse("DOCKER_HOST", "", "is not the address of a Docker engine",
			"for example unix:///var/run/docker.sock")
	}
}

// checkPublicURL checks PUBLIC_URL and adds its host to ALLOWED_HOSTS.
func (s *Settings) checkPublicURL(problems *problem.List) {
	if s.PublicURL == "" {
		return
	}
	s.PublicURL = strings.TrimRight(s.PublicURL, "/")
	u := s.Public()
	if !isPublic(s.PublicURL, u) {
		problems.Refuse("PUBLIC_URL", "", "is not a valid URL",
			"for example https://load.example.test or http://localhost:8000; "+
				"a path is allowed, except the controller's own, such as /api")
		return
	}
	if u.Scheme == "http" && !isLoopback(u.Hostname()) {
		problems.Warn("PUBLIC_URL", s.PublicURL, "is not encrypted: keys can be intercepted",
			"put a reverse proxy with TLS before it, and write https://")
	}
	host := strings.ToLower(u.Hostname())
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	s.AllowedHosts = append(s.AllowedHosts, host)
}

// MemoryLimit returns LOADGEN_MEMORY in bytes, 0 for none.
func (s *Settings) MemoryLimit() (int64, error) { return units.RAMInBytes(s.LoadgenMemory) }

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// ProxyNetworks returns TRUSTED_PROXIES as networks; a single address is a network of one.
func (s Settings) ProxyNetworks() []netip.Prefix {
	out := make([]netip.Prefix, 0, len(s.TrustedProxies))
	for _, p := range s.TrustedProxies {
		if n, err := network(p); err == nil {
			out = append(out, n)
		}
	}
	return out
}

func network(p string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(p); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	n, err := netip.ParsePrefix(p)
	return n.Masked(), err
}

func isHost(h string) bool {
	if inner, ok := strings.CutPrefix(h, "["); ok {
		_, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		return err == nil && strings.HasSuffix(inner, "]")
	}
	u, err := url.Parse("http://" + h)
	return err == nil && h != "" && u.Host == h && u.Port() == "" && !strings.ContainsAny(h, "*:")
}

// isPublic reports whether address, parsed as u and without a slash at its end, can be PUBLIC_URL. The first part of
// its path must not be one of the controller's own, from which it could not be distinguished.
func isPublic(address string, u url.URL) bool {
	if !isOrigin(u.Scheme+"://"+u.Host) || address != u.Scheme+"://"+u.Host+u.Path || u.EscapedPath() != u.Path {
		return false
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	return (u.Path == "" || path.Clean(u.Path) == u.Path) &&
		!slices.Contains([]string{"api", "assets", "docs", "health"}, first)
}

func isOrigin(o string) bool {
	u, err := url.Parse(o)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.User == nil &&
		o == u.Scheme+"://"+u.Host && !strings.Contains(o, "*")
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n <= 65535
}
