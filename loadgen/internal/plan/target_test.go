package plan_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"math/big"
	"strings"
	"testing"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/shared/target"
)

// certificates are the PEM files of an authority, and of a certificate and its key.
func certificates(t *testing.T) set {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1)}
	signed, err := x509.CreateCertificate(crand.Reader, form, form, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certificate := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed}))
	return set{"ca.pem": certificate, "c.pem": certificate,
		"k.pem": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))}
}

func TestSettingsOfTheSingleTarget(t *testing.T) {
	t.Parallel()
	p := good(t, set{
		"MATOMO_URL": "https://load:hush@m.example.test/stats/", "MATOMO_API_URL": "https://api.example.test",
		"MATOMO_HEADERS": "X-Gate: hush",
		"TLS_CA_FILE":    "/x/ca.pem", "TLS_CERT_FILE": "/x/c.pem", "TLS_KEY_FILE": "/x/k.pem", "TLS_VERIFY": "off",
		"PROXY_URL": "http://u:hush@proxy.test:3128",
	}, certificates(t))
	want := target.Target{
		Name: "matomo", URL: "https://m.example.test/stats/matomo.php", SiteID: 1, Weight: 1, Enabled: true,
		Access: target.Access{
			APIURL: "https://api.example.test/index.php", HTTPAuth: "load:hush", Headers: "X-Gate: hush",
			CAFile: "/x/ca.pem", CertFile: "/x/c.pem", KeyFile: "/x/k.pem", Insecure: true,
			Proxy: "http://u:hush@proxy.test:3128",
		},
	}
	if len(p.Targets) != 1 || p.Targets[0] != want {
		t.Errorf("got  %+v\nwant %+v", p.Targets, want)
	}
	if again := good(t, set{"MATOMO_URL": "https://other:pass@m.example.test/stats/matomo.php", "TLS_VERIFY": "off"},
		nil); again.Hash != p.Hash {
		t.Error("how a target is reached is part of the plan's name")
	}
}

func TestTargetsShareDefaultsButNoSecrets(t *testing.T) {
	t.Parallel()
	const targets = `{"targets":[{"name":"a","url":"https://a.test","site_id":1},
		{"name":"b","url":"https://b.test/collect?x=1","site_id":1,"api_url":"https://b.test/m/","http_auth":"b:hush","headers":"X-B: hush",
		"tls_ca_file":"ca.pem","tls_cert_file":"/x/c.pem","tls_key_file":"k.pem","proxy_url":"none"}]}`
	env := set{
		"MATOMO_HTTP_AUTH": "u:hush", "MATOMO_HEADERS": "X-Gate: hush", "TLS_CA_FILE": "/x/ca.pem",
		"TLS_CERT_FILE": "/x/c.pem", "TLS_KEY_FILE": "/x/k.pem", "PROXY_URL": "http://proxy.test:3128",
	}
	files := certificates(t)
	files["targets.json"] = targets
	p := good(t, env, files)
	a := target.Target{
		Name: "a", URL: "https://a.test/matomo.php", SiteID: 1, Weight: 1, Enabled: true,
		Access: target.Access{CAFile: "/x/ca.pem", Proxy: "http://proxy.test:3128"},
	}
	b := target.Target{Name: "b", URL: "https://b.test/collect?x=1", SiteID: 1, Weight: 1, Enabled: true,
		Access: target.Access{
			APIURL: "https://b.test/m/index.php", HTTPAuth: "b:hush", Headers: "X-B: hush",
			CAFile: "/x/ca.pem", CertFile: "/x/c.pem", KeyFile: "/x/k.pem", Proxy: target.NoProxy,
		}}
	if len(p.Targets) != 2 || p.Targets[0] != a || p.Targets[1] != b {
		t.Errorf("got  %+v\nwant %+v", p.Targets, []target.Target{a, b})
	}
	_, problems := load(t, env, files)
	for _, key := range []string{"MATOMO_HTTP_AUTH", "MATOMO_HEADERS", "TLS_CERT_FILE"} {
		if want := key + ": is ignored; the targets come from " +
			"/x/targets.json"; !strings.Contains(problems.Warnings().Error(), want) {
			t.Errorf("the warnings lack %q:\n%v", want, problems)
		}
	}
}

