package target_test

import (
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/target"
)

func TestOneCompletionOfTheAddressOfATracker(t *testing.T) {
	for raw, want := range map[string]string{
		"https://a.test/matomo.php":                           "https://a.test/matomo.php",
		" http://127.0.0.1:8090/piwik.php":                    "http://127.0.0.1:8090/piwik.php",
		"https://a.test":                                      "https://a.test/matomo.php",
		"https://bücher.test/matomo.php":                      "https://xn--bcher-kva.test/matomo.php",
		"https://a.test/":                                     "https://a.test/matomo.php",
		"https://a.test/stats/":                               "https://a.test/stats/matomo.php",
		"https://a.test/matomo/":                              "https://a.test/matomo/matomo.php",
		"https://a.test/Matomo":                               "https://a.test/Matomo/matomo.php",
		"https://a.test/matomo.php/":                          "https://a.test/matomo.php",
		"https://a.test/collect":                              "https://a.test/collect",
		"https://a.test/m.php":                                "https://a.test/m.php",
		"https://a.test/js/":                                  "https://a.test/js/",
		"https://a.test/s/js/index.php":                       "https://a.test/s/js/",
		"https://a.test/index.php?module=CoreHome&idSite=1":   "https://a.test/matomo.php",
		"https://a.test/s/index.php":                          "https://a.test/s/matomo.php",
		"https://a.test/index.php?rest_route=/matomo/v1/hit/": "https://a.test/index.php?rest_route=/matomo/v1/hit/",
		"https://a.test?rest_route=/matomo/v1/hit/":           "https://a.test/?rest_route=/matomo/v1/hit/",
		"https://u:p@a.test/matomo.php":                       "https://a.test/matomo.php",
		"https://a.test/%40s/":                                "https://a.test/%40s/matomo.php",
	} {
		to := target.Target{URL: raw}
		to.Check(func(_, shown, message, _ string) { t.Errorf("%s is refused: %q %s", raw, shown, message) })
		if to.URL != want {
			t.Errorf("%s becomes %s, want %s", raw, to.URL, want)
		}
	}
	for raw, want := range map[string]string{
		"https://:80/matomo.php":              " is not an http or https URL",
		"https://a.test/matomo.php#x":         "https://a.test/matomo.php has a fragment (#…)",
		"":                                    " is not an http or https URL",
		"ftp://u:hush@a.test/matomo.php":      " is not an http or https URL",
		"https://a.test\u200b/matomo.php":     " has a zero-width space (U+200B) at position 15",
		"https://a.test/my\u00a0m/matomo.php": " has a no-break space (U+00A0) at position 18",
		"matomo.php":                          " is not an http or https URL",
		"load:hush@a.test/matomo.php":         " is not an http or https URL",
		"https://u:hu%sh@a.test/matomo.php":   " is not an http or https URL",
		"https://u:hush@a.test/?token_auth=x": "https://xxxxx@a.test/ has a token in its query",
		"https://a.test/matomo.php?idsite=2": "https://a.test/matomo.php has the tracking parameter idsite in " +
			"its query",
		"https://a.test/matomo.php?rec=1": "https://a.test/matomo.php has the tracking parameter rec in its query",
	} {
		got, to := "", target.Target{URL: raw}
		to.Check(func(_, shown, message, _ string) { got += shown + " " + message })
		if got != want {
			t.Errorf("%s: got %q, want %q", raw, got, want)
		}
	}
}

func TestUserAndPasswordLeaveTheAddress(t *testing.T) {
	to := target.Target{URL: "https://load:p%40ss@a.test/matomo.php"}
	to.Check(func(_, _, message, _ string) { t.Error(message) })
	if to.HTTPAuth.Reveal() != "load:p@ss" || to.URL != "https://a.test/matomo.php" {
		t.Errorf("%s with %s", to.URL, to.HTTPAuth.Reveal())
	}
}

func TestTheAddressOfTheAPI(t *testing.T) {
	for _, c := range []struct{ tracker, api, want string }{
		{"https://a.test/stats/matomo.php", "", "https://a.test/stats/index.php"},
		{"https://a.test/stats/js/", "", "https://a.test/stats/index.php"},
		{"https://a.test/collect?x=1", "", "https://a.test/index.php"},
		{"https://t.test/matomo.php", "https://A.test:443/stats/", "https://a.test/stats/index.php"},
		{"https://t.test/matomo.php", "https://a.test/matomo", "https://a.test/matomo/index.php"},
		{"https://t.test/matomo.php", "https://a.test/index.php?module=API", "https://a.test/index.php"},
		{"https://t.test/matomo.php", "https://a.test/matomo.php", "https://a.test/index.php"},
		{"https://t.test/matomo.php", "https://a.test/api?x=1", "https://a.test/api?x=1"},
	} {
		to := target.Target{URL: c.tracker, Access: target.Access{APIURL: c.api}}
		to.Check(func(_, _, message, _ string) { t.Errorf("%+v: %s", c, message) })
		if got := to.API(); got != c.want {
			t.Errorf("%+v: got %s", c, got)
		}
	}
}

