package fast_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/sink/fast"
)

// start serves until the test ends.
func start(t *testing.T, arrivals bool) (address string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the fast sink needs Linux")
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready := make(chan net.Addr)
	var serving sync.WaitGroup
	serving.Go(func() {
		if _, err := fast.Serve(ctx, "127.0.0.1:0", arrivals, func(a net.Addr) { ready <- a }); err != nil {
			t.Error(err)
			close(ready)
		}
	})
	t.Cleanup(func() { cancel(); serving.Wait() })
	return (<-ready).String()
}

func stats(t *testing.T, address string) (s fast.Stats) {
	t.Helper()
	if err := json.Unmarshal(get(t, "http://"+address+"/stats"), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func get(t *testing.T, url string) []byte {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	data, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("%s: %d, %v", url, resp.StatusCode, err)
	}
	return data
}

func hit(body string) string {
	return fmt.Sprintf("POST /matomo.php HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\nContent-Type: "+
		"application/x-www-form-urlencoded\r\n\r\n%s", len(body), body)
}

func bulk(hits int) string {
	body := `{"requests":["` + strings.Repeat(`?idsite=1&rec=1","`, hits-1) + `?idsite=1&rec=1"]}`
	return fmt.Sprintf("POST /matomo.php HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: "+
		"%d\r\n\r\n%s", len(body), body)
}

func TestRequestsAreCountedHoweverTheyAreCut(t *testing.T) {
	stream := hit("idsite=1&rec=1") + hit("") + bulk(37) + hit("idsite=1") + bulk(1)
	for name, size := range map[string]int{"whole": len(stream), "byte by byte": 1, "in sevens": 7,
		"in hundreds": 100} {
		t.Run(name, func(t *testing.T) {
			address := start(t, false)
			c, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close() //nolint:errcheck // the test is over
			for rest := stream; rest != ""; {
				n := min(size, len(rest))
				if _, err := io.WriteString(c, rest[:n]); err != nil {
					t.Fatal(err)
				}
				rest = rest[n:]
			}
			in := bufio.NewReader(c)
			for i, want := range []string{"", "", `{"status":"success","tracked":37,"invalid":0}`, "",
				`{"status":"success","tracked":1,"invalid":0}`} {
				resp, err := http.ReadResponse(in, &http.Request{Method: "POST"})
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(resp.Body)
				if err != nil || string(body) != want || want == "" && resp.StatusCode != 204 ||
					resp.Header.Get("Date") == "" {
					t.Errorf("answer %d: %d %q, %v", i, resp.StatusCode, body, err)
				}
			}
			if s := stats(t, address); s.Requests != 5 || s.Bulk != 2 || s.Hits != 41 {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestConnectionsThatAreDoneAreAnsweredAndClosed(t *testing.T) {
	address := start(t, false)
	for range 200 { // the end and the request come in one go, sometimes
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, hit("idsite=1")); err != nil {
			t.Fatal(err)
		}
		if err := c.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(c)
		if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 204 ") {
			t.Fatalf("%q, %v", answer, err)
		}
		_ = c.Close()
	}
	if s := stats(t, address); s.Requests != 200 || s.Bytes < 200*uint64(len(hit("idsite=1"))) {
		t.Errorf("%+v", s)
	}
}

func TestArrivalsAreKeptInOrder(t *testing.T) {
	address := start(t, true)
	for range 5 {
		resp, err := http.Post("http://"+address+"/matomo.php", "text/plain", strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	data := get(t, "http://"+address+"/arrivals")
	if len(data) != 5*8 {
		t.Fatalf("%d bytes for 5 arrivals", len(data))
	}
	before := uint64(0)
	for i := range 5 {
		at := binary.LittleEndian.Uint64(data[8*i:])
		if at <= before {
			t.Errorf("arrival %d at %d after %d", i, at, before)
		}
		before = at
	}
	if again := get(t, "http://"+address+"/arrivals"); len(again) != 0 {
		t.Errorf("%d bytes were returned twice", len(again))
	}
}

func TestOtherRequests(t *testing.T) {
	address := start(t, false)
	req, err := http.NewRequest(http.MethodOptions, "http://"+address+"/matomo.php", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != 204 || resp.Header.Get("Date") == "" {
		t.Errorf("OPTIONS: %d, Date %q", resp.StatusCode, resp.Header.Get("Date"))
	}
	if resp, err = http.Get("http://" + address + "/favicon.ico"); err != nil || resp.StatusCode != 404 {
		t.Errorf("another path: %v, %v", resp, err)
	} else {
		_ = resp.Body.Close()
	}
	if s := stats(t, address); s.Requests != 0 {
		t.Errorf("%+v", s)
	}
}

func TestClientsThatNeedALengthGetOne(t *testing.T) {
	address := start(t, false)
	resp, err := http.Post("http://"+address+"/200", "text/plain", strings.NewReader("idsite=1"))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != 200 || resp.Header.Get("Content-Length") != "0" {
		t.Errorf("%d, Content-Length %q", resp.StatusCode, resp.Header.Get("Content-Length"))
	}
	if s := stats(t, address); s.Hits != 1 {
		t.Errorf("%+v", s)
	}
}
