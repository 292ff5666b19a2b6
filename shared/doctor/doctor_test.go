package doctor_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/doctor"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/target"
)

// all is what a run with everything in it sends.
var all = doctor.Expectation{
	Zone:      zone("Europe/Berlin"),
	Currency:  "EUR",
	Sends:     [hit.Kinds]bool{hit.Search: true, hit.Order: true},
	Bulk:      true,
	Dimension: 3,
	Past:      past("2026-10-01"),
	Pages:     []string{"https://shop.example.test/", "https://www.shop.example.test/list?page=2#top"},
	Networks:  []netip.Prefix{netip.MustParsePrefix("90.224.0.0/16"), netip.MustParsePrefix("2001:db8::/32")},
	Agents:    []string{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/154.0.0.0 Safari/537.36"},
}

func past(day string) *calendar.Window {
	d, err := calendar.ParseDate(day)
	if err != nil {
		panic(err)
	}
	return &calendar.Window{First: d, Last: d.Add(2)}
}

func zone(name string) *calendar.Zone {
	z, err := calendar.ParseZone(name)
	if err != nil {
		panic(err)
	}
	return &z
}

func TestAGoodTargetIsDescribed(t *testing.T) {
	t.Parallel()
	f := &fake{site: shop}
	d := examine(t, f, nil, all)
	if !d.Works || d.Version != "5.2.0" || d.Status != 200 {
		t.Errorf("%+v", d)
	}
	if s := d.Site; s == nil || s.Name != "Shop" || s.Timezone != "Europe/Berlin" || s.Currency != "EUR" ||
		!s.SiteSearch || !s.Ecommerce {
		t.Errorf("%+v", d.Site)
	}
	for _, f := range d.Findings {
		if f.Verdict != doctor.OK {
			t.Errorf("%+v", f)
		}
	}
	for _, r := range f.requests {
		method, rest, _ := strings.Cut(r, " ")
		address, form, _ := strings.Cut(rest, " ")
		if method != "POST" || strings.Contains(address, "?") {
			t.Errorf("%s %s: a token may go in a body alone", method, address)
		}
		if values, _ := url.ParseQuery(form); strings.HasSuffix(address, "matomo.php") && values.Get("ping") != "1" {
			t.Errorf("%s would be recorded", form)
		}
	}
}

func TestEachFailureHasItsCure(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		fake    *fake
		change  func(*target.Target)
		check   string
		verdict doctor.Verdict
		want    string
		works   bool
	}{
		{"an address without a scheme", &fake{}, func(t *target.Target) {
			t.URL = "x.example.test"
		}, "address", doctor.Error, "matomo.php", false},
		{"no server", &fake{}, func(t *target.Target) {
			t.URL = "http://127.0.0.1:1/matomo.php"
		}, "tracker", doctor.Error, "start Matomo", false},
		{"a cloud's own address", &fake{}, func(t *target.Target) {
			t.URL = "http://169.254.169.254/matomo.php"
		}, "tracker", doctor.Error, "link-local", false},
		{"it again as IPv6", &fake{}, func(t *target.Target) {
			t.URL = "http://[::ffff:169.254.169.254]/matomo.php"
		}, "tracker", doctor.Error, "link-local", false},
		{"it as NAT64", &fake{}, func(t *target.Target) {
			t.URL = "http://[64:ff9b::a9fe:a9fe]/matomo.php"
		}, "tracker", doctor.Error, "a cloud metadata service", false},
		{"a redirect", &fake{status: 301}, nil, "tracker", doctor.Error, "redirect", false},
		{"a page of something else", &fake{status: 200, page: "<title>Just a moment...</title>"}, nil, "tracker",
			doctor.Error, "does not answer like Matomo: answered 200 (Server: gate): the response is not Matomo's; " +
				"check the URL: \"Just a moment...\"", false},
		{"a client certificate is missing",
			&fake{status: 400, page: "<title>400 No required SSL certificate was sent</title>"}, nil, "tracker",
			doctor.Error, "something in front of Matomo answered 400 (Server: gate): \"400 No required SSL certificate " +
				"was sent\"", false},
		{"a warning of PHP", &fake{status: 200, page: "Warning: x\nGIF89a\x01\x00\x01\x00"}, nil, "tracker",
			doctor.Warning, "Warning: x", true},
		{"a Matomo that shows its log", &fake{status: 200, page: "[2026-11-30 21:38:05] piwik.DEBUG: Debug enabled"},
			nil, "tracker", doctor.Error, "set debug=0", false},
		{"a wrong path", &fake{status: 404}, nil, "tracker", doctor.Error, "path", false},
		{"a closed door", &fake{status: 403, page: "Blocked"}, nil, "tracker", doctor.Error,
			"blocked: something in front of Matomo answered 403 (Server: gate): \"Blocked\"", false},
		{"a login page", &fake{status: 302}, nil, "tracker", doctor.Error, "redirect to /elsewhere", false},
		{"a closed API", &fake{apiGate: 403}, nil, "api", doctor.Warning, "Forbidden by policy", true},
		{"a queue", &fake{site: shop, queue: true}, nil, "bulk", doctor.OK, "a queue is active", true},
		{"a broken server", &fake{status: 500}, nil, "tracker", doctor.Error, "log", false},
		{"tracking is off", &fake{off: true}, nil, "tracker", doctor.Error, "record_statistics", false},
		{"an unknown site", &fake{}, func(t *target.Target) {
			t.SiteID = 9
		}, "tracker", doctor.Error, "site exists", false},
		{"no token", &fake{}, func(t *target.Target) { t.Token = "" }, "token", doctor.Warning, "write access", true},
		{"a wrong token", &fake{}, func(t *target.Target) {
			t.Token = "wrong"
		}, "token", doctor.Error, "write access", false},
		{"a token for secure requests only", &fake{site: shop, inForms: true}, nil, "bulk", doctor.Warning,
			"SEND_MODE=bulk", true},
		{"a sender that is locked out", &fake{site: shop, bulkOff: true}, nil, "bulk", doctor.Warning,
			"wrong tokens", true},
		{"a token for all requests", &fake{site: shop}, nil, "bulk", doctor.OK, "", true},
		{"site search off", &fake{site: strings.Replace(shop, `"1"`, "0", 1)}, nil, "search", doctor.Warning,
			"SITESEARCH_PROBABILITY", true},
		{"ecommerce off", &fake{site: strings.Replace(shop, `"ecommerce":1`, `"ecommerce":0`, 1)}, nil, "ecommerce",
			doctor.Warning, "ECOMMERCE_PROBABILITY", true},
		{"only known URLs", &fake{site: strings.Replace(shop, `urls":0`, `urls":1`, 1)}, nil, "urls", doctor.Warning,
			"https://shop.example.test", true},
		{"a clock far behind", &fake{site: shop, date: time.Now().Add(-time.Hour)}, nil, "clock", doctor.Warning,
			"NTP", true},
	} {
		d := examine(t, c.fake, c.change)
		verdict, text := reported(d, c.check)
		if verdict != c.verdict || !strings.Contains(text, c.want) || d.Works != c.works {
			t.Errorf("%s: works %t, %s %q; want %t, %s with %q in it", c.name, d.Works, verdict, text, c.works,
				c.verdict, c.want)
		}
	}
}

