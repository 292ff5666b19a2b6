package api_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/shared/hit"
)

func TestAConnectionTestAsksTheSavedSiteUnlessAnotherIsNamed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	want := func(path, body string, site int) {
		t.Helper()
		if got := f.ask("POST", path, body); got.Code != 200 {
			t.Fatalf("%s %s: %d %s", path, body, got.Code, got.Body)
		}
		asked := f.doctor.asked[len(f.doctor.asked)-1]
		if asked.URL != "https://matomo.example.test/matomo.php" || asked.SiteID != site ||
			asked.Token.Reveal() != token {
			t.Errorf("%s %s: asked %+v, want site %d of the saved address with its token", path, body, asked, site)
		}
	}
	save := func(site string) {
		f.ask("PUT", "/api/config",
			`{"config":{"MATOMO_URL":"https://matomo.example.test/matomo.php","MATOMO_TOKEN_AUTH":"`+token+
				`"`+site+`}}`)
	}
	save("")
	want("/api/test-connection", `{}`, 1)
	want("/api/targets/test", `{}`, 1)
	save(`,"MATOMO_SITE_ID":7`)
	want("/api/test-connection", `{}`, 7)
	want("/api/targets/test", `{}`, 7)
	want("/api/test-connection", `{"site_id":3}`, 3)
}

func TestOnlyTheTargetsThatAreNamedAreTested(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, name := range []string{"one", "two", "three"} {
		f.ask("POST", "/api/targets",
			`{"name":"`+name+`","url":"https://`+name+`.example.test/matomo.php","site_id":1}`)
	}
	f.each(t, []quick{
		{"two of three", "POST", "/api/targets/test", `{"ids":[3,1]}`, nil, 200, is{"results.1.id": 3.}},
		{"one that is none", "POST", "/api/targets/test", `{"ids":[2,4]}`, nil, 404, "no resource has this id"},
	})
	if len(f.doctor.asked) != 2 {
		t.Errorf("asked %+v", f.doctor.asked)
	}
	if got := f.ask("POST", "/api/targets/test", `{"ids":[2]}`).object(t)["results"].([]any); len(got) != 1 ||
		got[0].(map[string]any)["name"] != "two" {
		t.Errorf("got %v", got)
	}
	f.each(t, []quick{{"none named is all", "POST", "/api/targets/test", `{"ids":[]}`, nil, 200,
		is{"results.0.id": 1.}}})
	if len(f.doctor.asked) != 6 {
		t.Errorf("asked %d times", len(f.doctor.asked))
	}
}

func TestMatomoIsComparedWithTheSettingsThatAreSavedAndThoseOfTheForm(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.ask("PUT", "/api/config",
		`{"config":{"MATOMO_URL":"https://matomo.example.test/matomo.php","MATOMO_TOKEN_AUTH":"`+token+
			`","MATOMO_READ_TOKEN":"`+token+`",`+
			`"TIMEZONE":"Europe/Berlin","ECOMMERCE_PROBABILITY":0,"RUN_DIMENSION":3,"SEND_MODE":"bulk","SITE_URL":"https://pages.example.test"}}`)
	for _, ask := range []string{"/api/test-connection", "/api/targets/test"} {
		f.ask("POST", ask, `{}`)
		e := f.doctor.expected[len(f.doctor.expected)-1]
		if e.Zone.String() != "Europe/Berlin" || e.Currency != "SEK" || !e.Sends[hit.Search] || e.Sends[hit.Order] ||
			!e.Bulk || e.Dimension != 3 || e.Past != nil || f.doctor.asked[len(f.doctor.asked)-1].Insecure {
			e.Pages = nil
			t.Errorf("%s: %+v", ask, e)
		}
		if len(e.Pages) == 0 || !strings.HasPrefix(e.Pages[0], "https://pages.example.test/") {
			t.Errorf("%s: %d pages", ask, len(e.Pages))
		}
		if f.doctor.asked[len(f.doctor.asked)-1].ReadToken.Reveal() != token {
			t.Errorf("%s: not asked with the token for reading", ask)
		}
	}
	got := f.ask("POST", "/api/test-connection",
		`{"config":{"TIMEZONE":"CET","CONCURRENCY":"rubbish","TLS_VERIFY":false}}`)
	if e := f.doctor.expected[len(f.doctor.expected)-1]; got.Code != 200 || e.Zone.String() != "CET" ||
		e.Dimension != 3 || !f.doctor.asked[len(f.doctor.asked)-1].Insecure {
		t.Errorf("%d %s: %s", got.Code, got.Body, e.Zone)
	}
	f.ask("POST", "/api/urls", `{"content":"https://own.example.test/a?b=c\n"}`)
	f.ask("POST", "/api/test-connection", `{"matomo_url":"https://other.example.test/matomo.php"}`)
	if e, to := f.doctor.expected[len(f.doctor.expected)-1], f.doctor.asked[len(f.doctor.asked)-1]; to.Token != "" ||
		to.ReadToken != "" || len(e.Pages) != 1 {
		t.Errorf("saved tokens went to another address: %+v, pages %v", to, e.Pages)
	}
	f.each(t, []quick{{"a mask for another address", "POST", "/api/test-connection",
		`{"matomo_url":"https://other.example.test/matomo.php","read_token":"***MASKED***"}`, nil, 422, "read_token"}})
}

