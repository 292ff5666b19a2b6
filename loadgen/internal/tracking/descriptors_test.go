package tracking

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/puttrix/trafficinator/shared/target"
)

// short returns a target whose next connections find no descriptor until enough returns true.
func short(t *testing.T, c *Client, address string, enough func() bool) *Target {
	t.Helper()
	made, err := c.Target(target.Target{URL: address})
	if err != nil {
		t.Fatal(err)
	}
	connect := made.route.dialer.connect
	made.route.dialer.connect = func(ctx context.Context, network, address string) (net.Conn, error) {
		if enough() {
			return connect(ctx, network, address)
		}
		return nil, &net.OpError{Op: "dial", Err: syscall.EMFILE}
	}
	return made
}

func TestAnIdleConnectionFreesADescriptor(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(server.Close)
	c := NewClient(Options{Timeout: time.Minute})
	t.Cleanup(c.Close)
	first, err := c.Target(target.Target{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	if r := first.Send([]byte("idsite=1"), "agent"); r.Class != 0 {
		t.Fatal(r.String())
	}
	second := short(t, c, server.URL, func() bool { return len(first.idle) == 0 })
	if r := second.Send([]byte("idsite=1"), "agent"); r.Class != 0 || len(first.idle) > 0 {
		t.Errorf("%s; %d connections of the first target are left", r.String(), len(first.idle))
	}
}

func TestALackOfDescriptorsIsALocalFault(t *testing.T) {
	for range 20 { // the time ends at the moment of another try, and either may be noticed first
		synctest.Test(t, func(t *testing.T) {
			c := NewClient(Options{Timeout: 3 * time.Second})
			defer c.Close()
			to := short(t, c, "http://127.0.0.1:1/matomo.php", func() bool { return false })
			if r := to.Send([]byte("idsite=1"), "agent"); !r.LocalFault || !r.Class.Retryable() {
				t.Errorf("%+v", r)
			}
			if _, failed := to.route.dialer.failed.Load(netip.MustParseAddr("127.0.0.1")); failed {
				t.Error("the address is tried last")
			}
		})
	}
}

// The last attempt started in time and was cut short, but the request has waited for a descriptor.
func TestALookupTimeoutAfterWaitingForADescriptorIsALocalFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewClient(Options{Timeout: 3 * time.Second})
		defer c.Close()
		to := short(t, c, "http://127.0.0.1:1/matomo.php", func() bool { return false })
		lookup, first := to.route.dialer.lookup, true
		to.route.dialer.lookup = func(ctx context.Context, network, host string) ([]netip.Addr, error) {
			if first {
				first = false
				return lookup(ctx, network, host)
			}
			<-ctx.Done()
			return nil, ctx.Err()
		}
		if r := to.Send([]byte("idsite=1"), "agent"); !r.LocalFault || !r.Class.Retryable() {
			t.Errorf("%+v", r)
		}
	})
}