func TestOfTheOtherSideNoMoreThanFirstWordsAreRepeated(t *testing.T) {
	t.Parallel()
	d := examine(t, &fake{status: 500, page: "<script>inner</script>" + strings.Repeat("word ", 100) +
		"inner secrets " + string(good)}, nil)
	for _, f := range d.Findings {
		if strings.Contains(f.Message+f.Cure, "inner") || strings.Contains(f.Message+f.Cure, string(good)) ||
			len(f.Message) > 300 {
			t.Errorf("%+v", f)
		}
	}
}

func TestWhatATokenMayNotReadHasTheRightItNeeds(t *testing.T) {
	t.Parallel()
	for check, c := range map[string]struct{ method, right string }{
		"site":       {"SitesManager.getSiteFromId", "view access"},
		"addresses":  {"SitesManager.getExcludedIpsGlobal", "admin access"},
		"agents":     {"SitesManager.getExcludedUserAgentsGlobal", "admin access"},
		"parameters": {"SitesManager.getExcludedQueryParametersGlobal", "access to at least one site"},
		"goals":      {"Goals.getGoals", "view access"},
		"dimension":  {"CustomDimensions.getConfiguredCustomDimensions", "view access"},
		"queue":      {"CorePluginsAdmin.getSystemSettings", "superuser"},
		"spam":       {"CorePluginsAdmin.getSystemSettings", "superuser"},
		"retention":  {"Live.getLastVisitsDetails", "view access"},
		"masking":    {"Live.getLastVisitsDetails", "view access"},
	} {
		d := examine(t, &fake{site: shop, answers: map[string]string{c.method: refused}}, nil, all)
		for _, f := range d.Findings {
			if f.Check == check &&
				(f.Verdict != doctor.Skipped || !strings.Contains(f.Right, c.right) || f.Cure == "") {
				t.Errorf("%+v", f)
			}
		}
		if verdict, _ := reported(d, check); verdict == "" || !d.Works {
			t.Errorf("%s: %+v", check, d)
		}
	}
	d := examine(t, &fake{site: shop, answers: map[string]string{"UserCountry.getLocationFromIP": refused}},
		func(to *target.Target) { to.Token, to.ReadToken = "", good }, all)
	if verdict, text := reported(d, "location"); verdict != doctor.Skipped || !strings.Contains(text, "view access") {
		t.Errorf("%s %s", verdict, text)
	}
	d = examine(t, &fake{site: shop,
		answers: map[string]string{"SitesManager.getSearchKeywordParametersGlobal": refused}}, nil,
		with(func(e *doctor.Expectation) { e.Pages = []string{"https://shop.example.test/?keyword=x"} }))
	if verdict, text := reported(d, "search"); verdict != doctor.Warning {
		t.Errorf("what Matomo has by default was not assumed: %s %s", verdict, text)
	}
	d = examine(t, &fake{site: shop}, func(to *target.Target) { to.Token = "" })
	if verdict, text := reported(d, "api"); verdict != doctor.Skipped || !strings.Contains(text, "view access") {
		t.Errorf("%s %s", verdict, text)
	}
}

