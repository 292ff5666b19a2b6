package api_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/shared/testbed"
)

// A certificate that is gone keeps nobody from reading what is saved, nor from saving something else.
func TestACertificateThatIsGoneIsSaidAndHoldsUpNothingElse(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ca, _ := testbed.Certificate(t, t.TempDir(), "authority")
	f.ask("PUT", "/api/config",
		fmt.Sprintf(`{"config":{"MATOMO_URL":"https://matomo.example.test/","TLS_CA_FILE":%q}}`, ca))
	if _, err := f.setup.Start(t.Context(), nil, plan.Identity{ID: "r1", Seed: 1}); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(ca); err != nil {
		t.Fatal(err)
	}
	f.each(t, []quick{
		{"what is pending", "GET", "/api/exchange", "", nil, 200, "TLS_CA_FILE="},
		{"what is saved", "GET", "/api/config", "", nil, 200, is{"config.TLS_CA_FILE": ca}},
		{"a list of pages", "POST", "/api/urls", `{"content":"https://a.example.test/\n"}`, nil, 200,
			is{"published": false}},
		{"the setting itself", "PATCH", "/api/config", `{"config":{"CONCURRENCY":9}}`, nil, 422,
			"TLS_CA_FILE: cannot be read"},
		{"a test of it", "POST", "/api/test-connection", `{}`, nil, 422, "config.TLS_CA_FILE"},
		{"a way out", "PATCH", "/api/config", `{"config":{"TLS_CA_FILE":""}}`, nil, 200, is{"published": true}},
	})
}

func TestAConnectionTestGoesTheWayThatIsDescribed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ca, _ := testbed.Certificate(t, t.TempDir(), "authority")
	f.ask(
		"PUT",
		"/api/config",
		`{"config":{"MATOMO_URL":"https://user:hush@matomo.example.test/","MATOMO_API_URL":"https://api.example.test/","PROXY_URL":"http://proxy.example.test:3128"}}`,
	)
	f.ask("POST", "/api/targets",
		`{"name":"one","url":"https://one.example.test/","site_id":1,"headers":"X-Gate: hush"}`)
	for body, want := range map[string]string{
		`{}`: "https://api.example.test/index.php user:hush  http://proxy.example.test:3128 ",
		fmt.Sprintf(`{"config":{"MATOMO_HEADERS":"X-Gate: 1\nX-Other: 2","TLS_CA_FILE":%q,"MATOMO_HTTP_AUTH":"***MASKED***"}}`, ca): "https://api.example.test/index.php user:hush X-Gate: 1\nX-Other: 2 http://proxy.example.test:3128 " + ca,
		`{"config":{"PROXY_URL":"none"}}`: "https://api.example.test/index.php   none ",
		`{"matomo_url":"https://new:pw@other.example.test/"}`: "https://api.example.test/index.php new:pw " +
			" http://proxy.example.test:3128 ",
	} {
		if got := f.ask("POST", "/api/test-connection", body); got.Code != 200 ||
			strings.Contains(got.Body.String(), "hush") {
			t.Errorf("%s: %d %s", body, got.Code, got.Body)
			continue
		}
		a := f.doctor.asked[len(f.doctor.asked)-1]
		if got := strings.Join([]string{a.APIURL, a.HTTPAuth.Reveal(), a.Headers.Reveal(), a.Proxy.Reveal(), a.CAFile},
			" "); got != want {
			t.Errorf("%s: asked by %q, want %q", body, got, want)
		}
	}
	f.ask("POST", "/api/targets/test", `{"ids":[1]}`)
	if a := f.doctor.asked[len(f.doctor.asked)-1]; a.Headers.Reveal() != "X-Gate: hush" ||
		a.Proxy.Reveal() != "http://proxy.example.test:3128" || a.HTTPAuth != "" || a.APIURL != "" {
		t.Errorf("a saved target has its own secrets and the proxy of all: %+v", a)
	}
	f.each(t, []quick{{"a mask that would go elsewhere", "POST", "/api/test-connection",
		`{"config":{"MATOMO_API_URL":"https://other.example.test/","MATOMO_HTTP_AUTH":"***MASKED***"}}`, nil, 422,
		"config.MATOMO_HTTP_AUTH"}})
}
