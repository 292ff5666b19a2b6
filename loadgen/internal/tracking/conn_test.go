package tracking_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/outcome"
	"github.com/puttrix/trafficinator/shared/target"
)

// serve lets each handle every connection to an address until the test ends.
func serve(t testing.TB, each func(net.Conn)) (address string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close() //nolint:errcheck // the test is about the other end
				each(c)
			})
		}
	})
	t.Cleanup(func() { _ = ln.Close(); all.Wait() })
	return ln.Addr().String()
}

// talk answers every request of a connection with the bytes that reply gives for the nth of all, from 1; "" hangs up.
func talk(t testing.TB, reply func(n int) string) (address string, connections *atomic.Int32) {
	t.Helper()
	var requested atomic.Int32
	connections = new(atomic.Int32)
	address = serve(t, func(c net.Conn) {
		connections.Add(1)
		in := bufio.NewReader(c)
		for {
			r, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return
			}
			answer := reply(int(requested.Add(1)))
			if answer == "" {
				return
			}
			if _, err := io.WriteString(c, answer); err != nil {
				return
			}
		}
	})
	return "http://" + address + "/matomo.php", connections
}

const noContent = "HTTP/1.1 204 No Content\r\nDate: Mon, 23 Nov 2026 12:00:00 GMT\r\n\r\n"

func TestResponsesAreParsed(t *testing.T) {
	const gif = "GIF89a-and-so-on"
	for name, c := range map[string]struct {
		answer      string
		outcome     outcome.Outcome
		connections int32 // for two requests
	}{
		"kept alive":       {noContent, outcome.Accepted, 1},
		"with a length":    {"HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n" + gif, outcome.Accepted, 1},
		"with odd letters": {"HTTP/1.1 200 OK\r\nCONTENT-length:16\r\n\r\n" + gif, outcome.Accepted, 1},
		"closed after": {"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
			outcome.Accepted, 2},
		"of HTTP/1.0": {"HTTP/1.0 204 No Content\r\n\r\n", outcome.Accepted, 2},
		"of HTTP/1.0, kept alive": {"HTTP/1.0 204 No Content\r\nConnection: keep-alive\r\n\r\n",
			outcome.Accepted, 1},
		"in chunks": {"HTTP/1.1 200 OK\r\nTransfer-Encoding: " +
			"chunked\r\n\r\n4\r\nGIF8\r\nc\r\n9a-and-so-on\r\n0\r\n\r\n", outcome.Accepted, 1},
		"in chunks with all extras": {"HTTP/1.1 200 OK\r\nTransfer-Encoding: " +
			"chunked\r\n\r\n4;a=b\r\nGIF8\r\n0C \r\n9a-and-so-on\r\n0\r\nX: trailer\r\n\r\n", outcome.Accepted, 1},
		"in broken chunks": {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nGIF8and " +
			"more\r\n0\r\n\r\n", outcome.Accepted, 2},
		"in a huge chunk": {"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n30000\r\n" +
			strings.Repeat("x", 0x30000) + "\r\n0\r\n\r\n", outcome.Rejected, 2},
		"closed after, among other words": {"HTTP/1.1 204 No Content\r\nConnection: Upgrade, Close\r\n\r\n",
			outcome.Accepted, 2},
		"with two lengths": {"HTTP/1.1 200 OK\r\nContent-Length: 16\r\nContent-Length: 17\r\n\r\n" +
			gif + "x", outcome.Unknown, 2},
		"in another protocol": {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
			outcome.Unknown, 2},
		"after an interim one": {"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" + noContent,
			outcome.Accepted, 1},
		"with more than announced": {"HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n" + gif +
			"HTTP/1.1 500 No\r\n\r\n", outcome.Accepted, 2},
		"with a long head": {"HTTP/1.1 204 No Content\r\nX: " + strings.Repeat("x", 20_000) + "\r\n\r\n",
			outcome.Accepted, 1},
		"with an endless head": {"HTTP/1.1 204 No Content\r\nX: " + strings.Repeat("x", 80_000) + "\r\n\r\n",
			outcome.Unknown, 2},
		"with a huge body": {"HTTP/1.1 404 Not Found\r\nContent-Length: 200000\r\n\r\n" +
			strings.Repeat("x", 200_000), outcome.Rejected, 2},
		"with half an image": {"HTTP/1.1 200 OK\r\nContent-Length: 16\r\nConnection: close\r\n\r\nGIF8",
			outcome.Accepted, 2},
		"with half a body": {"HTTP/1.1 200 OK\r\nContent-Length: 16\r\nConnection: close\r\n\r\nGI",
			outcome.Unknown, 2},
		"in another language":  {"SSH-2.0-OpenSSH_9.2\r\n\r\n", outcome.Unknown, 2},
		"with a broken length": {"HTTP/1.1 200 OK\r\nContent-Length: lots\r\n\r\n", outcome.Unknown, 2},
	} {
		t.Run(name, func(t *testing.T) {
			address, connections := talk(t, func(int) string { return c.answer })
			if strings.HasPrefix(name, "with half a") {
				address = "http://" + serve(t, func(conn net.Conn) {
					connections.Add(1)
					_, _ = conn.Read(make([]byte, 4096))
					_, _ = io.WriteString(conn, c.answer)
				}) + "/matomo.php"
			}
			target := aim(t, client(t, nil), address, "")
			for i := range 2 {
				if r := target.Send([]byte("rec=1"), "Firefox"); r.Class.Outcome() != c.outcome {
					t.Fatalf("request %d: %+v", i, r)
				}
			}
			if n := connections.Load(); n != c.connections {
				t.Errorf("%d connections, want %d", n, c.connections)
			}
		})
	}
}

