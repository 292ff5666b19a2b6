package setup_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/controller/internal/setup"
	"github.com/puttrix/trafficinator/controller/internal/stored"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/target"
)

func TestAPresetCarriesTargetsWithoutTokens(t *testing.T) {
	l := newLibrary(t)
	for _, body := range []string{
		`{"name":"kept","url":"https://kept.test","site_id":1,"token_auth":"` + token + `"}`,
		`{"name":"moved","url":"https://before.test","site_id":1,"token_auth":"` + token + `"}`,
		`{"name":"other","url":"https://other.test","site_id":1,"token_auth":"` + token + `"}`,
	} {
		_, err := l.CreateTarget(t.Context(), []byte(body))
		must(t, err)
	}
	name := "Servers"
	saved, err := l.CreatePreset(t.Context(), setup.PresetInput{
		Name:   &name,
		Values: map[string]any{"CONCURRENCY": 7.0, "MATOMO_URL": url, "matomo_token_auth": token},
		Targets: &stored.PresetTargets{
			Routing: stored.Routing{Mode: stored.Multi, Strategy: target.Weighted},
			Targets: []stored.PublicTarget{
				{Name: "Kept", URL: "https://kept.test", SiteID: 1, Weight: 3, Enabled: true},
				{Name: "moved", URL: "https://user:" + token + "@after.test", SiteID: 2, Weight: 1, Enabled: true},
				{Name: "new", URL: "https://new.test", SiteID: 3, Weight: 1, Enabled: false},
			},
		},
	})
	must(t, err)
	if !slices.Equal(saved.LeftOut, []string{"MATOMO_TOKEN_AUTH", "MATOMO_URL"}) {
		t.Errorf("it says that it left out %v", saved.LeftOut)
	}
	if text, err := json.Marshal(saved); err != nil || strings.Contains(string(text), token) {
		t.Errorf("it holds a secret: %s, %v", text, err)
	}
	c, err := l.LoadPreset(t.Context(), fmt.Sprint(saved.ID), 0)
	must(t, err)
	var needed []string
	for _, w := range c.Warnings {
		if w.Where == "targets" {
			needed = append(needed, w.Value)
		}
	}
	if !slices.Equal(needed, []string{"moved"}) || c.Values["CONCURRENCY"] != 7 {
		t.Errorf("a token is asked for %v: %v, %v", needed, c.Warnings, c.Values["CONCURRENCY"])
	}
	all, routing, err := l.Targets(t.Context())
	must(t, err)
	if routing != (stored.Routing{Mode: stored.Multi, Strategy: target.Weighted}) {
		t.Errorf("routing %+v", routing)
	}
	type seen struct {
		url     string
		token   secret.String
		enabled bool
	}
	got := map[string]seen{}
	for _, at := range all {
		got[at.Name] = seen{at.URL, at.Token, at.Enabled}
	}
	want := map[string]seen{
		"Kept":  {"https://kept.test/matomo.php", token, true},
		"moved": {"https://after.test/matomo.php", "", true},
		"new":   {"https://new.test/matomo.php", "", false},
		"other": {"https://other.test/matomo.php", token, false},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) || got["Kept"].token != token || got["other"].token != token {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestThePresetsTargetsHaveTheRulesOfTargets(t *testing.T) {
	l := newLibrary(t)
	name := "Mine"
	in := setup.PresetInput{Name: &name,
		Targets: &stored.PresetTargets{Routing: stored.Routing{Mode: stored.Multi}, Targets: []stored.PublicTarget{
			{Name: "one", URL: "nowhere", SiteID: 1, Weight: 1, Enabled: false},
		}}}
	_, err := l.CreatePreset(t.Context(), in)
	refused(t, err, "mode", "targets[0].url")
	in.Targets.Targets[0].URL, in.Targets.Mode = "https://one.test", stored.Single
	p, err := l.CreatePreset(t.Context(), in)
	must(t, err)
	if p, err = l.UpdatePreset(t.Context(), p.ID, setup.PresetInput{Name: &name}); err != nil || p.Targets == nil {
		t.Errorf("what is left out stays: %+v, %v", p, err)
	}
	whole, err := l.Export(t.Context())
	must(t, err)
	text, err := json.Marshal(whole)
	must(t, err)
	must(t, newLibrary(t).Import(t.Context(), text))
	must(t, l.Import(t.Context(), text))
	list, err := l.Presets(t.Context())
	if err != nil || len(list) != 1 || list[0].Targets == nil ||
		list[0].Targets.Targets[0].URL != "https://one.test/matomo.php" {
		t.Errorf("a set-up loses them: %+v, %v", list, err)
	}
	p, err = l.UpdatePreset(t.Context(), list[0].ID, setup.PresetInput{Targets: &stored.PresetTargets{}})
	if err != nil || p.Targets != nil {
		t.Errorf("an empty list removes them: %+v, %v", p, err)
	}
}
