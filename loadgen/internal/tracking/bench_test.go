package tracking_test

import (
	"bytes"
	"net"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/target"
)

// quick is a target at a server that costs as little as one can, for requests of size bytes of body.
func quick(tb testing.TB, answer string, size int) *tracking.Target {
	tb.Helper()
	response := []byte(answer)
	address := serve(tb, func(c net.Conn) {
		in := make([]byte, 256<<10)
		for got := 0; ; {
			n, err := c.Read(in)
			if err != nil {
				return
			}
			if got += n; got < size {
				continue
			}
			got = 0
			if _, err := c.Write(response); err != nil {
				return
			}
		}
	})
	c := tracking.NewClient(tracking.Options{Timeout: 5 * time.Second})
	tb.Cleanup(c.Close)
	target, err := c.Target(target.Target{URL: "http://" + address + "/matomo.php",
		Token: "0123456789abcdef0123456789abcdef"})
	if err != nil {
		tb.Fatal(err)
	}
	return target
}

func TestSendingAHitAllocatesNothing(t *testing.T) {
	target, body := quick(t, noContent, 1), make([]byte, 800, 1000)
	if n := testing.AllocsPerRun(1000, func() { target.Send(body, "Firefox") }); n > 0 {
		t.Errorf("%v allocations a hit", n)
	}
}

func BenchmarkSend(b *testing.B) {
	target, body := quick(b, noContent, 1), make([]byte, 800, 1000)
	b.ReportAllocs()
	for b.Loop() {
		if r := target.Send(body, "Firefox"); r.Class != answer.Accepted {
			b.Fatalf("%+v", r)
		}
	}
}

func BenchmarkSendBulk(b *testing.B) {
	var hits []byte
	for range 100 {
		hits = append(tracking.AppendBulk(hits), bytes.Repeat([]byte("x"), 800)...)
	}
	const receipt = `{"status":"success","tracked":100,"invalid":0}`
	target := quick(b, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2e\r\n"+receipt+"\r\n0\r\n\r\n", len(hits))
	b.ReportAllocs()
	for b.Loop() {
		if r := target.SendBulk(append(tracking.BulkBody(), hits...), 100); r.Class != answer.Accepted {
			b.Fatalf("%+v", r)
		}
	}
}