func TestABodyWithoutALengthEndsWithTheConnection(t *testing.T) {
	address := serve(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\nGIF8")
		_, _ = io.WriteString(c, "9a")
	})
	if r := send(t, "http://"+address+"/matomo.php", target.Access{}); r.Class.Outcome() != outcome.Accepted {
		t.Errorf("%+v", r)
	}
}

func TestAnIdleConnectionClosedByTheServerLosesNoHit(t *testing.T) {
	var closed sync.WaitGroup
	address := serve(t, func(c net.Conn) {
		r, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(c, noContent)
		_ = c.Close()
		closed.Done()
	})
	target := aim(t, client(t, nil), "http://"+address+"/matomo.php", "")
	for i := range 3 {
		closed.Add(1)
		if r := target.Send([]byte("rec=1"), "Firefox"); r.Class.Outcome() != outcome.Accepted {
			t.Fatalf("request %d: %+v", i, r)
		}
		closed.Wait()
		wait(t, 30*time.Millisecond) // long enough for a doubt
	}
}

// After a reset the next write fails with no byte sent.
func TestAConnectionThatBreaksBeforeTheFirstByteLosesNoHit(t *testing.T) {
	answered, reset := make(chan struct{}), make(chan struct{})
	var connections atomic.Int32
	address := serve(t, func(c net.Conn) {
		first := connections.Add(1) == 1
		r, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(c, noContent)
		if first {
			<-answered
			_ = c.(*net.TCPConn).SetLinger(0)
			_ = c.Close()
			close(reset)
		}
	})
	target := aim(t, client(t, nil), "http://"+address+"/matomo.php", "")
	if r := target.Send([]byte("rec=1"), "Firefox"); r.Class.Outcome() != outcome.Accepted {
		t.Fatalf("%+v", r)
	}
	close(answered)
	<-reset
	if r := target.Send([]byte("rec=1"), "Firefox"); r.Class.Outcome() != outcome.Accepted || connections.Load() != 2 {
		t.Errorf("%+v over %d connections", r, connections.Load())
	}
}

// wait lets real time pass, which a kernel's sockets need.
func wait(t *testing.T, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
	}
}