func TestTheKindOfATokenIsReported(t *testing.T) {
	t.Parallel()
	no := `{"value":false}`
	for _, c := range []struct {
		name    string
		answers map[string]string
		token   string
		want    string
	}{
		{"a superuser's", nil, "", "superuser"},
		{"an administrator's", map[string]string{"UsersManager.hasSuperUserAccess": no}, "", "admin access"},
		{"a writer's", map[string]string{"UsersManager.hasSuperUserAccess": no,
			"SitesManager.getSitesIdWithAdminAccess": `[]`, "SitesManager.getSitesIdWithWriteAccess": `["1"]`}, "",
			"write access"},
		{"a viewer's", map[string]string{"UsersManager.hasSuperUserAccess": no,
			"SitesManager.getSitesIdWithAdminAccess": `[]`}, "viewer", "only has view access"},
		{"another site's", map[string]string{"UsersManager.hasSuperUserAccess": no,
			"SitesManager.getSitesIdWithAdminAccess": `[2]`, "SitesManager.getSitesIdWithAtLeastViewAccess": `[2]`},
			"other", "no access"},
		{"none of this Matomo", map[string]string{"UsersManager.hasSuperUserAccess": refused}, "wrong",
			"Reporting API"},
	} {
		d := examine(t, &fake{site: shop, answers: c.answers}, func(to *target.Target) {
			if c.token != "" {
				to.Token = "not-good"
			}
		})
		verdict, text := reported(d, "token")
		if !strings.Contains(text, c.want) || (verdict == doctor.OK) != (c.token == "") {
			t.Errorf("%s: %s %q", c.name, verdict, text)
		}
	}
}

