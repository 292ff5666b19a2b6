package tracking

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// connectionLifetime is how long a connection is used, give or take a quarter, before it is replaced, so that DNS
	// changes take effect although connections are never idle.
	connectionLifetime = time.Minute
	// failureCooldown is how long an address that failed is tried last.
	failureCooldown = 30 * time.Second
	// maxDialTime limits the attempt for one address while others are left: one that never answers, such as IPv6
	// addresses in a network without IPv6, must not use up the request's timeout.
	maxDialTime = 2 * time.Second
)

// lifetime returns how long the nth connection of a client is used. Multiples of the golden ratio spread lifetimes
// evenly, so that connections opened together do not expire together.
func lifetime(n uint64) time.Duration {
	const golden = 0x9e3779b97f4a7c15 // 2⁶⁴ divided by the golden ratio
	quarter := float64(n*golden)/(1<<64)*2 - 1
	return connectionLifetime + time.Duration(quarter*float64(connectionLifetime/4))
}

// dialer connects to a host by each of its addresses in turn. It is safe for concurrent use.
type dialer struct {
	lookup  func(ctx context.Context, network, host string) ([]netip.Addr, error)
	connect func(ctx context.Context, network, address string) (net.Conn, error)

	next   atomic.Uint64
	failed sync.Map // netip.Addr to time.Time
}

func newDialer() *dialer {
	d := net.Dialer{KeepAlive: 30 * time.Second}
	return &dialer{lookup: net.DefaultResolver.LookupNetIP, connect: d.DialContext}
}

// dial tries the addresses of a host until one accepts the connection. It returns the first error.
func (d *dialer) dial(ctx context.Context, host, port string) (net.Conn, error) {
	addresses, err := d.lookup(ctx, "ip", host)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err}
	}
	var first error
	addresses = d.order(addresses, time.Now())
	for i, address := range addresses {
		if _, failed := d.failed.Load(address); failed { // no other request uses it meanwhile
			d.failed.Store(address, time.Now())
		}
		c, err := d.try(ctx, net.JoinHostPort(address.Unmap().String(), port), len(addresses)-i)
		if isOutOfDescriptors(err) { // no failure of the address
			return nil, err
		}
		if err == nil {
			d.failed.Delete(address)
			return c, nil
		}
		d.failed.Store(address, time.Now())
		first = cmp.Or(first, err)
		if ctx.Err() != nil {
			break
		}
	}
	return nil, first
}

// try connects to an address; left is the number of addresses that share the remaining time.
func (d *dialer) try(ctx context.Context, address string, left int) (net.Conn, error) {
	if end, ok := ctx.Deadline(); ok && left > 1 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, min(maxDialTime, time.Until(end)/time.Duration(left)))
		defer cancel()
	}
	return d.connect(ctx, "tcp", address)
}

// order sorts addresses: first those of the family that the resolver puts first because this machine can reach it (RFC
// 6724), starting with another one each time, then the other family, then those that failed recently.
func (d *dialer) order(addresses []netip.Addr, now time.Time) []netip.Addr {
	var preferred, others, failed []netip.Addr
	for _, a := range addresses {
		at, known := d.failed.Load(a)
		switch {
		case known && now.Sub(at.(time.Time)) < failureCooldown:
			failed = append(failed, a)
		case a.Unmap().Is4() == addresses[0].Unmap().Is4():
			preferred = append(preferred, a)
		default:
			others = append(others, a)
		}
	}
	if n := uint64(len(preferred)); n > 0 {
		at := d.next.Add(1) % n
		preferred = slices.Concat(preferred[at:], preferred[:at])
	}
	return slices.Concat(preferred, others, failed)
}

// portOf returns the port of a URL or of its scheme.
func portOf(u *url.URL) string {
	return cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
}