func TestPathInAnEnvFileIsRelativeToIt(t *testing.T) {
	t.Parallel()
	fs := afero.NewMemMapFs()
	given, want := "TLS_KEY_FILE=/abs/k.pem\nTLS_CERT_FILE=\nRUN_ID=tls\n",
		set{"TLS_KEY_FILE": "/abs/k.pem", "TLS_CERT_FILE": "", "RUN_ID": "tls"}
	for _, key := range []string{
		"TLS_CA_FILE", "URLS_FILE", "FUNNEL_CONFIG_PATH", "EXCHANGE_DIR", "STATE_DIR", "SUMMARY_FILE",
		"MATOMO_TOKEN_AUTH_FILE", "MATOMO_READ_TOKEN_FILE", "MATOMO_HTTP_AUTH_FILE", "MATOMO_HEADERS_FILE",
		"PROXY_URL_FILE", "MULTI_TARGET_CONFIG_FILE",
	} {
		given += key + "=in/x\n"
		want[key] = "/conf/in/x"
	}
	if err := afero.WriteFile(fs, "/conf/loadgen.env", []byte(given), 0o600); err != nil {
		t.Fatal(err)
	}
	environ := set{"LOADGEN_ENV_FILE": "/conf/loadgen.env", "TLS_CERT_FILE": "c.pem",
		"MATOMO_TOKEN_AUTH": "of the environment"}
	got, _, problems := plan.MergeEnv(fs, environ)
	want["LOADGEN_ENV_FILE"] = "/conf/loadgen.env"
	if problems.Err() != nil || !maps.Equal(got, want) {
		t.Errorf("%v\ngot  %v\nwant %v", problems, got, want)
	}
}

func TestUnusableFilesRejectTheRun(t *testing.T) {
	t.Parallel()
	files := certificates(t)
	files["other.pem"] = certificates(t)["k.pem"]
	const one = `{"targets":[{"name":"a","url":"https://a.test","site_id":1,"tls_ca_file":"none.pem"}]}`
	for _, c := range []struct {
		env  set
		want string
	}{
		{set{"TLS_CA_FILE": "/x/none.pem"},
			`TLS_CA_FILE="/x/none.pem": cannot be read; use a readable PEM file`},
		{set{"TLS_CA_FILE": "/x/k.pem"},
			`TLS_CA_FILE="/x/k.pem": contains no PEM certificate; use a file with -----BEGIN CERTIFICATE-----`},
		{set{"TLS_CERT_FILE": "/x/c.pem"},
			`TLS_CERT_FILE="/x/c.pem": does not contain a PEM certificate and its private key; set TLS_KEY_FILE to the key's file`},
		{set{"TLS_CERT_FILE": "/x/c.pem", "TLS_KEY_FILE": "/x/other.pem"},
			`TLS_CERT_FILE="/x/c.pem": is not a PEM certificate for the key in /x/other.pem; use a certificate and key that match`},
		{set{"TLS_KEY_FILE": "/x/k.pem"},
			`TLS_KEY_FILE: is set without TLS_CERT_FILE; set TLS_CERT_FILE too`},
		{set{"MULTI_TARGET_CONFIG": one},
			`MULTI_TARGET_CONFIG: targets[0].tls_ca_file="none.pem": cannot be read; use a readable PEM file`},
	} {
		if p, problems := load(t, c.env, files); p != nil || problems.Err() == nil || problems.Err().Error() != c.want {
			t.Errorf("%v\ngot  %v\nwant %s", c.env, problems.Err(), c.want)
		}
	}
}

func TestPasswordInAURLIsNotShown(t *testing.T) {
	t.Parallel()
	for _, env := range []set{
		{"MATOMO_URL": "load:s3cret@host/matomo.php"}, {"MATOMO_URL": "https://load:s3%cret@host/"},
		{"MATOMO_API_URL": "load:s3cret@host"},
		{"PROXY_URL": "load:s3cret@host:3128"}, {"MATOMO_HTTP_AUTH": "s3cret"}, {"MATOMO_HEADERS": "s3cret"},
	} {
		p, problems := load(t, env, nil)
		if p != nil || problems.Err() == nil || strings.Contains(problems.Error(), "3cret") ||
			strings.Contains(problems.Error(), "3%cret") {
			t.Errorf("%v: %v", env, problems)
		}
	}
	env := set{"MATOMO_URL": "https://load:s3cret@host/"}
	if all := strings.Join(good(t, env, nil).Changed(), "\n"); strings.Contains(all, "s3cret") ||
		!strings.Contains(all, "host") {
		t.Error(all)
	}
}
