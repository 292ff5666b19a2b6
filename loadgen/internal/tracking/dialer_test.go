package tracking

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/puttrix/trafficinator/shared/target"
)

// network has servers at addresses that it resolves a name to, in the memory of the test.
type network struct {
	mu        sync.Mutex
	addresses []string
	dead      []string
	silent    string // does not answer
	dialled   []string
	hits      map[string]int
}

// use makes the dialer of a target use only this network.
func (n *network) use(d *dialer) {
	d.lookup = func(context.Context, string, string) (out []netip.Addr, _ error) {
		n.mu.Lock()
		defer n.mu.Unlock()
		for _, a := range n.addresses {
			out = append(out, netip.MustParseAddr(a))
		}
		return out, nil
	}
	d.connect = func(ctx context.Context, _, address string) (net.Conn, error) {
		host, _, _ := net.SplitHostPort(address)
		n.mu.Lock()
		defer n.mu.Unlock()
		n.dialled = append(n.dialled, host)
		if host == n.silent {
			n.mu.Unlock()
			<-ctx.Done()
			n.mu.Lock()
			return nil, &net.OpError{Op: "dial", Err: ctx.Err()}
		}
		if slices.Contains(n.dead, host) {
			return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
		}
		client, server := net.Pipe()
		go n.serve(host, server)
		return client, nil
	}
}

// serve answers until the client hangs up.
func (n *network) serve(host string, c net.Conn) {
	defer c.Close() //nolint:errcheck // the test is over
	in := bufio.NewReader(c)
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		n.mu.Lock()
		n.hits[host]++
		n.mu.Unlock()
		if _, err := io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n"); err != nil {
			return
		}
	}
}

func (n *network) target(t *testing.T) (*Client, *Target) {
	t.Helper()
	n.hits = map[string]int{}
	c := NewClient(Options{Timeout: 5 * time.Second})
	to, err := c.Target(target.Target{URL: "http://matomo.test/matomo.php"})
	if err != nil {
		t.Fatal(err)
	}
	n.use(to.route.dialer)
	return c, to
}

// busy sends for so long, each hit right after the one before.
func busy(t *testing.T, to *Target, d time.Duration) {
	t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(checkAfterIdle / 2) {
		if r := to.Send([]byte("rec=1"), "Firefox"); r.Class != 0 {
			t.Fatal(r.String())
		}
	}
}

func TestABusyConnectionFollowsDNSChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{addresses: []string{"192.0.2.1"}}
		c, to := n.target(t)
		defer c.Close()
		busy(t, to, 10*time.Second)
		n.mu.Lock()
		n.addresses = []string{"192.0.2.2"}
		n.mu.Unlock()
		busy(t, to, 80*time.Second)
		n.mu.Lock()
		defer n.mu.Unlock()
		before := n.hits["192.0.2.1"]
		if before == 0 || n.hits["192.0.2.2"] < before/10 || len(n.dialled) != 2 {
			t.Errorf("hits %v by connections to %v", n.hits, n.dialled)
		}
		n.mu.Unlock()
		busy(t, to, time.Second)
		n.mu.Lock()
		if n.hits["192.0.2.1"] != before {
			t.Error("the old address still gets hits after a minute and a half")
		}
	})
}

func TestConnectionLifetimesAreSpread(t *testing.T) {
	const n = 50
	var seconds [connectionLifetime/time.Second*5/4 + 1]int
	for i := range uint64(n) {
		life := lifetime(i)
		if life < connectionLifetime*3/4 || life > connectionLifetime*5/4 {
			t.Fatalf("connection %d serves %s", i, life)
		}
		seconds[life/time.Second]++
	}
	if most := slices.Max(seconds[:]); most > n/10 {
		t.Errorf("%d of %d connections end in the same second", most, n)
	}
}

func TestAllAddressesOfAHostGetConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{addresses: []string{"192.0.2.1", "192.0.2.2", "2001:db8::1", "192.0.2.3"}}
		c, to := n.target(t)
		defer c.Close()
		d := to.route.dialer
		for range 9 {
			conn, err := d.dial(t.Context(), "matomo.test", "80")
			if err != nil {
				t.Fatal(err)
			}
			_ = conn.Close()
		}
		of := map[string]int{}
		for _, host := range n.dialled {
			of[host]++
		}
		if of["192.0.2.1"] != 3 || of["192.0.2.2"] != 3 || of["192.0.2.3"] != 3 {
			t.Errorf("connections %v; the other family is for where the first has none", of)
		}
	})
}

func TestAFailedAddressIsTriedLastDuringItsCooldown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{addresses: []string{"192.0.2.1", "192.0.2.2"}, dead: []string{"192.0.2.2"}}
		c, to := n.target(t)
		defer c.Close()
		d := to.route.dialer
		connect := func() {
			t.Helper()
			conn, err := d.dial(t.Context(), "matomo.test", "80")
			if err != nil {
				t.Fatal(err)
			}
			_ = conn.Close()
		}
		for range 10 {
			connect()
		}
		if dead := count(n.dialled, "192.0.2.2"); dead != 1 {
			t.Errorf("the dead address was tried %d times", dead)
		}
		time.Sleep(failureCooldown)
		n.dead, n.dialled = nil, nil
		for range 10 {
			connect()
		}
		if again := count(n.dialled, "192.0.2.2"); again != 5 {
			t.Errorf("after its rest the address got %d of 10 connections", again)
		}
		n.dead = n.addresses
		if _, err := d.dial(t.Context(), "matomo.test", "80"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("none takes connections: %v", err)
		}
	})
}

// A name with an address of IPv6 in a network that has no way to it.
func TestASilentAddressDelaysARequestForTwoSecondsAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{addresses: []string{"2001:db8::1", "192.0.2.1"}, silent: "2001:db8::1"}
		c, to := n.target(t)
		defer c.Close()
		to.client.options.Timeout = 30 * time.Second
		dial := func() time.Duration {
			start := time.Now()
			conn, err := to.dial(start)
			if err != nil {
				t.Error(err)
				return 0
			}
			to.discard(conn)
			return time.Since(start)
		}
		if took := dial(); took > maxDialTime {
			t.Errorf("the first request waits for %s", took)
		}
		time.Sleep(failureCooldown)
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() { dial() })
			synctest.Wait()
		}
		all.Wait()
		if tried := count(n.dialled, n.silent); tried != 2 {
			t.Errorf("after its rest %d of 10 requests wait for it", tried-1)
		}
	})
}

func count(all []string, one string) (n int) {
	for _, s := range all {
		if s == one {
			n++
		}
	}
	return n
}
