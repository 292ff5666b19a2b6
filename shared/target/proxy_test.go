package target_test

import (
	"net/url"
	"testing"

	"github.com/puttrix/trafficinator/shared/target"
)

// docker run --env-file hands the quotes of a file on.
func TestAProxyInQuotesIsAsked(t *testing.T) {
	t.Parallel()
	way, err := target.Environment{
		Env: map[string]string{"HTTP_PROXY": `"http://proxy.test:3128"`},
	}.Transport(
		target.Access{},
	)
	if err != nil {
		t.Fatal(err)
	}
	proxy, err := way.Proxy(&url.URL{Scheme: "http", Host: "matomo.test"})
	if err != nil || proxy == nil || proxy.Host != "proxy.test:3128" {
		t.Errorf("%v, %v", proxy, err)
	}
}
