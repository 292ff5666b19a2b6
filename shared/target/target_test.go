package target_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/shared/target"
)

func TestEachBadSetHasItsMessage(t *testing.T) {
	of := func(targets string) string { return `{"targets":[` + targets + `]}` }
	const good = `{"name":"a","url":"https://a.test/matomo.php","site_id":1}`
	for name, c := range map[string]struct{ in, want string }{
		"no JSON": {"{", "targets.json: line 1: is not valid JSON: unexpected EOF; fix the syntax"},
		"no target": {of(""),
			"targets.json: targets: has no enabled target; add or enable one"},
		"none enabled": {of(
			`{"name":"a","url":"https://a.test/matomo.php","site_id":1,"enabled":false}`),
			"targets.json: targets: has no enabled target; add or enable one"},
		"the same name": {of(good + "," + strings.Replace(good, `"a"`, `"A"`, 1)),
			`targets.json: targets[1].name="A": is used by another target; choose a unique name`},
		"0 bytes": {"", "targets.json: is empty; write JSON or remove the file"},
		"Latin-1": {of(strings.Replace(good, `"a"`, "\"\xe9\"", 1)),
			"targets.json: line 1: is not UTF-8; save the file as UTF-8"},
		"a blank name": {of(strings.Replace(good, `"a"`, `" "`, 1)),
			`targets.json: targets[0].name=" ": is empty or longer than 100 characters; choose a shorter name`},
		"only a port": {of(strings.Replace(good, "a.test", ":80", 1)),
			`targets.json: targets[0].url: is not an http or https URL; write https://host/matomo.php`},
		"two passwords": {of(strings.Replace(strings.Replace(good, "a.test", "u:hush@a.test", 1), "1}",
			`1,"http_auth":"u:other"}`, 1)),
			`targets.json: targets[0].url="https://xxxxx@a.test/matomo.php": contains a user and password that differ from http_auth; keep only one`},
		"a password without a scheme": {of(strings.Replace(good, "https://a.test", "load:hush@a.test", 1)),
			`targets.json: targets[0].url: is not an http or https URL; write https://host/matomo.php`},
		"a scheme without slashes": {of(strings.Replace(good, "https://a.test", "https:u:hush@a.test", 1)),
			`targets.json: targets[0].url: is not an http or https URL; write https://host/matomo.php`},
		"a token in a URL": {of(strings.Replace(good, "matomo.php", "?token_auth=hush", 1)),
			`targets.json: targets[0].url="https://a.test/": has a token in its query; write https://host/matomo.php`},
		"a number as token": {of(strings.Replace(good, "1}", `1,"token_auth":123456}`, 1)),
			`targets.json: targets[0].token_auth: is not a string; write "…"`},
		"a masked token": {of(strings.Replace(good, "1}", `1,"token_auth":"***MASKED***"}`, 1)),
			"targets.json: targets[0].token_auth: is masked; enter only the token as Matomo shows it: " +
				"32 letters and digits"},
		"a masked token to read with": {of(strings.Replace(good, "1}", `1,"read_token":"***MASKED***"}`, 1)),
			"targets.json: targets[0].read_token: is masked; enter only the token as Matomo shows it: " +
				"32 letters and digits"},
		"a site as text": {of(strings.Replace(good, ":1}", `:"1"}`, 1)),
			`targets.json: targets[0].site_id="1": is not a number; write a number without quotes`},
		"enabled as text": {of(strings.Replace(good, "1}", `1,"enabled":"yes"}`, 1)),
			"targets.json: targets[0].enabled=\"yes\": is not true or false; write true or false without " +
				"quotes\ntargets.json: targets: has no enabled target; add or enable one"},
		"duplicate key": {of(strings.Replace(good, "1}", `1,"site_id":2}`, 1)),
			"targets.json: targets[0].site_id: is a duplicate key; keep only one"},
		"all at once": {of(`{"name":"","url":"x","site_id":0,"weight":0}`),
			"targets.json: targets[0].name: is empty or longer than 100 characters; choose a shorter name\ntargets.json: " +
				"targets[0].site_id=\"0\": is below 1; enter the site's ID in Matomo\ntargets.json: " +
				"targets[0].weight=\"0\": is not between 1 and 100; use a weight in that range\ntargets.json: " +
				"targets[0].url: is not an http or https URL; write https://host/matomo.php"},
		"no site": {of(`{"name":"a","url":"https://a.test/matomo.php"}`),
			"targets.json: targets[0].site_id: is missing; enter the site's ID in Matomo"},
		"site 0": {of(strings.Replace(good, ":1}", ":0}", 1)),
			`targets.json: targets[0].site_id="0": is below 1; enter the site's ID in Matomo`},
		"weight 101": {of(strings.Replace(good, "1}", `1,"weight":101}`, 1)),
			`targets.json: targets[0].weight="101": is not between 1 and 100; use a weight in that range`},
		"no address": {of(strings.Replace(good, "https://a.test/matomo.php", "a.test", 1)),
			`targets.json: targets[0].url: is not an http or https URL; write https://host/matomo.php`},
		"unknown strategy": {`{"targets":[` + good + `],"distribution_strategy":"all"}`,
			`targets.json: distribution_strategy="all": is not a distribution strategy; use round-robin, weighted or random`},
		"unknown key": {of(strings.Replace(good, "1}", `1,"token":"hush"}`, 1)),
			"targets.json: targets[0].token: is not a known key; use one of name, url, site_id, token_auth, " +
				"read_token, weight, enabled, api_url, http_auth, headers, tls_ca_file, tls_cert_file, " +
				"tls_key_file, proxy_url"},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := target.Decode("targets.json", []byte(c.in))
			if err := problems.Err(); err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestDefaultsAndTheAddressOfTheTracker(t *testing.T) {
	s, problems := target.Decode(
		"targets.json",
		[]byte(
			`{"targets":[{"name":"a","url":"https://a.test/matomo/","site_id":1},{"name":"b","url":"https://b.test/piwik.php","site_id":2,"token_auth":"x"}]}`,
		),
	)
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	a, b := s.Targets[0], s.Targets[1]
	if a.URL != "https://a.test/matomo/matomo.php" || b.URL != "https://b.test/piwik.php" || a.Weight != 1 ||
		!a.Enabled || s.Strategy != target.RoundRobin || b.Token.Reveal() != "x" || a.Token != "" {
		t.Errorf("%+v", s)
	}
}

func TestSpacesAroundATokenAreNoPartOfIt(t *testing.T) {
	s, problems := target.Decode("targets",
		[]byte(`{"targets":[{"name":"a","url":"https://a.test/","site_id":1,"token_auth":" abc\n"}]}`))
	if problems.Err() != nil || s.Targets[0].Token.Reveal() != "abc" {
		t.Errorf("%v: %q", problems, s.Targets[0].Token.Reveal())
	}
}

func TestTheTokenToReadWithStaysOutOfTheFile(t *testing.T) {
	s, problems := target.Decode(
		"targets",
		[]byte(
			`{"targets":[{"name":"a","url":"https://a.test/","site_id":1,"token_auth":"sends","read_token":"reads"}]}`,
		),
	)
	data, err := target.Encode(s)
	if problems.Err() != nil || err != nil || strings.Contains(string(data), "read") ||
		!strings.Contains(string(data), "sends") {
		t.Errorf("%s, %v, %v", data, problems, err)
	}
	a := s.Targets[0]
	if a.APIToken() != "reads" {
		t.Errorf("reads with %q", a.APIToken().Reveal())
	}
	if a.ReadToken = ""; a.APIToken() != "sends" {
		t.Errorf("without one reads with %q", a.APIToken().Reveal())
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(
		[]byte(
			`{"targets":[{"name":"a","url":"https://a.test/m","site_id":1,"token_auth":"x"}],"distribution_strategy":"random"}`,
		),
	)
	f.Add(
		[]byte(
			`{"targets":[{"name":"a","url":"https://u:p@a.test/js/index.php?module=x","site_id":1,"http_auth":"u:p","headers":"A: b\nC:d","api_url":"https://a.test/matomo","proxy_url":"http://p:1"}]}`,
		),
	)
	f.Fuzz(func(t *testing.T, in []byte) {
		s, problems := target.Decode("targets.json", in)
		if problems.Err() != nil {
			return
		}
		data, err := target.Encode(s)
		if err != nil {
			t.Fatal(err)
		}
		again, problems := target.Decode("targets.json", data)
		if problems.Err() != nil || again.Strategy != s.Strategy || !slices.Equal(again.Targets, s.Targets) {
			t.Fatalf("%q becomes %s: %v", in, data, problems)
		}
	})
}

func TestTrackersOfOneMatomoHaveOneAPI(t *testing.T) {
	const want = "https://a.test/stats/index.php"
	for _, url := range []string{
		"https://a.test/stats/matomo.php", "https://a.test/stats/piwik.php", "HTTPS://A.test:443/stats/matomo.php",
		"https://a.test/stats/../stats//matomo.php",
	} {
		if got := (target.Target{URL: url}).API(); got != want {
			t.Errorf("%s: %s", url, got)
		}
	}
	for url, want := range map[string]string{
		"http://a.test:80/matomo.php":  "http://a.test/index.php",
		"http://a.test:443/matomo.php": "http://a.test:443/index.php", "": "",
		"https://[::1]:443/m/matomo.php": "https://[::1]/m/index.php",
	} {
		if got := (target.Target{URL: url}).API(); got != want {
			t.Errorf("%s: %s", url, got)
		}
	}
}
