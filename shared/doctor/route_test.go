package doctor_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/shared/doctor"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/target"
)

// tracker is a Matomo whose tracker is at a path.
func tracker(path string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = "/sub/matomo.php"
		(&fake{site: shop}).ServeHTTP(w, r)
	})
	return mux
}

func TestTheDoctorShowsTheRouteThatItTook(t *testing.T) {
	t.Parallel()
	secure := httptest.NewTLSServer(tracker("/matomo.php"))
	t.Cleanup(secure.Close)
	proxy := httptest.NewServer(tracker("/matomo.php"))
	t.Cleanup(proxy.Close)
	for name, c := range map[string]struct {
		to      target.Target
		verdict doctor.Verdict
		want    []string
	}{
		"direct with TLS": {target.Target{URL: secure.URL + "/matomo.php", Access: target.Access{Insecure: true}},
			doctor.OK,
			[]string{"direct, connected to 127.0.0.1:", "TLS 1.3, certificate issued by itself",
				", valid until 2084-01-29, answered 200 in "}},
		"through a proxy": {target.Target{URL: "http://matomo.test/matomo.php",
			Access: target.Access{Proxy: secret.String(strings.Replace(proxy.URL, "//", "//ann:hush@", 1))}},
			doctor.OK,
			[]string{"through the proxy http://xxxxx@127.0.0.1:", ", connected to 127.0.0.1:", "answered 200"}},
		"no server": {target.Target{URL: "http://127.0.0.1:1/matomo.php"}, doctor.Skipped,
			[]string{"direct, no connection: no answer"}},
		"no TLS": {target.Target{URL: secure.URL + "/matomo.php"}, doctor.Skipped,
			[]string{"direct, connected to 127.0.0.1:", ": no answer"}},
	} {
		c.to.SiteID = 1
		d := doctor.New(time.Minute, target.Environment{}).Diagnose(t.Context(), c.to, all)
		verdict, text := reported(d, "route")
		for _, want := range c.want {
			if verdict != c.verdict || !strings.Contains(text, want) || strings.Contains(text, "hush") {
				t.Errorf("%s: %s %q lacks %q", name, verdict, text, want)
			}
		}
	}
}

func TestTheDoctorTriesWhereElseTheTrackerMayBe(t *testing.T) {
	t.Parallel()
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "<title>Just a moment</title>")
	})
	login := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/login", http.StatusFound)
	})
	for name, c := range map[string]struct {
		serve   http.Handler
		path    string
		verdict doctor.Verdict
		want    string
	}{
		"a folder without its slash": {tracker("/stats/matomo.php"), "/stats", doctor.Error,
			"/stats/matomo.php accepts hits; use http"},
		"the usual folder": {tracker("/matomo/matomo.php"), "/matomo.php", doctor.Error,
			"/matomo/matomo.php accepts hits; use http"},
		"an old name": {tracker("/s/piwik.php"), "/s/matomo.php", doctor.Error,
			"/s/piwik.php accepts hits; use http"},
		"nowhere": {http.NotFoundHandler(), "/collect", doctor.Skipped,
			"/collect/matomo.php answered 404"},
		"a challenge":           {page, "/matomo.php", doctor.Skipped, "something in front of Matomo answers"},
		"a login":               {login, "/matomo.php", doctor.Skipped, "/matomo/matomo.php answered 302"},
		"an address of its own": {tracker("/collect"), "/collect", "", ""},
		"one with a query":      {tracker("/index.php"), "/index.php?rest_route=/matomo/v1/hit/", "", ""},
	} {
		server := httptest.NewServer(c.serve)
		d := doctor.New(time.Minute, target.Environment{}).Diagnose(t.Context(),
			target.Target{URL: server.URL + c.path, SiteID: 1}, all)
		server.Close()
		if verdict, text := reported(d, "address"); verdict != c.verdict || !strings.Contains(text, c.want) ||
			d.Works != (c.verdict == "") {
			t.Errorf("%s: %s %q", name, verdict, text)
		}
	}
}
