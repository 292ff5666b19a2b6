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
