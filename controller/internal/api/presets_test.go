package api_test

import (
	"strings"
	"testing"
)

func TestAPresetMayHoldTargets(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const one = `{"name":"a","url":"https://m.example.test/","site_id":1,"weight":1,"enabled":true%s}`
	ask := func(name, targets string) (int, string) {
		got := f.ask("POST", "/api/presets", `{"name":"`+name+`","config":{},"targets":`+targets+`}`)
		return got.Code, got.Body.String()
	}
	whole := func(more string) string {
		return `{"mode":"multi","distribution_strategy":"weighted","targets":[` +
			strings.Replace(one, "%s", more, 1) + `]}`
	}
	if code, said := ask("with", whole("")); code != 201 ||
		!strings.Contains(said, `"url":"https://m.example.test/matomo.php"`) {
		t.Errorf("%d %s", code, said)
	}
	if code, said := ask("without", "null"); code != 201 {
		t.Errorf("%d %s", code, said)
	}
	short := strings.Replace(whole(""), `,"weight":1,"enabled":true`, "", 1)
	if code, said := ask("defaults", short); code != 201 || !strings.Contains(said, `"weight":1,"enabled":true`) {
		t.Errorf("%d %s", code, said)
	}
	off := strings.Replace(whole(""), `"weight":1,"enabled":true`, `"weight":3,"enabled":false`, 1)
	if code, said := ask("off", strings.Replace(off, "multi", "single", 1)); code != 201 ||
		!strings.Contains(said, `"weight":3,"enabled":false`) {
		t.Errorf("%d %s", code, said)
	}
	if code, said := ask("no weight", strings.Replace(whole(""), `"weight":1`, `"weight":0`, 1)); code != 422 ||
		!strings.Contains(said, "weight") {
		t.Errorf("%d %s", code, said)
	}
	for name, targets := range map[string]string{
		"secret": whole(`,"token_auth":"0123456789abcdef0123456789abcdef"`), "no object": `"a"`,
		"no strategy": `{"mode":"multi","targets":[]}`, "number": "7",
	} {
		if code, said := ask(name, targets); code != 422 {
			t.Errorf("%s: %d %s", name, code, said)
		}
	}
}
