package setup_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/controller/internal/setup"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/target"
	"github.com/puttrix/trafficinator/shared/testbed"
)

// reached is a target with every secret; its API is on another host.
const reached = `{"name":"T","url":"https://t.test/matomo.php","site_id":1,"api_url":"https://api.test/index.php","token_auth":"` + token + `",` +
	`"read_token":"reads","http_auth":"user:hush","headers":"X-Gate: hush","proxy_url":"http://p:hush@proxy.test:3128"}`

func secretsOf(t target.Target) []string {
	return []string{t.Token.Reveal(), t.ReadToken.Reveal(), t.HTTPAuth.Reveal(), t.Headers.Reveal(), t.Proxy.Reveal()}
}

var hush = []string{token, "reads", "user:hush", "X-Gate: hush", "http://p:hush@proxy.test:3128"}

// only is the one saved target as it is reached.
func only(t *testing.T, l *setup.Service) target.Target {
	t.Helper()
	all, err := l.SavedTargets(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatalf("%d targets: %v", len(all), err)
	}
	return all[0].Target
}

func TestEverySecretOfATargetStaysWithItsAddresses(t *testing.T) {
	l := newLibrary(t)
	saved, err := l.CreateTarget(t.Context(), []byte(reached))
	must(t, err)
	if text, err := json.Marshal(saved); err != nil || strings.Contains(string(text), "hush") ||
		strings.Count(string(text), secret.Mask) != 5 {
		t.Errorf("%s, %v", text, err)
	}
	const masks = `"token_auth":"***MASKED***","read_token":"***MASKED***","http_auth":"***MASKED***","headers":"***MASKED***"`
	for _, elsewhere := range []string{
		`"url":"https://t.test/other/matomo.php"`, `"api_url":"https://other.test/index.php"`, `"api_url":""`,
		`"proxy_url":"http://other.test:3128"`, `"proxy_url":""`,
	} {
		for _, body := range []string{"{" + elsewhere + "}", "{" + elsewhere + "," + masks + "}"} {
			_, err := l.UpdateTarget(t.Context(), saved.ID, []byte(body))
			refused(t, err, "token_auth", "read_token", "http_auth", "headers")
		}
	}
	for _, body := range []string{`{"weight":5}`, "{" + masks + `,"proxy_url":"***MASKED***"}`} {
		_, err := l.UpdateTarget(t.Context(), saved.ID, []byte(body))
		must(t, err)
		if got := secretsOf(only(t, l)); !slices.Equal(got, hush) {
			t.Errorf("%s: %q is left", body, got)
		}
	}
	// A proxy stays where a target moves, because its address and its password go to itself.
	_, err = l.UpdateTarget(t.Context(), saved.ID,
		[]byte(`{"url":"https://u:new@t2.test/","token_auth":"","read_token":"","headers":""}`))
	must(t, err)
	if got := only(t, l); got.URL != "https://t2.test/matomo.php" ||
		!slices.Equal(secretsOf(got), []string{"", "", "u:new", "", "http://p:hush@proxy.test:3128"}) {
		t.Errorf("%+q, %+v", secretsOf(got), got)
	}
}

func TestEverySecretOfTheConfigurationStaysWithItsAddresses(t *testing.T) {
	l := newLibrary(t)
	_, err := l.SaveConfig(t.Context(), map[string]any{
		"MATOMO_URL": "https://u:hush@matomo.test/", "MATOMO_API_URL": "https://api.test/index.php",
		"MATOMO_TOKEN_AUTH": token, "MATOMO_READ_TOKEN": "reads",
		"MATOMO_HEADERS": "X-Gate: hush\r\nX-Other: 1\n", "PROXY_URL": "http://p:hush@proxy.test:3128",
	}, 0)
	must(t, err)
	single, err := l.SingleTarget(t.Context())
	if err != nil || single.URL != url || single.HTTPAuth.Reveal() != "u:hush" ||
		single.Headers.Reveal() != "X-Gate: hush\nX-Other: 1" {
		t.Errorf("%+v, %v", single, err)
	}
	c, err := l.Config(t.Context())
	if text, err2 := json.Marshal(c); err != nil || err2 != nil || strings.Contains(string(text), "hush") {
		t.Errorf("%s, %v, %v", text, err, err2)
	}
	places := []string{"MATOMO_TOKEN_AUTH", "MATOMO_READ_TOKEN", "MATOMO_HTTP_AUTH", "MATOMO_HEADERS"}
	for key, v := range map[string]string{
		"MATOMO_URL": "https://other.test/matomo.php", "MATOMO_API_URL": "https://other.test/index.php",
		"PROXY_URL": "http://other.test:3128",
	} {
		_, err := l.MergeConfig(t.Context(), map[string]any{key: v}, 0)
		refused(t, err, places...)
		masked, problems, err := l.TargetWith(t.Context(), map[string]any{key: v, "MATOMO_TOKEN_AUTH": secret.Mask})
		must(t, err)
		refused(t, problems.Err(), "MATOMO_TOKEN_AUTH")
		if masked.Token+masked.ReadToken+masked.HTTPAuth+masked.Headers != "" {
			t.Errorf("a test with another %s asks with what is saved for another: %v", key, secretsOf(masked))
		}
	}
	_, err = l.MergeConfig(t.Context(), map[string]any{"MATOMO_URL": "https://new:hush2@matomo.test/"}, 0)
	must(t, err)
	if single, err := l.SingleTarget(t.Context()); err != nil || single.HTTPAuth.Reveal() != "new:hush2" ||
		single.Token != token {
		t.Errorf("another password for the same address: %v, %v", secretsOf(single), err)
	}
}

