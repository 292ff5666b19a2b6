package security_test

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/puttrix/trafficinator/controller/internal/security"
)

// pipes is a network in memory, whose clients choose their addresses.
type pipes struct {
	dialled chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.dialled:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

type end struct {
	net.Conn
	from net.Addr
}

func (e end) RemoteAddr() net.Addr { return e.from }

// client is the other end of an accepted connection.
type client struct {
	net.Conn
	over chan struct{} // closed when the controller closes it
	said chan string   // first line of each answer
}

func (p *pipes) dial(from string) *client {
	addr, err := net.ResolveTCPAddr("tcp", from)
	if err != nil {
		panic(err)
	}
	here, there := net.Pipe()
	c := &client{here, make(chan struct{}), make(chan string, 10)}
	p.dialled <- end{there, addr}
	go func() {
		defer close(c.over)
		buf := make([]byte, 64<<10)
		for {
			n, err := here.Read(buf)
			if err != nil {
				return
			}
			c.said <- string(buf[:min(n, 12)])
		}
	}()
	return c
}

func (c *client) cut() bool {
	select {
	case <-c.over:
		return true
	default:
		return false
	}
}

// serve runs do against a guarded server that bounds its connections to all at once.
func serve(t *testing.T, all int, do func(p *pipes)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		g, err := security.New(t.Context(), security.Config{
			Key: key, PerMinute: 1000, Store: &memory{}, Log: slog.New(slog.DiscardHandler), Now: time.Now,
		})
		if err != nil {
			t.Fatal(err)
		}
		e := echo.New()
		e.GET("/api/x", func(c echo.Context) error { return c.NoContent(http.StatusNoContent) }, g.Authenticate)
		e.POST("/api/x", func(c echo.Context) error {
			_, err := io.Copy(io.Discard, c.Request().Body)
			return err
		})
		p := &pipes{dialled: make(chan net.Conn), closed: make(chan struct{})}
		server := &http.Server{Handler: e, ReadHeaderTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
			ConnContext: security.WithConn}
		var served sync.WaitGroup
		served.Go(func() { _ = server.Serve(security.LimitConnections(p, all)) })
		do(p)
		_ = server.Close()
		served.Wait()
		synctest.Wait()
	})
}

const memberRequest = "GET /api/x HTTP/1.1\r\nHost: localhost\r\nX-API-Key: " + key + "\r\n\r\n"

func TestAStrangerTooManyTakesThePlaceOfTheOneWhoWaitedLongest(t *testing.T) {
	serve(t, 32, func(p *pipes) { // 16 strangers, 8 of one address
		var of1, of2 []*client
		for i := range 8 {
			of2 = append(of2, p.dial(fmt.Sprintf("[2001:db8::%d]:1", i))) // one subscriber
			time.Sleep(time.Second)
		}
		for range 8 {
			of1 = append(of1, p.dial("192.0.2.1:1"))
			time.Sleep(time.Millisecond)
		}
		began := time.Now()
		late := p.dial("192.0.2.1:1")
		p.dial("192.0.2.1:1") // is taken once the one before has its place
		if waited := time.Since(began); waited < 100*time.Millisecond {
			t.Errorf("the oldest had %v only to send its request", waited)
		}
		synctest.Wait()
		if !of1[0].cut() || of1[2].cut() || late.cut() || of2[0].cut() {
			t.Errorf("of its address the oldest: %v, the third: %v; itself: %v, of another address: %v", of1[0].cut(),
				of1[2].cut(), late.cut(), of2[0].cut())
		}
		p.dial("192.0.2.3:1")
		synctest.Wait()
		if !of2[0].cut() || of2[1].cut() {
			t.Errorf("one of a third address takes the oldest place of the fullest: %v, %v", of2[0].cut(), of2[1].cut())
		}
	})
}

func TestMembersKeepTheirPlaces(t *testing.T) {
	serve(t, 8, func(p *pipes) {
		var members []*client
		for range 8 {
			c := p.dial("192.0.2.1:1")
			if _, err := io.WriteString(c, memberRequest); err != nil {
				t.Fatal(err)
			}
			if said := <-c.said; said != "HTTP/1.1 204" {
				t.Fatalf("%q", said)
			}
			members = append(members, c)
		}
		stranger := p.dial("192.0.2.2:1")
		<-stranger.over
		time.Sleep(time.Minute) // longer than a stranger may be idle
		if _, err := io.WriteString(members[0], memberRequest); err != nil {
			t.Fatal(err)
		}
		if said := <-members[0].said; said != "HTTP/1.1 204" {
			t.Errorf("%q", said)
		}
	})
}

func TestStrangersDoNotWaitLong(t *testing.T) {
	for name, text := range map[string]string{
		"says nothing":      "",
		"half a head":       "GET /api/x HTTP/1.1\r\nHost: loc",
		"half a body":       "POST /api/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{",
		"idle after a 401":  "GET /api/x HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"a wrong key, idle": "GET /api/x HTTP/1.1\r\nHost: localhost\r\nX-API-Key: wrong\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			serve(t, 8, func(p *pipes) {
				c := p.dial("192.0.2.1:1")
				if _, err := io.WriteString(c, text); err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				<-c.over
				if took := time.Since(began); took > 11*time.Second { // in the time of the test: exact
					t.Errorf("it is cut after %v", took)
				}
			})
		})
	}
}

func TestAStrangerHasToTakeItsAnswer(t *testing.T) {
	serve(t, 8, func(p *pipes) {
		here, there := net.Pipe()
		p.dialled <- end{there, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}}
		if _, err := io.WriteString(here, "GET /api/x HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(15 * time.Second)
		if _, err := here.Read(make([]byte, 1)); err == nil {
			t.Error("the answer still waits")
		}
	})
}
