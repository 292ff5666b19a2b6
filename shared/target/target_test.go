package target_test

import (
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/shared/target"
)

func TestEachBadSetHasItsMessage(t *testing.T) {
	of := func(targets string) string { return `{"targets":[` + targets + `]}` }
	const good = `{"name":"a","url":"https://a.test/matomo.php","site_id":1}`
	for name, c := range map[string]struct{ in, want string }{
		"no JSON":          {"{", "targets.json: line 1: is not JSON: unexpected EOF; mend it there"},
		"no target":        {of(""), "targets.json: targets: holds no enabled target; add one or enable one"},
		"none enabled":     {of(`{"name":"a","url":"https://a.test/matomo.php","site_id":1,"enabled":false}`), "targets.json: targets: holds no enabled target; add one or enable one"},
		"the same name":    {of(good + "," + strings.Replace(good, `"a"`, `"A"`, 1)), `targets.json: [1].name="A": is the name of another target too; give each its own`},
		"no site":          {of(`{"name":"a","url":"https://a.test/matomo.php"}`), "targets.json: targets[0].site_id: is missing; give the number of the site in Matomo"},
		"site 0":           {of(strings.Replace(good, ":1}", ":0}", 1)), `targets.json: targets[0].site_id="0": is below 1; give the number of the site in Matomo`},
		"weight 101":       {of(strings.Replace(good, "1}", `1,"weight":101}`, 1)), `targets.json: targets[0].weight="101": is not between 1 and 100; give a weight in that range`},
		"no address":       {of(strings.Replace(good, "https://a.test/matomo.php", "a.test", 1)), `targets.json: targets[0].url="a.test": is not an http or https address; write https://host/matomo.php`},
		"unknown strategy": {`{"targets":[` + good + `],"distribution_strategy":"all"}`, `targets.json: distribution_strategy="all": is not a strategy; use round-robin, weighted or random`},
		"unknown key":      {of(strings.Replace(good, "1}", `1,"token":"hush"}`, 1)), "targets.json: targets[0].token: is not a known key; use one of name, url, site_id, token_auth, weight, enabled"},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := target.Decode("targets.json", []byte(c.in))
			if err := problems.Err(); err == nil || strings.ReplaceAll(err.Error(), "targets[1].name", "[1].name") != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestDefaultsAndTheAddressOfTheTracker(t *testing.T) {
	s, problems := target.Decode("targets.json", []byte(`{"targets":[{"name":"a","url":"https://a.test/matomo/","site_id":1},{"name":"b","url":"https://b.test/piwik.php","site_id":2,"token_auth":"x"}]}`))
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	a, b := s.Targets[0], s.Targets[1]
	if a.URL != "https://a.test/matomo/matomo.php" || b.URL != "https://b.test/piwik.php" || a.Weight != 1 || !a.Enabled || s.Strategy != target.RoundRobin || b.Token.Reveal() != "x" || a.Token != "" {
		t.Errorf("%+v", s)
	}
}

func TestTheAddressOfATracker(t *testing.T) {
	for raw, want := range map[string]string{
		"https://a.test/matomo.php":       "",
		"http://127.0.0.1:8090/piwik.php": "",
		"https://a.test":                  "names no tracker such as matomo.php",
		"https://a.test/index":            "names no tracker such as matomo.php",
		"https://u:p@a.test/matomo.php":   "holds a user name or password",
		"https://a.test/matomo.php?x=1":   "has a query or fragment",
		"ftp://a.test/matomo.php":         "is not an http or https address",
		"matomo.php":                      "is not an http or https address",
	} {
		got := ""
		if err := target.CheckURL(raw); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", raw, got, want)
		}
	}
}