func TestAProxyForAllDoesNotGetTheSecretsOfSavedTargets(t *testing.T) {
	l := newLibrary(t)
	_, err := l.CreateTarget(t.Context(),
		[]byte(`{"name":"T","url":"https://t.test","site_id":1,"token_auth":"`+token+`"}`))
	must(t, err)
	_, err = l.MergeConfig(t.Context(), map[string]any{"PROXY_URL": "http://proxy.test:3128"}, 0)
	refused(t, err, "PROXY_URL")
	_, err = l.Start(t.Context(), map[string]any{"PROXY_URL": "http://proxy.test:3128"}, drawn)
	refused(t, err, "PROXY_URL")
	_, err = l.UpdateTarget(t.Context(), 1, []byte(`{"token_auth":""}`))
	must(t, err)
	_, err = l.MergeConfig(t.Context(), map[string]any{"PROXY_URL": "http://proxy.test:3128", "TLS_VERIFY": false}, 0)
	must(t, err)
	if got := only(t, l); got.Proxy.Reveal() != "http://proxy.test:3128" || !got.Insecure {
		t.Errorf("what is set for all is for this one too: %+v", got)
	}
}

func TestACertificateThatCannotBeUsedIsRefusedWhereItIsNamed(t *testing.T) {
	l, dir := newLibrary(t), t.TempDir()
	cert, _ := testbed.Certificate(t, dir, "one")
	_, other := testbed.Certificate(t, dir, "other")
	text := filepath.Join(dir, "text")
	must(t, os.WriteFile(text, []byte("hush"), 0o600))
	for _, c := range []struct{ ca, cert, key, at string }{
		{"/none.pem", "", "", "TLS_CA_FILE"}, {text, "", "", "TLS_CA_FILE"}, {other, "", "", "TLS_CA_FILE"},
		{dir, "", "", "TLS_CA_FILE"},
		{"", cert, other, "TLS_CERT_FILE"}, {"", cert, "", "TLS_CERT_FILE"}, {"", cert, "/none.key", "TLS_KEY_FILE"},
		{"relative.pem", "", "", "TLS_CA_FILE"},
	} {
		values := map[string]any{"MATOMO_URL": url, "TLS_CA_FILE": c.ca, "TLS_CERT_FILE": c.cert, "TLS_KEY_FILE": c.key}
		_, err := l.SaveConfig(t.Context(), values, 0)
		refused(t, err, c.at)
		problems, err := l.ValidateConfig(t.Context(), values)
		must(t, err)
		refused(t, problems.Errors(), c.at)
		_, problems, err = l.TargetWith(t.Context(), values)
		must(t, err)
		refused(t, problems, c.at)
		fields := fmt.Sprintf(
			`"name":"T","url":"https://t.test","site_id":1,"tls_ca_file":%q,"tls_cert_file":%q,"tls_key_file":%q`, c.ca,
			c.cert, c.key)
		_, err = l.CreateTarget(t.Context(), []byte("{"+fields+"}"))
		refused(t, err, strings.ToLower(c.at))
		refused(t, l.Import(t.Context(), []byte(`{"trafficinator_setup":1,"targets":[{`+fields+`}]}`)),
			"targets[0]."+strings.ToLower(c.at))
		fields += `,"weight":-1` // both faults are in one answer
		_, err = l.CreateTarget(t.Context(), []byte("{"+fields+"}"))
		refused(t, err, "weight", strings.ToLower(c.at))
		refused(t, l.Import(t.Context(), []byte(`{"trafficinator_setup":1,"targets":[{`+fields+`}]}`)),
			"targets[0]."+strings.ToLower(c.at), "targets[0].weight")
	}
}

