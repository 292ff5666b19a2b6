package tracking_test

import (
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/outcome"
)

func through(proxy string) func(*tracking.Options) {
	return func(o *tracking.Options) {
		o.InsecureTLS = true
		o.Proxy = func(*url.URL) (*url.URL, error) { return url.Parse(proxy) }
	}
}

func TestAProxyPassesRequestsOn(t *testing.T) {
	var asked, credentials string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked, credentials = r.URL.String(), r.Header.Get("Proxy-Authorization")
		w.WriteHeader(204)
	}))
	defer proxy.Close()
	r := send(t, "http://matomo.test/matomo.php", through(strings.Replace(proxy.URL, "http://", "http://ann:pass@", 1)))
	if r.Class.Outcome() != outcome.Accepted || asked != "http://matomo.test/matomo.php" || credentials != "Basic YW5uOnBhc3M=" {
		t.Errorf("%+v, the proxy was asked for %q with %q", r, asked, credentials)
	}
}

// connect is a proxy that passes bytes on, to one address whatever it is asked for.
func connect(t *testing.T, to, answer string) (address string, asked func() string) {
	t.Helper()
	var mu sync.Mutex
	var heads strings.Builder
	address = serve(t, func(c net.Conn) {
		head := make([]byte, 4096)
		n, _ := c.Read(head)
		mu.Lock()
		heads.Write(head[:n])
		mu.Unlock()
		_, _ = io.WriteString(c, answer)
		if !strings.Contains(answer, "200") {
			return
		}
		server, err := net.Dial("tcp", to)
		if err != nil {
			return
		}
		var both sync.WaitGroup
		both.Go(func() { _, _ = io.Copy(server, c); _ = server.(*net.TCPConn).CloseWrite() })
		both.Go(func() { _, _ = io.Copy(c, server); _ = c.(*net.TCPConn).CloseWrite() })
		both.Wait()
		_ = server.Close()
	})
	return address, func() string {
		mu.Lock()
		defer mu.Unlock()
		return heads.String()
	}
}

func TestAProxyPassesBytesOnToATargetWithTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }))
	defer server.Close()
	proxy, asked := connect(t, server.Listener.Addr().String(), "HTTP/1.1 200 Connection established\r\n\r\n")
	r := send(t, "https://matomo.test/matomo.php", through("http://ann:pass@"+proxy))
	if r.Class.Outcome() != outcome.Accepted {
		t.Errorf("%+v", r)
	}
	for _, want := range []string{"CONNECT matomo.test:443 HTTP/1.1\r\n", "Host: matomo.test:443\r\n", "Proxy-Authorization: Basic "} {
		if !strings.Contains(asked(), want) {
			t.Errorf("the proxy was asked\n%s\nwithout %q", asked(), want)
		}
	}
	if strings.Contains(asked(), "matomo.php") {
		t.Error("the proxy saw the request")
	}
}

func TestAProxyThatRefusesSurelyTookNothing(t *testing.T) {
	proxy, _ := connect(t, "", "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
	r := send(t, "https://matomo.test/matomo.php", through("http://"+proxy))
	if r.Class.Outcome() != outcome.Failed || !r.Class.Retry() || r.String() != "the proxy refuses: 407 Proxy Authentication Required" {
		t.Errorf("%+v", r)
	}
}

func TestAProxyOfAnotherKindIsRefused(t *testing.T) {
	_, err := client(t, through("socks5://127.0.0.1:1")).Target("http://matomo.test/matomo.php", "")
	if err == nil || err.Error() != "choose proxy: socks5 is not supported, use one of http or https" {
		t.Errorf("%v", err)
	}
}

func TestAnAddressOfIPv6(t *testing.T) {
	ln, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skipf("this machine has no IPv6 loopback: %v", err)
	}
	var host string
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host = r.Host
		w.WriteHeader(204)
	}))
	_ = server.Listener.Close()
	server.Listener = ln
	server.Start()
	defer server.Close()
	r := send(t, fmt.Sprintf("http://%s/matomo.php", ln.Addr()), nil)
	if r.Class.Outcome() != outcome.Accepted || host != ln.Addr().String() {
		t.Errorf("%+v for host %q", r, host)
	}
}

func TestAProxyThatSaysNothingIsLeftInTimeOrAtABreak(t *testing.T) {
	asked := make(chan struct{}, 2)
	silent := "http://" + serve(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		asked <- struct{}{}
		_, _ = c.Read(make([]byte, 1)) // until the other end hangs up
	})
	r := send(t, "https://matomo.test/matomo.php", func(o *tracking.Options) {
		through(silent)(o)
		o.Timeout = shortTime
	})
	if r.Class.Outcome() != outcome.Failed || !r.Class.Retry() || r.String() != "no answer in time" {
		t.Errorf("in time: %+v", r)
	}
	<-asked
	cl := client(t, through(silent))
	target := aim(t, cl, "https://matomo.test/matomo.php", "")
	var sending sync.WaitGroup
	sending.Go(func() { r = target.Send([]byte("rec=1"), "Firefox") })
	<-asked
	cl.Break()
	sending.Wait()
	if r.Class != answer.Stopped || !strings.Contains(r.String(), "broken off") {
		t.Errorf("at a break: %+v", r)
	}
}

func TestAServerThatKnowsNoTLSSurelyTookNothing(t *testing.T) {
	address, _ := talk(t, func(int) string { return noContent })
	r := send(t, strings.Replace(address, "http://", "https://", 1), nil)
	if r.Class.Outcome() != outcome.Failed || !r.Class.Retry() || !strings.HasPrefix(r.String(), "TLS failed: ") {
		t.Errorf("%+v", r)
	}
}

func TestAHostIsWrittenAsTheDNSKnowsIt(t *testing.T) {
	var asked string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.String()
		w.WriteHeader(204)
	}))
	defer proxy.Close()
	if send(t, "http://bücher.test/matomo.php", through(proxy.URL)); asked != "http://xn--bcher-kva.test/matomo.php" {
		t.Errorf("asked for %q", asked)
	}
}

// The system's roots are read once in a process, so that another one asks.
func TestACAOfTheUserIsTrusted(t *testing.T) {
	const name = "TRACKING_TEST_ADDRESS"
	if address := os.Getenv(name); address != "" {
		if r := send(t, address, nil); r.Class.Outcome() != outcome.Accepted {
			t.Errorf("%+v", r)
		}
		return
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	again := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestACAOfTheUserIsTrusted$")
	again.Env = append(os.Environ(), "SSL_CERT_FILE="+file, name+"="+server.URL)
	if said, err := again.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, said)
	}
}

func TestAServerIsNamedInTLSAndInTheRequest(t *testing.T) {
	var named string
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		named = r.TLS.ServerName + " " + r.Host
		w.WriteHeader(204)
	}))
	defer server.Close()
	proxy, _ := connect(t, server.Listener.Addr().String(), "HTTP/1.1 200 Connection established\r\n\r\n")
	if send(t, "https://matomo.test:8443/matomo.php", through("http://"+proxy)); named != "matomo.test matomo.test:8443" {
		t.Errorf("named %q", named)
	}
}
