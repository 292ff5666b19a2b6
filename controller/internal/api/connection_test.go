package api_test

import "testing"

func TestAConnectionTestAsksTheSavedSiteUnlessAnotherIsNamed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	want := func(path, body string, site int) {
		t.Helper()
		if got := f.ask("POST", path, body); got.Code != 200 {
			t.Fatalf("%s %s: %d %s", path, body, got.Code, got.Body)
		}
		asked := f.doctor.asked[len(f.doctor.asked)-1]
		if asked.URL != "https://matomo.example.test/matomo.php" || asked.SiteID != site || asked.Token.Reveal() != token {
			t.Errorf("%s %s: asked %+v, want site %d of the saved address with its token", path, body, asked, site)
		}
	}
	save := func(site string) {
		f.ask("PUT", "/api/config", `{"config":{"MATOMO_URL":"https://matomo.example.test/matomo.php","MATOMO_TOKEN_AUTH":"`+token+`"`+site+`}}`)
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
		f.ask("POST", "/api/targets", `{"name":"`+name+`","url":"https://`+name+`.example.test/matomo.php","site_id":1}`)
	}
	f.each(t, []quick{
		{"two of three", "POST", "/api/targets/test", `{"ids":[3,1]}`, nil, 200, `"id":3`},
		{"one that is none", "POST", "/api/targets/test", `{"ids":[2,4]}`, nil, 404, "number"},
	})
	if len(f.doctor.asked) != 2 {
		t.Errorf("asked %+v", f.doctor.asked)
	}
	if got := f.ask("POST", "/api/targets/test", `{"ids":[2]}`).object(t)["results"].([]any); len(got) != 1 || got[0].(map[string]any)["name"] != "two" {
		t.Errorf("got %v", got)
	}
	f.each(t, []quick{{"none named is all", "POST", "/api/targets/test", `{"ids":[]}`, nil, 200, `"id":1`}})
	if len(f.doctor.asked) != 6 {
		t.Errorf("asked %d times", len(f.doctor.asked))
	}
}