// Each would go to another host than the one that is meant, with a part of the password in what is shown.
func TestAPasswordThatEndsTheHostIsRefusedAndNotShown(t *testing.T) {
	for _, raw := range []string{"https://u:12/hush@a.test/", "https://u:12?hush@a.test/", "https://u:12#hush@a.test/",
		"https://u:p@b#hush@a.test/"} {
		got, to := "", target.Target{URL: raw, Access: target.Access{APIURL: raw, Proxy: secret.String(raw)}}
		to.Check(func(field, shown, message, cure string) { got += field + " " + shown + message + cure + "\n" })
		if strings.Count(got, "%23 for #") != 3 || strings.Contains(got, "hush") || strings.Contains(got, "//b") {
			t.Errorf("%s: %s", raw, got)
		}
	}
}

func TestWhatIsNoAddressIsNotShown(t *testing.T) {
	for raw, want := range map[string]string{
		"load:hush@a.test/matomo.php": "", "hush": "", "https:u:hush@a.test": "", "//u:hush@a.test/x": "",
		"https://u:hush@a.test/x?token_auth=hush#hush": "https://xxxxx@a.test/x",
	} {
		if got := target.Redact(raw); got != want {
			t.Errorf("%s is shown as %q", raw, got)
		}
	}
}

func TestEachBadAccessHasItsMessage(t *testing.T) {
	for name, c := range map[string]struct {
		access target.Access
		want   string
	}{
		"good": {target.Access{HTTPAuth: "u:p:q", Headers: "X-Gate: hush\r\n\n  X-B:c",
			CertFile: "c.pem", Proxy: "http://u:p@proxy.test:3128/"}, ""},
		"an API with a password": {target.Access{APIURL: "https://u:hush@a.test/"},
			`api_url "https://xxxxx@a.test/" contains a user name or password`},
		"no API": {target.Access{APIURL: "u:hush@a.test"},
			`api_url "" is not an http or https URL`},
		"no password":  {target.Access{HTTPAuth: "hush"}, `http_auth "" is not user:password`},
		"a line break": {target.Access{HTTPAuth: "u:p\nhush"}, `http_auth "" is not user:password`},
		"masks": {
			target.Access{HTTPAuth: secret.Mask, Headers: secret.Mask, Proxy: secret.Mask},
			`http_auth "" is masked, headers "" is masked, proxy_url "" is masked`,
		},
		"masks in parts": {
			target.Access{HTTPAuth: "u:" + secret.Mask, Headers: "X-Gate: " + secret.Mask,
				Proxy: "http://u:" + secret.Mask + "@proxy.test:1"},
			`http_auth "" is masked, headers "" is masked, proxy_url "" is masked`,
		},
		"no header": {target.Access{Headers: "hush"}, `headers "" has a line that is not a header`},
		"a header of ours": {target.Access{Headers: "host: hush"},
			`headers "" sets host, which the generator sets itself`},
		"a header twice": {target.Access{Headers: "A: 1\na: 2"}, `headers "" sets a twice`},
		"a line break in letters": {target.Access{Headers: `A: 1\nX-Gate: hush`},
			`headers "" has a literal \n before another header`},
		"two authorizations": {target.Access{HTTPAuth: "u:p", Headers: "Authorization: Bearer hush"},
			`headers "" sets Authorization, and so does http_auth`},
		"only a key": {target.Access{KeyFile: "k.pem"}, `tls_key_file "" is set without tls_cert_file`},
		"SOCKS": {target.Access{Proxy: "socks5://u:hush@a.test"},
			`proxy_url "" is not an http or https proxy URL`},
		"a proxy without scheme": {target.Access{Proxy: "u:hush@proxy.test:3128"},
			`proxy_url "" is not an http or https proxy URL`},
	} {
		got, to := "", target.Target{URL: "https://a.test/", Access: c.access}
		to.Check(func(field, shown, message, _ string) {
			if got != "" {
				got += ", "
			}
			got += field + ` "` + shown + `" ` + message
		})
		if got != c.want {
			t.Errorf("%s: got  %s\nwant %s", name, got, c.want)
		}
		if name == "good" && to.Headers.Reveal() != "X-Gate: hush\nX-B: c" {
			t.Errorf("the headers became %q", to.Headers.Reveal())
		}
	}
}

func TestASecretOfOneTargetIsNoDefaultOfOthers(t *testing.T) {
	shared := target.Access{APIURL: "x", HTTPAuth: "x", Headers: "x", CAFile: "ca", CertFile: "x", KeyFile: "x",
		Insecure: true, Proxy: "p"}
	if got, want := (target.Access{}).WithDefaults(shared),
		(target.Access{CAFile: "ca", Insecure: true, Proxy: "p"}); got != want {
		t.Errorf("%+v", got)
	}
	if got := (target.Access{CAFile: "own", Proxy: target.NoProxy}).WithDefaults(shared); got.CAFile != "own" ||
		got.Proxy != target.NoProxy {
		t.Errorf("%+v", got)
	}
	in := target.Access{CAFile: "ca.pem", CertFile: "/abs.pem"}
	if got := in.RelativeTo("tls"); got.CAFile != "tls/ca.pem" || got.CertFile != "/abs.pem" || got.KeyFile != "" {
		t.Errorf("%+v", got)
	}
}