func TestAProbeGoesToTheTargetThatIsMeant(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.ask("PUT", "/api/config",
		`{"config":{"MATOMO_URL":"https://matomo.example.test/matomo.php","MATOMO_TOKEN_AUTH":"`+token+`"}}`)
	f.ask("POST", "/api/targets", `{"name":"one","url":"https://one.example.test/matomo.php","site_id":4}`)
	f.each(t, []quick{
		{"the saved single one", "POST", "/api/targets/probe", `{}`, nil, 200, is{"lag_ms": 1500.}},
		{"a saved target", "POST", "/api/targets/probe", `{"id":1}`, nil, 200, is{"seen": true}},
		{"none", "POST", "/api/targets/probe", `{"id":9}`, nil, 404, "no resource has this id"},
		{"no address of a tracker", "POST", "/api/targets/probe", `{"matomo_url":"one.example.test"}`, nil, 422,
			"matomo_url"},
	})
	if p := f.doctor.probes; len(p) != 2 || p[0].Token.Reveal() != token || p[1].SiteID != 4 {
		t.Fatalf("probed %+v", p)
	}
	if got := f.ask("POST", "/api/targets/probe", `{}`); !strings.Contains(got.Body.String(),
		`"message":"the order is recorded as a page"`) {
		t.Errorf("what became of the hits is not told: %s", got.Body)
	}
	f.doctor.unseen = errors.New("was accepted, but is not visible")
	f.each(t, []quick{{"one that is lost", "POST", "/api/targets/probe", `{}`, nil, 200,
		is{"seen": false, "message": f.doctor.unseen.Error()}}})
}

func TestATokenOfAWrongFormIsRefusedWhereverItIsTyped(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const typed = "5e1f0ddba11c0ffee5e1f0ddba11c0ff"
	f.each(t, []quick{{"a target", "POST", "/api/targets",
		`{"name":"saved","url":"https://m.example.test/matomo.php","site_id":1}`, nil, 201, ""}})
	for name, wrong := range map[string]string{
		"a zero-width space": typed + "\u200b", "a second line": typed + "\n" + typed,
		"the parameter with it": "token_auth=" + typed,
		"quotes":                `"` + typed + `"`, "two words": "my " + typed,
		"3 MB": strings.Repeat(typed, 3<<20/len(typed)),
	} {
		value, err := json.Marshal(wrong)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"token_auth", "read_token"} {
			knob := map[string]string{"token_auth": "MATOMO_TOKEN_AUTH", "read_token": "MATOMO_READ_TOKEN"}[key]
			for _, ask := range [][3]string{
				{"PUT", "/api/config", `{"config":{"MATOMO_URL":"https://m.example.test/matomo.php","` +
					knob + `":%s}}`},
				{"POST", "/api/validate", `{"config":{"MATOMO_URL":"https://m.example.test/matomo.php","` +
					knob + `":%s}}`},
				{"POST", "/api/targets", `{"name":"new","url":"https://m.example.test/matomo.php","site_id":1,"` +
					key + `":%s}`},
				{"PUT", "/api/targets/1", `{"` + key + `":%s}`},
				{"POST", "/api/test-connection", `{"matomo_url":"https://m.example.test/matomo.php","` + key + `":%s}`},
			} {
				got := f.ask(ask[0], ask[1], strings.Replace(ask[2], "%s", string(value), 1))
				refused := got.Code == 422 || got.Code == 413 || strings.Contains(got.Body.String(), `"valid":false`)
				if !refused || strings.Contains(got.Body.String(), typed) {
					t.Errorf("%s as %s: %s %s answers %d %.200s", name, key, ask[0], ask[1], got.Code, got.Body)
				}
			}
		}
	}
	if len(f.doctor.asked) > 0 {
		t.Errorf("%d wrong tokens were tried", len(f.doctor.asked))
	}
}
