package matomo

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/puttrix/trafficinator/shared/target"
)

func TestAddressesOfCloudsAreForbiddenInEveryForm(t *testing.T) {
	for _, a := range []string{
		"169.254.169.254", "::ffff:169.254.169.254", "fe80::1%eth0", "100.100.100.200", "168.63.129.16", "192.0.0.192",
		"fd00:ec2::254",
		"64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe", "2002:a9fe:a9fe::1", "::a9fe:a9fe", "64:ff9b::6464:64c8",
		"0.0.0.0", "::", "224.0.0.1", "ff02::1",
	} {
		dialled := checkConnection("tcp", netip.AddrPortFrom(netip.MustParseAddr(a), 80).String(), nil)
		to := url.URL{Scheme: "http", Host: net.JoinHostPort(a, "80")}
		_, err := NewClient(time.Second, target.Environment{}).PostForm(t.Context(),
			target.Target{Access: target.Access{Proxy: "http://127.0.0.1:1"}}, to.String(), nil)
		if !errors.Is(dialled, errForbidden) || !errors.Is(err, errForbidden) {
			t.Errorf("%s may be connected to: %v, %v", a, dialled, err)
		}
	}
	for _, a := range []string{"127.0.0.1", "::1", "10.0.0.1", "192.0.2.1", "2001:db8::1", "64:ff9b::c000:201",
		"2002:c000:201::1", "fd00::1", "100.100.100.201"} {
		if forbidden(netip.MustParseAddr(a)) {
			t.Errorf("%s may not be connected to", a)
		}
	}
}

// says is a server in the memory of the test: it answers every request by the next of its answers, and the last again.
type says struct {
	answers []*http.Response
	asked   []time.Time
}

// RoundTrip implements http.RoundTripper.
func (s *says) RoundTrip(*http.Request) (*http.Response, error) {
	s.asked = append(s.asked, time.Now())
	said := s.answers[min(len(s.asked), len(s.answers))-1]
	again := *said
	body, err := io.ReadAll(said.Body)
	said.Body = io.NopCloser(strings.NewReader(string(body)))
	again.Body = io.NopCloser(strings.NewReader(string(body)))
	return &again, err
}

func says503(retry string) *http.Response {
	return &http.Response{StatusCode: 503, Header: http.Header{"Retry-After": {retry}},
		Body: io.NopCloser(strings.NewReader("<h1>Maintenance</h1>"))}
}

func TestAnAnswerThatSaysLaterIsWaitedForAndAskedAgain(t *testing.T) {
	version := func() *http.Response {
		return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(`{"value":"5.2.0"}`))}
	}
	for name, c := range map[string]struct {
		answers []*http.Response
		limit   time.Duration
		asked   int
		Took    time.Duration
		class   Class
	}{
		"twice": {[]*http.Response{says503("7"), says503("3"), version()}, time.Minute, 3,
			10 * time.Second, ""},
		"for ever":           {[]*http.Response{says503("10")}, time.Minute, 4, laterLimit, Later},
		"too late":           {[]*http.Response{says503("31")}, time.Minute, 1, 0, Later},
		"not in our time":    {[]*http.Response{says503("7")}, 5 * time.Second, 1, 0, Later},
		"not when":           {[]*http.Response{says503("")}, time.Minute, 1, 0, Later},
		"nothing of a later": {[]*http.Response{version()}, time.Minute, 1, 0, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			server := &says{answers: c.answers}
			to := target.Target{URL: "http://matomo.test/matomo.php", Token: "x"}
			client := NewClient(time.Minute, target.Environment{})
			w, err := client.way(to)
			if err != nil {
				t.Fatal(err)
			}
			w.http.Transport = server
			ctx, cancel := context.WithTimeout(t.Context(), c.limit)
			defer cancel()
			began := time.Now()
			v, err := client.Version(ctx, to)
			if Took := time.Since(began); len(server.asked) != c.asked || Took != c.Took || ClassOf(err) != c.class ||
				(err == nil) != (v == "5.2.0") {
				t.Errorf("%s: %q after %s and %d questions: %v", name, v, Took, len(server.asked), err)
			}
		})
	}
}

func TestFilesOfCertificatesAreReadAgainAfterAMinute(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	server.Close()
	synctest.Test(t, func(t *testing.T) {
		read := 0
		client := NewClient(time.Minute, target.Environment{ReadFile: func(string) ([]byte, error) {
			read++
			return authority, nil
		}})
		to := target.Target{URL: "https://matomo.test/matomo.php", Access: target.Access{CAFile: "ca.pem"}}
		for at, want := range []int{1, 1, 2} { // every half minute
			if _, err := client.way(to); err != nil || read != want {
				t.Errorf("look %d: read %d times, want %d: %v", at, read, want, err)
			}
			time.Sleep(wayAge / 2)
		}
	})
}
