package tracking

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"
)

const (
	// connectionLifetime is how long a connection serves, give or take a quarter: then another one is made, so that a name that
	// has got other addresses is followed although its connections are never idle.
	connectionLifetime = time.Minute
	// failureCooldown is how long an address that could not be connected to is tried last.
	failureCooldown = 30 * time.Second
	// maxDialTime is how long an address is tried where others are left: one that answers nothing, as those of IPv6 do
	// in a network without a way to it, must not take the request's time.
	maxDialTime = 2 * time.Second
)

// lifetime is how long the nth connection of a client serves. The lifetimes are spread evenly, in whatever order they
// are taken (multiples of the golden ratio), so that connections that began together do not end together.
func lifetime(n uint64) time.Duration {
	const golden = 0x9e3779b97f4a7c15 // 2⁶⁴ divided by the golden ratio
	quarter := float64(n*golden)/(1<<64)*2 - 1
	return connectionLifetime + time.Duration(quarter*float64(connectionLifetime/4))
}

// dialer connects to a host, to each of its addresses in turn. It is safe for concurrent use.
type dialer struct {
	lookup  func(ctx context.Context, network, host string) ([]netip.Addr, error)
	connect func(ctx context.Context, network, address string) (net.Conn, error)

	mu     sync.Mutex
	next   int
	failed map[netip.Addr]time.Time
}

func newDialer() *dialer {
	plain := net.Dialer{KeepAlive: 30 * time.Second}
	return &dialer{lookup: net.DefaultResolver.LookupNetIP, connect: plain.DialContext,
		failed: map[netip.Addr]time.Time{}}
}

// dial tries the addresses of host until one takes the connection. The error is that of the first.
func (d *dialer) dial(ctx context.Context, host, port string) (net.Conn, error) {
	addresses, err := d.lookup(ctx, "ip", host)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err}
	}
	var first error
	addresses = d.order(addresses, time.Now())
	for i, address := range addresses {
		d.markRetried(address)
		c, err := d.try(ctx, net.JoinHostPort(address.Unmap().String(), port), len(addresses)-i)
		if isOutOfDescriptors(err) { // which is no failure of the address
			return nil, err
		}
		d.markResult(address, err)
		if err == nil {
			return c, nil
		}
		if first == nil {
			first = err
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, first
}

// try connects to an address; left is how many have to share the time that is left, this one among them.
func (d *dialer) try(ctx context.Context, address string, left int) (net.Conn, error) {
	if end, ok := ctx.Deadline(); ok && left > 1 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, min(maxDialTime, time.Until(end)/time.Duration(left)))
		defer cancel()
	}
	return d.connect(ctx, "tcp", address)
}

// order puts first the addresses whose turn it is, of the family that the resolver puts first because this machine has
// a way to it (RFC 6724), then the other family, and last what failed a moment ago.
func (d *dialer) order(addresses []netip.Addr, now time.Time) []netip.Addr {
	if len(addresses) == 0 {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	var preferred, others, resting []netip.Addr
	for _, a := range addresses {
		switch {
		case now.Sub(d.failed[a]) < failureCooldown:
			resting = append(resting, a)
		case a.Unmap().Is4() == addresses[0].Unmap().Is4():
			preferred = append(preferred, a)
		default:
			others = append(others, a)
		}
	}
	if n := len(preferred); n > 0 {
		d.next++
		at := d.next % n
		preferred = slices.Concat(preferred[at:], preferred[:at])
	}
	return slices.Concat(preferred, others, resting)
}

// markRetried keeps others from an address that failed before, while it is tried again.
func (d *dialer) markRetried(address netip.Addr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, before := d.failed[address]; before {
		d.failed[address] = time.Now()
	}
}

// markResult remembers whether an address takes connections.
func (d *dialer) markResult(address netip.Addr, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil {
		delete(d.failed, address)
	} else {
		d.failed[address] = time.Now()
	}
}

// port is the one of an address's host, or that of its scheme.
func portOf(scheme, port string) string {
	if port != "" {
		return port
	}
	return strconv.Itoa(map[string]int{"http": 80, "https": 443}[scheme])
}