func TestATokenForReadingIsExaminedByItself(t *testing.T) {
	t.Parallel()
	no := `{"value":false}`
	for want, answers := range map[doctor.Verdict]map[string]string{
		doctor.OK: {},
		doctor.Warning: {"UsersManager.hasSuperUserAccess": no, "SitesManager.getSitesIdWithAdminAccess": `[]`,
			"SitesManager.getSitesIdWithAtLeastViewAccess": `[]`},
	} {
		f := &fake{site: shop, answers: answers}
		d := examine(t, f, func(to *target.Target) { to.ReadToken = "reader" })
		if verdict, text := reported(d, "read_token"); verdict != want {
			t.Errorf("%s %q, want %s", verdict, text, want)
		}
		for _, r := range f.requests {
			if strings.Contains(r, "index.php") && strings.Contains(r, "getSiteFromId") &&
				!strings.Contains(r, "token_auth=reader") {
				t.Errorf("%s: asked with another token", r)
			}
		}
	}
}

func TestARefusedBulkTokenIsWrongWhereHitsGoInBulk(t *testing.T) {
	t.Parallel()
	d := examine(t, &fake{site: shop, inForms: true}, nil, all)
	if verdict, text := reported(d, "bulk"); verdict != doctor.Error || d.Works {
		t.Errorf("%s %s", verdict, text)
	}
}

func TestACertificateIsNamed(t *testing.T) {
	t.Parallel()
	srv := httptest.NewTLSServer(&fake{site: shop})
	t.Cleanup(srv.Close)
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	for _, c := range []struct{ name, url, check, want string }{
		{"of itself (self-signed)", srv.URL, "certificate", "TLS_CA_FILE"},
		{"of another host", strings.Replace(srv.URL, "127.0.0.1", "localhost", 1), "certificate",
			"not for the host localhost"},
		{"none at all", strings.Replace(plain.URL, "http:", "https:", 1), "tracker", "http://"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := net.LookupHost("localhost"); err != nil && strings.Contains(c.url, "localhost") {
				t.Skipf("this machine does not know its name localhost: %v", err)
			}
			to := target.Target{URL: c.url + "/sub/matomo.php", SiteID: 1, Token: good}
			d := doctor.New(time.Minute, target.Environment{}).Diagnose(t.Context(), to, all)
			if verdict, text := reported(
				d,
				c.check,
			); verdict != doctor.Error || !strings.Contains(text, c.want) ||
				d.Works {
				t.Errorf("%s %q", verdict, text)
			}
		})
	}
	to := target.Target{URL: srv.URL + "/sub/matomo.php", SiteID: 1, Token: good}
	to.Insecure = true
	if d := doctor.New(time.Minute, target.Environment{}).Diagnose(t.Context(), to, all); !d.Works {
		t.Errorf("with any certificate: %+v", d.Findings)
	}
}

func TestTheDoctorNamesTheSettingThatOpensAGate(t *testing.T) {
	t.Parallel()
	matomos := &fake{site: shop}
	for _, c := range []struct {
		path        string // of what is closed
		status      int
		check, want string
	}{
		{"matomo.php", 401, "tracker", "MATOMO_HTTP_AUTH"}, {"matomo.php", 403, "tracker", "MATOMO_HEADERS"},
		{"index.php", 401, "api", "MATOMO_HTTP_AUTH"}, {"index.php", 404, "api", "MATOMO_API_URL"},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, c.path) {
				matomos.ServeHTTP(w, r)
				return
			}
			w.Header().Set("WWW-Authenticate", `Basic realm="staging"`)
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, "<h1>Closed</h1>")
		}))
		d := doctor.New(time.Minute, target.Environment{}).Diagnose(t.Context(),
			target.Target{URL: srv.URL + "/sub/matomo.php", SiteID: 1, Token: good}, doctor.Expectation{})
		srv.Close()
		if _, text := reported(d, c.check); !strings.Contains(text, c.want) {
			t.Errorf("%s, %d: should name %s: %s", c.path, c.status, c.want, text)
		}
	}
}