// What a person gets with an editor: the file holds all secrets but the token to read with.
func TestAnImportOfTargetsKeepsWhatIsMaskedOrLeftOut(t *testing.T) {
	file := func(fields string) []byte {
		return []byte(
			`{"targets":[{"name":"t","url":"https://t.test/matomo.php","site_id":9,"api_url":"https://api.test/index.php"` + fields + `}]}`,
		)
	}
	const proxy = `,"proxy_url":"http://p:hush@proxy.test:3128"`
	for name, fields := range map[string]string{
		"left out": "", "as published": `,"token_auth":"` + token +
			`","http_auth":"user:hush","headers":"X-Gate: hush"` + proxy,
		"masked": `,"token_auth":"***MASKED***","read_token":"***MASKED***","http_auth":"***MASKED***","headers":"***MASKED***","proxy_url":"***MASKED***"`,
	} {
		l := newLibrary(t)
		_, err := l.CreateTarget(t.Context(), []byte(reached))
		must(t, err)
		must(t, setup.ImportFile(l, t.Context(), "/x", exchange.TargetsFile, file(fields)))
		if got := only(t, l); !slices.Equal(secretsOf(got), hush) || got.SiteID != 9 {
			t.Errorf("%s: %q is left of %+v", name, secretsOf(got), got)
		}
		must(t, setup.ImportFile(l, t.Context(), "/x", exchange.TargetsFile, file(`,"token_auth":"","headers":""`)))
		if got := only(t, l); got.Token+got.Headers != "" || got.ReadToken != "reads" {
			t.Errorf("%s: what is emptied goes: %q", name, secretsOf(got))
		}
	}
	l := newLibrary(t)
	_, err := l.CreateTarget(t.Context(), []byte(reached))
	must(t, err)
	moved := func(fields string) []byte {
		return []byte(strings.Replace(string(file(fields+proxy)), "https://t.test", "https://other.test", 1))
	}
	refused(t, setup.ImportFile(l, t.Context(), "/x", exchange.TargetsFile, moved(`,"http_auth":"***MASKED***"`)),
		"targets.json: targets[0].http_auth")
	refused(t, setup.ImportFile(l, t.Context(), "/x", exchange.TargetsFile,
		[]byte(`{"targets":[{"name":"new","url":"https://a.test/","site_id":1,"token_auth":"***MASKED***"}]}`)),
		"targets.json: targets[0].token_auth")
	must(t, setup.ImportFile(l, t.Context(), "/x", exchange.TargetsFile, moved("")))
	if got := only(t, l); got.URL != "https://other.test/matomo.php" ||
		got.Token+got.ReadToken+got.HTTPAuth+got.Headers != "" {
		t.Errorf("nothing follows to another address: %q", secretsOf(got))
	}
}

func TestAnImportOfASetUpKeepsEverySecretOfTheSameAddresses(t *testing.T) {
	l := newLibrary(t)
	_, err := l.SaveConfig(t.Context(), map[string]any{
		"MATOMO_URL": url, "MATOMO_API_URL": "https://api.test/index.php", "MATOMO_TOKEN_AUTH": token,
		"MATOMO_READ_TOKEN": "reads", "MATOMO_HTTP_AUTH": "user:hush",
		"MATOMO_HEADERS": "X-Gate: hush", "PROXY_URL": "http://p:hush@proxy.test:3128",
	}, 0)
	must(t, err)
	_, err = l.CreateTarget(t.Context(), []byte(reached))
	must(t, err)
	exported, err := l.Export(t.Context())
	must(t, err)
	text, err := json.Marshal(exported)
	must(t, err)
	if strings.Contains(string(text), "hush") ||
		!strings.Contains(string(text), `"api_url":"https://api.test/index.php"`) {
		t.Errorf("exported: %s", text)
	}
	must(t, l.Import(t.Context(), text))
	single, err := l.SingleTarget(t.Context())
	if got := only(t, l); err != nil || !slices.Equal(secretsOf(got), hush) || !slices.Equal(secretsOf(single), hush) {
		t.Errorf("%q, %q are left", secretsOf(got), secretsOf(single))
	}
	masked := strings.Replace(string(text), `"MATOMO_URL"`, `"matomo_token_auth":"***MASKED***","MATOMO_URL"`, 1)
	must(t, l.Import(t.Context(), []byte(masked)))
	moved := strings.ReplaceAll(masked, "https://api.test", "https://other.test")
	refused(t, l.Import(t.Context(), []byte(moved)), "MATOMO_TOKEN_AUTH")
	must(t, l.Import(t.Context(),
		[]byte(strings.ReplaceAll(string(text), "https://api.test", "https://other.test"))))
	single, err = l.SingleTarget(t.Context())
	if got := only(t, l); err != nil || got.Token+got.ReadToken+got.HTTPAuth+got.Headers+single.Token+single.ReadToken+
		single.HTTPAuth+single.Headers != "" {
		t.Errorf("%q, %q follow to another address", secretsOf(got), secretsOf(single))
	}
}
