package plan_test

import (
	"strings"
	"testing"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/shared/target"
)

func TestTheKnobsSayHowTheirTargetIsReached(t *testing.T) {
	t.Parallel()
	p := good(t, set{
		"MATOMO_URL": "https://load:hush@m.example.test/stats/", "MATOMO_API_URL": "https://api.example.test", "MATOMO_HEADERS": "X-Gate: hush",
		"TLS_CA_FILE": "ca.pem", "TLS_CERT_FILE": "c.pem", "TLS_KEY_FILE": "k.pem", "TLS_VERIFY": "off", "PROXY_URL": "http://u:hush@proxy.test:3128",
	}, nil)
	want := target.Target{
		Name: "matomo", URL: "https://m.example.test/stats/matomo.php", SiteID: 1, Weight: 1, Enabled: true, Access: target.Access{
			APIURL: "https://api.example.test/index.php", HTTPAuth: "load:hush", Headers: "X-Gate: hush",
			CAFile: "ca.pem", CertFile: "c.pem", KeyFile: "k.pem", Insecure: true, Proxy: "http://u:hush@proxy.test:3128",
		},
	}
	if len(p.Targets) != 1 || p.Targets[0] != want {
		t.Errorf("got  %+v\nwant %+v", p.Targets, want)
	}
	if again := good(t, set{"MATOMO_URL": "https://other:pass@m.example.test/stats/matomo.php", "TLS_VERIFY": "off"}, nil); again.Hash != p.Hash {
		t.Error("how a target is reached is part of the plan's name")
	}
}

func TestOtherTargetsHaveWhatIsSharedAndNoSecretOfTheFirst(t *testing.T) {
	t.Parallel()
	const targets = `{"targets":[{"name":"a","url":"https://a.test","site_id":1},
		{"name":"b","url":"https://b.test/collect?x=1","site_id":1,"api_url":"https://b.test/m/","http_auth":"b:hush","headers":"X-B: hush",
		"tls_ca_file":"b.pem","tls_cert_file":"/abs/c.pem","tls_key_file":"k.pem","proxy_url":"none"}]}`
	env := set{
		"MATOMO_HTTP_AUTH": "u:hush", "MATOMO_HEADERS": "X-Gate: hush", "TLS_CA_FILE": "ca.pem", "TLS_CERT_FILE": "c.pem", "PROXY_URL": "http://proxy.test:3128",
	}
	p := good(t, env, set{"targets.json": targets})
	a := target.Target{
		Name: "a", URL: "https://a.test/matomo.php", SiteID: 1, Weight: 1, Enabled: true,
		Access: target.Access{CAFile: "ca.pem", Proxy: "http://proxy.test:3128"},
	}
	b := target.Target{Name: "b", URL: "https://b.test/collect?x=1", SiteID: 1, Weight: 1, Enabled: true, Access: target.Access{
		APIURL: "https://b.test/m/index.php", HTTPAuth: "b:hush", Headers: "X-B: hush",
		CAFile: "/x/b.pem", CertFile: "/abs/c.pem", KeyFile: "/x/k.pem", Proxy: target.NoProxy,
	}}
	if len(p.Targets) != 2 || p.Targets[0] != a || p.Targets[1] != b {
		t.Errorf("got  %+v\nwant %+v", p.Targets, []target.Target{a, b})
	}
	_, problems := load(t, env, set{"targets.json": targets})
	for _, key := range []string{"MATOMO_HTTP_AUTH", "MATOMO_HEADERS", "TLS_CERT_FILE"} {
		if want := key + ": is ignored; the targets come from /x/targets.json"; !strings.Contains(problems.Warnings().Error(), want) {
			t.Errorf("the warnings lack %q:\n%v", want, problems)
		}
	}
}

func TestAPathInAFileOfSettingsIsRelativeToIt(t *testing.T) {
	t.Parallel()
	fs := afero.NewMemMapFs()
	if err := afero.WriteFile(fs, "/conf/loadgen.env", []byte("TLS_CA_FILE=tls/ca.pem\nTLS_KEY_FILE=/abs/k.pem\nTLS_CERT_FILE=\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, _, problems := plan.Settings(fs, set{"LOADGEN_ENV_FILE": "/conf/loadgen.env", "TLS_CERT_FILE": "c.pem"})
	if problems.Err() != nil || got["TLS_CA_FILE"] != "/conf/tls/ca.pem" || got["TLS_KEY_FILE"] != "/abs/k.pem" || got["TLS_CERT_FILE"] != "" {
		t.Errorf("%v: %v", got, problems)
	}
}

func TestAPasswordInAnAddressIsNotShown(t *testing.T) {
	t.Parallel()
	for _, env := range []set{
		{"MATOMO_URL": "load:s3cret@host/matomo.php"}, {"MATOMO_URL": "https://load:s3%cret@host/"}, {"MATOMO_API_URL": "load:s3cret@host"},
		{"PROXY_URL": "load:s3cret@host:3128"}, {"MATOMO_HTTP_AUTH": "s3cret"}, {"MATOMO_HEADERS": "s3cret"},
	} {
		p, problems := load(t, env, nil)
		if p != nil || problems.Err() == nil || strings.Contains(problems.Error(), "3cret") || strings.Contains(problems.Error(), "3%cret") {
			t.Errorf("%v: %v", env, problems)
		}
	}
	env := set{"MATOMO_URL": "https://load:s3cret@host/"}
	if all := strings.Join(good(t, env, nil).Differences(env), "\n"); strings.Contains(all, "s3cret") || !strings.Contains(all, "host") {
		t.Error(all)
	}
}