func TestConnectionsAreCheckedAfterASilentClose(t *testing.T) {
	var closed sync.WaitGroup
	address := serve(t, func(c net.Conn) {
		r, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(c, noContent)
		_ = c.Close()
		closed.Done()
	})
	target := aim(t, client(t, nil), "http://"+address+"/matomo.php", "")
	lost := 0
	for i := range 20 {
		closed.Add(1)
		switch r := target.Send([]byte("rec=1"), "Firefox"); r.Class.Outcome() {
		case outcome.Accepted:
			closed.Wait()
		case outcome.Unknown:
			closed.Done()
			lost++
		default:
			t.Fatalf("request %d: %+v", i, r)
		}
	}
	if lost > 1 {
		t.Errorf("%d requests met a closed connection, which only the first may", lost)
	}
}

func TestAnEarlyRejectionIsRead(t *testing.T) {
	address := serve(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		_, _ = io.WriteString(c, "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	}) // closed with most of the body unread
	body := append(tracking.AppendBulk(nil), strings.Repeat("x", 16<<20)...)
	r := aim(t, client(t, nil), "http://"+address+"/matomo.php", "").SendBulk(body, 1)
	if r.Class != answer.TooLarge {
		t.Errorf("%+v", r)
	}
}

func TestAConnectionThatBreaksAfterTheRequestIsUnknown(t *testing.T) {
	address, _ := talk(t, func(n int) string {
		if n == 2 {
			return ""
		}
		return noContent
	})
	target := aim(t, client(t, nil), address, "")
	for i, want := range []outcome.Outcome{outcome.Accepted, outcome.Unknown, outcome.Accepted} {
		if r := target.Send([]byte("rec=1"), "Firefox"); r.Class.Outcome() != want || r.Class.Retryable() {
			t.Errorf("request %d: %+v", i+1, r)
		}
	}
}

func TestAbortEndsRequestsInFlight(t *testing.T) {
	arrived := make(chan struct{})
	address := serve(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		close(arrived)
		_, _ = c.Read(make([]byte, 1)) // until the client closes
	})
	cl := client(t, nil)
	target := aim(t, cl, "http://"+address+"/matomo.php", "")
	var r tracking.Result
	var sending sync.WaitGroup
	sending.Go(func() { r = target.Send([]byte("rec=1"), "Firefox") })
	<-arrived
	cl.Abort()
	sending.Wait()
	if r.Class.Outcome() != outcome.Unknown || r.Class.Retryable() || r.String() != "aborted" {
		t.Errorf("in flight: %+v", r)
	}
	if r := target.Send([]byte("rec=1"), "Firefox"); r.Class != answer.Stopped ||
		!strings.Contains(r.String(), "aborted") {
		t.Errorf("after: %+v", r)
	}
}

func TestEveryAnswerHasTheServerTime(t *testing.T) {
	address, _ := talk(t, func(n int) string {
		return fmt.Sprintf("HTTP/1.1 204 No Content\r\nDate: Mon, 23 Nov 2026 12:00:0%d GMT\r\n\r\n", n)
	})
	target := aim(t, client(t, nil), address, "")
	for n := 1; n < 4; n++ {
		if r := target.Send([]byte("rec=1"), "Firefox"); r.ServerTime.Second() != n || r.ServerTime.Hour() != 12 {
			t.Errorf("answer %d: %v", n, r.ServerTime)
		}
	}
}

func TestAnAnswerWithoutADateHasNoServerTime(t *testing.T) {
	address, _ := talk(t, func(n int) string {
		return []string{noContent, "HTTP/1.1 204 No Content\r\n\r\n", noContent, ""}[n-1]
	})
	target := aim(t, client(t, nil), address, "")
	for i, sent := range []bool{true, false, true, false} {
		if r := target.Send([]byte("rec=1"), "Firefox"); r.ServerTime.IsZero() == sent {
			t.Errorf("request %d: %+v", i+1, r)
		}
	}
}
