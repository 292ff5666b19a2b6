package tracking_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/outcome"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/target"
)

func through(proxy string) target.Access {
	return target.Access{Insecure: true, Proxy: secret.String(proxy)}
}

func TestAProxyForwardsRequests(t *testing.T) {
	var requested, credentials string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requested, credentials = r.URL.String(), r.Header.Get("Proxy-Authorization")
		w.WriteHeader(204)
	}))
	defer proxy.Close()
	r := send(t, "http://matomo.test/matomo.php", through(strings.Replace(proxy.URL, "http://", "http://ann:pass@", 1)))
	if r.Class.Outcome() != outcome.Accepted || requested != "http://matomo.test/matomo.php" ||
		credentials != "Basic YW5uOnBhc3M=" {
		t.Errorf("%+v, the proxy received %q with %q", r, requested, credentials)
	}
}

// connect is a proxy that forwards all bytes to one address.
func connect(t *testing.T, to, answer string) (address string, requested func() string) {
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

func TestAProxyTunnelsToATargetWithTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(204)
	}))
	defer server.Close()
	proxy, requested := connect(t, server.Listener.Addr().String(), "HTTP/1.1 200 Connection established\r\n\r\n")
	r := send(t, "https://matomo.test/matomo.php", through("http://ann:pass@"+proxy))
	if r.Class.Outcome() != outcome.Accepted {
		t.Errorf("%+v", r)
	}
	for _, want := range []string{"CONNECT matomo.test:443 HTTP/1.1\r\n", "Host: matomo.test:443\r\n",
		"Proxy-Authorization: Basic "} {
		if !strings.Contains(requested(), want) {
			t.Errorf("the proxy received\n%s\nwithout %q", requested(), want)
		}
	}
	if strings.Contains(requested(), "matomo.php") {
		t.Error("the proxy saw the request")
	}
}

func TestHitsRefusedByAProxyCanBeRetried(t *testing.T) {
	proxy, _ := connect(t, "", "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
	r := send(t, "https://matomo.test/matomo.php", through("http://"+proxy))
	if r.Class.Outcome() != outcome.Failed || !r.Class.Retryable() ||
		r.String() != "the proxy refused the connection: 407 Proxy Authentication Required" {
		t.Errorf("%+v", r)
	}
}

func TestAnUnsupportedProxyIsAnError(t *testing.T) {
	c := client(t, func(o *tracking.Options) {
		o.Environment.Env = map[string]string{"HTTP_PROXY": "socks5://u:hush@127.0.0.1:1"}
	})
	_, err := c.Target(target.Target{URL: "http://matomo.test/matomo.php"})
	if err == nil || err.Error() != "choose proxy: HTTP_PROXY or HTTPS_PROXY is a socks5 proxy; only http and "+
		"https are supported" {
		t.Errorf("%v", err)
	}
}

func TestAnIPv6Address(t *testing.T) {
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
	r := send(t, fmt.Sprintf("http://%s/matomo.php", ln.Addr()), target.Access{})
	if r.Class.Outcome() != outcome.Accepted || host != ln.Addr().String() {
		t.Errorf("%+v for host %q", r, host)
	}
}

func TestASilentProxyEndsAtTheTimeoutOrAbort(t *testing.T) {
	requested := make(chan struct{}, 2)
	silent := "http://" + serve(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		requested <- struct{}{}
		_, _ = c.Read(make([]byte, 1)) // until the client closes
	})
	to := target.Target{URL: "https://matomo.test/matomo.php", Access: through(silent)}
	r := aimBy(t, client(t, func(o *tracking.Options) { o.Timeout = shortTime }), to).Send([]byte("rec=1"), "Firefox")
	if r.Class.Outcome() != outcome.Failed || !r.Class.Retryable() || r.String() != "no answer in time" {
		t.Errorf("in time: %+v", r)
	}
	<-requested
	cl := client(t, nil)
	target := aimBy(t, cl, to)
	var sending sync.WaitGroup
	sending.Go(func() { r = target.Send([]byte("rec=1"), "Firefox") })
	<-requested
	cl.Abort()
	sending.Wait()
	if r.Class != answer.Stopped || !strings.Contains(r.String(), "aborted") {
		t.Errorf("at a break: %+v", r)
	}
}

func TestHitsToAServerWithoutTLSCanBeRetried(t *testing.T) {
	address, _ := talk(t, func(int) string { return noContent })
	r := send(t, strings.Replace(address, "http://", "https://", 1), target.Access{})
	if r.Class.Outcome() != outcome.Failed || !r.Class.Retryable() || !strings.HasPrefix(r.String(), "TLS failed: ") {
		t.Errorf("%+v", r)
	}
}

