package matomo

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// errForbidden refuses an address that no Matomo has.
var errForbidden = errors.New("the address is link-local, multicast, unspecified or a cloud metadata service")

// clouds are addresses at which clouds tell a machine its secrets, beside the link-local 169.254.169.254.
var clouds = []netip.Addr{
	netip.MustParseAddr("100.100.100.200"), // Alibaba Cloud
	netip.MustParseAddr("168.63.129.16"),   // Azure
	netip.MustParseAddr("192.0.0.192"),     // Oracle Cloud
	netip.MustParseAddr("fd00:ec2::254"),   // AWS
}

// embedding are the prefixes of IPv6 addresses that stand for an IPv4 address, and at which byte that begins: NAT64
// (RFC 6052, RFC 8215), 6to4 (RFC 3056) and IPv4-compatible addresses (RFC 4291, 2.5.5.1).
var embedding = []struct {
	prefix netip.Prefix
	at     int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12}, {netip.MustParsePrefix("64:ff9b:1::/48"), 12},
	{netip.MustParsePrefix("2002::/16"), 2}, {netip.MustParsePrefix("::/96"), 12},
}

// forbidden reports whether an address is none that a Matomo has.
func forbidden(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	if ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() || slices.Contains(clouds, ip) {
		return true
	}
	if !ip.Is6() || ip.IsLoopback() {
		return false
	}
	bytes := ip.As16()
	for _, e := range embedding {
		if e.prefix.Contains(ip) && forbidden(netip.AddrFrom4([4]byte(bytes[e.at:e.at+4]))) {
			return true
		}
	}
	return false
}

// guardedDialer looks at the address that is really connected to, after names are resolved.
func guardedDialer(timeout time.Duration) net.Dialer {
	return net.Dialer{Timeout: timeout, Control: func(_, address string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("parse address: %w", err)
		}
		if forbidden(ap.Addr()) {
			return errForbidden
		}
		return nil
	}}
}

// refuseLiteral refuses a host that is itself an address which no Matomo has.
func refuseLiteral(host string) error {
	if ip, err := netip.ParseAddr(host); err == nil && forbidden(ip) {
		return errForbidden
	}
	return nil
}
