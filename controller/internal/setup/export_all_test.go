package setup_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/controller/internal/setup"
	"github.com/puttrix/trafficinator/controller/internal/stored"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/target"
)

// whole is a library with one of everything.
func whole(t *testing.T) *setup.Service {
	l, name := newLibrary(t), "Mine"
	_, err := l.SaveConfig(t.Context(),
		map[string]any{"MATOMO_URL": url, "MATOMO_TOKEN_AUTH": token, "CONCURRENCY": 9.0}, 0)
	must(t, err)
	_, err = l.CreatePreset(t.Context(), setup.PresetInput{Name: &name, Values: map[string]any{"CONCURRENCY": 70.0}})
	must(t, err)
	_, err = l.CreateFunnel(t.Context(), []byte(`{"name":"A","probability":0.5,"steps":[`+step+`]}`))
	must(t, err)
	_, err = l.SaveURLs(t.Context(), []byte("https://a.test/\n"))
	must(t, err)
	_, err = l.SaveEvents(t.Context(), []byte(`{"click_events":[{"category":"c","action":"a","name":"n"}]}`))
	must(t, err)
	_, err = l.CreateTarget(t.Context(),
		[]byte(`{"name":"T","url":"https://t.test","site_id":1,"token_auth":"`+token+`"}`))
	must(t, err)
	must(t, l.SaveRouting(t.Context(), stored.Routing{Mode: stored.Multi, Strategy: target.Weighted}))
	return l
}

func TestASetUpMovesAsOneFileWithoutTokens(t *testing.T) {
	from, to := whole(t), newLibrary(t)
	exported, err := from.Export(t.Context())
	must(t, err)
	text, err := json.Marshal(exported)
	must(t, err)
	if strings.Contains(string(text), token) || strings.Contains(string(text), secret.Mask) {
		t.Errorf("a token is in it: %s", text)
	}
	for name, l := range map[string]*setup.Service{"another controller": to, "the same one": from} {
		must(t, l.Import(t.Context(), text))
		again, err := l.Export(t.Context())
		must(t, err)
		if got, _ := json.Marshal(again); string(got) != string(text) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, text)
		}
	}
	targets, _, err := from.Targets(t.Context())
	if c, err2 := from.Config(t.Context()); err != nil || err2 != nil || targets[0].Token != token ||
		c.Values["MATOMO_TOKEN_AUTH"] != secret.String(token) {
		t.Errorf("the tokens are lost on the same controller: %+v, %v, %v", targets, err, err2)
	}
	targets, _, err = to.Targets(t.Context())
	if err != nil || targets[0].Token != "" {
		t.Errorf("%+v, %v", targets, err)
	}
}

func TestAFaultySetUpChangesNothing(t *testing.T) {
	l := whole(t)
	before, err := l.Export(t.Context())
	must(t, err)
	refused(t, l.Import(
		t.Context(),
		[]byte(
			`{"trafficinator_setup":1,"config":{"CONCURRENCY":0},"presets":[{"name":""},{"name":"a"},{"name":"A"}],"funnels":[{"name":"f"}],
		"urls":"x","events":{},"targets":[{"name":"t"},null,[]],"mode":"multi","distribution_strategy":"best"}`,
		),
	),
		"CONCURRENCY", "presets[0].name", "presets[2].name", "funnels[0].probability", "funnels[0].steps",
		"targets[0].site_id", "targets[0].url", "targets[1]", "targets[2]",
		"distribution_strategy", "events", "urls.txt line 1")
	refused(t, l.Import(t.Context(), []byte(`{"config":{}}`)), "trafficinator_setup")
	refused(t, l.Import(t.Context(), []byte(`{`)), "setup")
	after, err := l.Export(t.Context())
	must(t, err)
	if fmt.Sprint(after) == "" || fmt.Sprint(after.Config) != fmt.Sprint(before.Config) || len(after.Presets) != 1 ||
		*after.URLs != *before.URLs {
		t.Errorf("got %+v", after)
	}
}