func TestAnInternationalHostIsSentInPunycode(t *testing.T) {
	var requested string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requested = r.URL.String()
		w.WriteHeader(204)
	}))
	defer proxy.Close()
	send(t, "http://bücher.test/matomo.php", through(proxy.URL))
	if requested != "http://xn--bcher-kva.test/matomo.php" {
		t.Errorf("requested %q", requested)
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
	if send(t, "https://matomo.test:8443/matomo.php", through("http://"+proxy)); named != "matomo.test "+
		"matomo.test:8443" {
		t.Errorf("named %q", named)
	}
}

func TestCredentialsAndHeadersAreSentWithEveryRequest(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, r.Method+" "+user+" "+password+" "+r.Header.Get("X-Gate")+" "+r.Header.Get("Cookie"))
		w.WriteHeader(204)
	}))
	defer server.Close()
	access := target.Access{HTTPAuth: "load:s3:cret", Headers: "X-Gate: open sesame\nCookie: a=1"}
	to := aimBy(t, client(t, nil), target.Target{URL: server.URL + "/matomo.php", Access: access})
	_, err := to.ServerTime()
	hit, bulk := to.Send([]byte("rec=1"), "Firefox"),
		to.SendBulk(append(tracking.AppendBulk(tracking.BulkBody()), "rec=1"...), 1)
	if err != nil || hit.Class.Outcome() != outcome.Accepted || bulk.Class.Outcome() != outcome.Accepted {
		t.Errorf("%v, %s, %s", err, hit.String(), bulk.String())
	}
	want := []string{"OPTIONS load s3:cret open sesame a=1", "POST load s3:cret open sesame a=1",
		"POST load s3:cret open sesame a=1"}
	if mu.Lock(); !slices.Equal(seen, want) {
		t.Errorf("seen %q", seen)
	}
	mu.Unlock()
}

func TestCredentialsAreMaskedInExcerpts(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(403)
		_, password, _ := r.BasicAuth()
		_, _ = io.WriteString(w, r.Header.Get("Authorization")+" "+password+" "+r.Header.Get("X-Gate")+" is refused")
	}))
	defer server.Close()
	r := send(t, server.URL+"/matomo.php", target.Access{HTTPAuth: "load:hush-hush", Headers: "X-Gate: open sesame"})
	if reason := r.String(); strings.Contains(reason, "hush") || strings.Contains(reason, "sesame") ||
		strings.Contains(reason, "bG9hZ") || !strings.Contains(reason, "is refused") {
		t.Error(reason)
	}
}

// certified serves with TLS to clients that show the certificate of trust, and returns the PEM files of its authority,
// and of the client's certificate with its key.
func certified(t *testing.T) (address string, files map[string][]byte) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(204)
	}))
	server.StartTLS()
	t.Cleanup(server.Close)
	key, err := x509.MarshalPKCS8PrivateKey(server.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	private := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})
	server.TLS.ClientAuth = tls.RequireAnyClientCert // the one of httptest serves both ends
	return server.URL + "/matomo.php",
		map[string][]byte{"ca": certificate, "cert": certificate, "key": private,
			"both": append(certificate, private...)}
}

func TestCertificatesFromFilesAreUsed(t *testing.T) {
	address, files := certified(t)
	read := func(path string) ([]byte, error) {
		if data, ok := files[path]; ok {
			return data, nil
		}
		return nil, fs.ErrNotExist
	}
	for name, c := range map[string]struct {
		access target.Access
		want   string
	}{
		"authority, certificate and key": {target.Access{CAFile: "ca", CertFile: "cert", KeyFile: "key"}, ""},
		"both in a file":                 {target.Access{CAFile: "ca", CertFile: "both"}, ""},
		"no authority":                   {target.Access{CertFile: "both"}, "TLS failed: "},
		"no certificate":                 {target.Access{CAFile: "ca"}, "certificate required"},
		"no such file":                   {target.Access{CAFile: "none"}, "the file none cannot be read"},
		"no authority in it":             {target.Access{CAFile: "key"}, "the file key contains no PEM certificate"},
		"no key in it": {target.Access{CAFile: "ca", CertFile: "cert"},
			"the file cert does not contain a PEM certificate and its private key"},
	} {
		cl := client(t, func(o *tracking.Options) { o.Environment.ReadFile = read })
		to, err := cl.Target(target.Target{URL: address, Access: c.access})
		if err != nil {
			if c.want == "" || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if r := to.Send([]byte("rec=1"), "Firefox"); (r.Class.Outcome() == outcome.Accepted) != (c.want == "") ||
			!strings.Contains(r.String(), c.want) {
			t.Errorf("%s: %s %s", name, r.Class, r.String())
		} else if c.want != "" && r.Class != answer.TLS {
			t.Errorf("%s counts as %s, but surely was not taken", name, r.Class)
		}
	}
}
