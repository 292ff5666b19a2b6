package setup_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/setup"
	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/secret"
)

const (
	url   = "https://matomo.test/matomo.php"
	token = "0123456789abcdef0123456789abcdef"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newLibrary is a library on a fresh database, with the presets that come with the program.
func newLibrary(t *testing.T) *setup.Service {
	t.Helper()
	// Every change is a second later, so that their order is certain.
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { now = now.Add(time.Second); return now }
	s, err := store.Open(t.Context(), afero.NewOsFs(), filepath.Join(t.TempDir(), "db"), store.Key{1}, clock)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return setup.New(s, unseen(), afero.NewOsFs(), "../../../presets", t.TempDir())
}

// refused asserts that err lists exactly the places given.
func refused(t *testing.T, err error, places ...string) {
	t.Helper()
	var problems problem.List
	if !errors.As(err, &problems) {
		t.Errorf("want faults at %v, got %v", places, err)
		return
	}
	var got []string
	for _, p := range problems {
		got = append(got, p.Where)
	}
	if !slices.Equal(got, places) {
		t.Errorf("faults at %q, want %q:\n%v", got, places, problems)
	}
	if strings.Contains(err.Error(), token) {
		t.Errorf("the token is told: %v", err)
	}
}

func TestAConfigurationIsTyped(t *testing.T) {
	l := newLibrary(t)
	var values map[string]any
	must(t, json.Unmarshal([]byte(`{"matomo_url":"`+url+
		`","CONCURRENCY":"7","target_visits_per_day":1e6,"RANDOMIZE_VISITOR_COUNTRIES":"no",
		"ECOMMERCE_SHIPPING_RATES":[0,4.5],"LOG_LEVEL":"debug","PAUSE_BETWEEN_PVS_MIN":"1s","RUN_SEED":9007199254740991,"PAGEVIEWS_MAX":null}`), &values))
	c, err := l.SaveConfig(t.Context(), values, 0)
	must(t, err)
	for key, want := range map[string]string{
		"MATOMO_URL": `"` + url + `"`, "CONCURRENCY": "7", "TARGET_VISITS_PER_DAY": "1000000",
		"RANDOMIZE_VISITOR_COUNTRIES": "false",
		"ECOMMERCE_SHIPPING_RATES":    "[0,4.5]", "LOG_LEVEL": `"DEBUG"`, "PAUSE_BETWEEN_PVS_MIN": "1",
		"RUN_SEED":      "9007199254740991",
		"PAGEVIEWS_MAX": "6", "MATOMO_TOKEN_AUTH": `""`,
	} {
		if got, _ := json.Marshal(c.Values[key]); string(got) != want {
			t.Errorf("%s is %s, want %s", key, got, want)
		}
	}
	if len(c.Values) != len(setup.Fields()) || slices.Contains(c.Set, "PAGEVIEWS_MAX") ||
		!slices.Contains(c.Set, "CONCURRENCY") {
		t.Errorf("%d values, set are %v", len(c.Values), c.Set)
	}
	again, err := l.Config(t.Context())
	if err != nil || fmt.Sprint(again.Values) != fmt.Sprint(c.Values) {
		t.Errorf("read again it is %v, %v", again.Values, err)
	}
}

func TestAllFaultsOfAConfigurationAreNamed(t *testing.T) {
	l := newLibrary(t)
	_, err := l.SaveConfig(t.Context(), map[string]any{
		"concurency": 1.0, "MULTI_TARGET_CONFIG": "{}", "AUTO_START": true, "CONCURRENCY": 0.0, "PAGEVIEWS_MIN": 9.0,
		"TIMEZONE":   []any{map[string]any{}},
		"MATOMO_URL": "https://user:pass@matomo.test/matomo.php?idsite=1", "MATOMO_TOKEN_AUTH": "x" + secret.Mask,
		"RUN_ID": "a\nb",
	}, 0)
	refused(t, err, "AUTO_START", "MATOMO_TOKEN_AUTH", "MULTI_TARGET_CONFIG", "RUN_ID", "TIMEZONE", "concurency",
		"CONCURRENCY", "MATOMO_URL", "PAGEVIEWS_MIN")
	if strings.Contains(err.Error(), "pass@") {
		t.Errorf("a password is told: %v", err)
	}
	if c, err := l.Config(t.Context()); err != nil || c.Revision != 1 {
		t.Errorf("something was saved: %+v, %v", c, err)
	}
}

func TestAMaskedSecretStaysAndAnEmptyOneGoes(t *testing.T) {
	l := newLibrary(t)
	save := func(values map[string]any) any {
		c, err := l.SaveConfig(t.Context(), values, 0)
		must(t, err)
		if text, err := json.Marshal(c); err != nil || strings.Contains(string(text), token) {
			t.Errorf("the token is told: %s, %v", text, err)
		}
		v, ok := c.Values["MATOMO_TOKEN_AUTH"].(secret.String)
		if !ok {
			t.Fatalf("the token is a %T", c.Values["MATOMO_TOKEN_AUTH"])
		}
		return v.Reveal()
	}
	for _, step := range []struct {
		name   string
		values map[string]any
		want   string
	}{
		{"given", map[string]any{"MATOMO_TOKEN_AUTH": token}, token},
		{"masked", map[string]any{"MATOMO_TOKEN_AUTH": secret.Mask}, token},
		{"left out", map[string]any{"CONCURRENCY": 5.0}, token},
		{"empty", map[string]any{"MATOMO_TOKEN_AUTH": ""}, ""},
		{"masked without one", map[string]any{"MATOMO_TOKEN_AUTH": secret.Mask}, ""},
	} {
		if got := save(step.values); got != step.want {
			t.Errorf("%s: %q is saved", step.name, got)
		}
	}
}

func TestASavedTokenDoesNotFollowToAnotherAddress(t *testing.T) {
	l := newLibrary(t)
	const other = "https://other.test/matomo.php"
	_, err := l.SaveConfig(t.Context(),
		map[string]any{"MATOMO_URL": url, "MATOMO_TOKEN_AUTH": token, "MATOMO_READ_TOKEN": token}, 0)
	must(t, err)
	for name, values := range map[string]map[string]any{
		"masked":   {"MATOMO_URL": other, "MATOMO_TOKEN_AUTH": secret.Mask, "matomo_read_token": secret.Mask},
		"left out": {"MATOMO_URL": other},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := l.SaveConfig(t.Context(), values, 0)
			refused(t, err, "MATOMO_TOKEN_AUTH", "MATOMO_READ_TOKEN")
			_, err = l.MergeConfig(t.Context(), values, 0)
			refused(t, err, "MATOMO_TOKEN_AUTH", "MATOMO_READ_TOKEN")
			_, err = l.Start(t.Context(), values, drawn)
			refused(t, err, "MATOMO_TOKEN_AUTH", "MATOMO_READ_TOKEN")
			problems, err := l.ValidateConfig(t.Context(), values)
			must(t, err)
			refused(t, problems.Err(), "MATOMO_TOKEN_AUTH", "MATOMO_READ_TOKEN")
			if _, _, err := l.Draft(t.Context(), values, nil); err != nil {
				t.Errorf("a preview sends nothing: %v", err)
			}
		})
	}
	// Nor in two steps.
	_, err = l.SaveConfig(t.Context(), map[string]any{"MATOMO_TOKEN_AUTH": secret.Mask}, 0)
	must(t, err)
	_, err = l.SaveConfig(t.Context(),
		map[string]any{"MATOMO_URL": other, "MATOMO_TOKEN_AUTH": secret.Mask, "MATOMO_READ_TOKEN": ""}, 0)
	refused(t, err, "MATOMO_TOKEN_AUTH")
	c, err := l.SaveConfig(t.Context(),
		map[string]any{"MATOMO_URL": other, "MATOMO_TOKEN_AUTH": "", "MATOMO_READ_TOKEN": "reads"}, 0)
	if err != nil || c.Values["MATOMO_READ_TOKEN"] != secret.String("reads") {
		t.Errorf("tokens that are given go along: %+v, %v", c.Values, err)
	}
}

func TestTheSecondOfTwoEditorsIsTold(t *testing.T) {
	l := newLibrary(t)
	c, err := l.SaveConfig(t.Context(), map[string]any{"CONCURRENCY": 5.0}, 1)
	must(t, err)
	if _, err := l.SaveConfig(t.Context(), map[string]any{"CONCURRENCY": 6.0}, 1); !errors.Is(err, setup.ErrStale) {
		t.Errorf("got %v", err)
	}
	if c, err = l.MergeConfig(t.Context(), map[string]any{"PAGEVIEWS_MAX": 8.0}, c.Revision); err != nil ||
		c.Revision != 3 || c.Values["CONCURRENCY"] != 5 {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestACheckSavesNothingAndTellsWarnings(t *testing.T) {
	l := newLibrary(t)
	problems, err := l.ValidateConfig(t.Context(), map[string]any{"CONCURRENCY": 0.0})
	must(t, err)
	refused(t, problems.Errors(), "CONCURRENCY", "MATOMO_URL")
	problems, err = l.ValidateConfig(t.Context(), map[string]any{"MATOMO_URL": url})
	must(t, err)
	refused(t, problems, "AUTO_STOP_AFTER_HOURS")
	if problems.Err() != nil {
		t.Errorf("warnings are no errors: %v", problems)
	}
}

func TestAPresetNeverTouchesTheTarget(t *testing.T) {
	l := newLibrary(t)
	_, err := l.SaveConfig(t.Context(),
		map[string]any{"MATOMO_URL": url, "MATOMO_SITE_ID": 4.0, "MATOMO_TOKEN_AUTH": token, "CONCURRENCY": 3.0}, 0)
	must(t, err)
	name := "Mine"
	p, err := l.CreatePreset(t.Context(), setup.PresetInput{Name: &name, Values: map[string]any{
		"MATOMO_URL": "https://other.test/matomo.php", "matomo_site_id": 9.0, "MATOMO_TOKEN_AUTH": token,
		"CONCURRENCY": 70.0, "RUN_ID": "x",
	}})
	must(t, err)
	if len(p.Values) != 1 || p.Values["CONCURRENCY"] != 70 {
		t.Errorf("the preset holds %v", p.Values)
	}
	for preset, concurrency := range map[string]int{fmt.Sprint(p.ID): 70, "light": 10, "extreme": 300} {
		c, err := l.LoadPreset(t.Context(), preset, 0)
		if err != nil || c.Values["CONCURRENCY"] != concurrency || c.Values["MATOMO_URL"] != url ||
			c.Values["MATOMO_SITE_ID"] != 4 || c.Values["MATOMO_TOKEN_AUTH"] != secret.String(token) {
			t.Errorf("%s: %v, %v", preset, c.Values, err)
		}
	}
	for _, missing := range []string{"77", "none", "../.env.light"} {
		if _, err := l.LoadPreset(t.Context(), missing, 0); !errors.Is(err, setup.ErrNotFound) {
			t.Errorf("%s: %v", missing, err)
		}
	}
}

func TestPresetsHaveRules(t *testing.T) {
	l := newLibrary(t)
	name, long, empty := "Mine", strings.Repeat("é", 501), " "
	_, err := l.CreatePreset(t.Context(),
		setup.PresetInput{Name: &empty, Description: &long, Values: map[string]any{"CONCURRENCY": 0.0, "X": 1.0}})
	refused(t, err, "name", "description", "X", "CONCURRENCY")
	p, err := l.CreatePreset(t.Context(), setup.PresetInput{Name: &name})
	must(t, err)
	if _, err := l.CreatePreset(t.Context(), setup.PresetInput{Name: &name}); !errors.Is(err, setup.ErrNameTaken) {
		t.Errorf("got %v", err)
	}
	text, cleared := "words", ""
	_, err = l.UpdatePreset(t.Context(), p.ID, setup.PresetInput{Description: &text})
	must(t, err)
	if p, err = l.UpdatePreset(t.Context(), p.ID, setup.PresetInput{Description: &cleared}); err != nil ||
		p.Description != "" || p.Name != name || !p.Updated.After(p.Created) {
		t.Errorf("%+v, %v", p, err)
	}
	must(t, l.DeletePreset(t.Context(), p.ID))
	if list, err := l.Presets(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
}

func TestTheBuiltInPresetsAreTheFiles(t *testing.T) {
	list, faulty, err := newLibrary(t).BuiltInPresets()
	must(t, err)
	if len(faulty) > 0 {
		t.Errorf("faulty: %+v", faulty)
	}
	var names []string
	for _, p := range list {
		names = append(names, p.Name)
		if p.Description == "" || p.Values["TARGET_VISITS_PER_DAY"] == nil || p.Values["MATOMO_URL"] != nil {
			t.Errorf("%+v", p)
		}
	}
	if !slices.Equal(names, []string{"extreme", "heavy", "light", "medium"}) {
		t.Errorf("got %v", names)
	}
	if list, _, err := setup.New(nil, nil, afero.NewMemMapFs(), "/none", "").
		BuiltInPresets(); err != nil ||
		len(list) != 0 {
		t.Errorf("without a folder: %v, %v", list, err)
	}
}

const step = `{"type":"pageview","url":"https://a.test/"}`

func TestAPresetFileThatHoldsATokenIsNamed(t *testing.T) {
	fsys := afero.NewMemMapFs()
	for name, text := range map[string]string{".env.mine": "CONCURRENCY=7\nMATOMO_TOKEN_AUTH=" + token + "\n",
		".env.light": "MATOMO_TOKEN_AUTH=\nCONCURRENCY=7\n"} {
		must(t, afero.WriteFile(fsys, "/presets/"+name, []byte(text), 0o600))
	}
	l := setup.New(nil, unseen(), fsys, "/presets", "")
	if files, err := l.PresetsWithTokens(); err != nil || !slices.Equal(files, []string{"/presets/.env.mine"}) {
		t.Errorf("%v, %v", files, err)
	}
	presets, _, err := l.BuiltInPresets()
	must(t, err)
	if text, _ := json.Marshal(presets); len(presets) != 2 || strings.Contains(string(text), token) {
		t.Errorf("got %s", text)
	}
}

func TestAPresetFileWithFaultsIsNamedBesideTheOthers(t *testing.T) {
	fsys := afero.NewMemMapFs()
	for name, text := range map[string]string{
		".env.good":   "CONCURRENCY=7\nTRAFFICINATOR_UID=1000\nDOCKER_GID=999\nCONTROL_UI_API_KEY=\nCORS_ORIGINS=https://a.test\nMATOMO_TOKEN_AUTH_FILE=/run/x\nSTART_SIGNAL_FILE=/x\nBACKFILL_SEED=\n",
		".env.past":   "BACKFILL_ENABLED=true\nPAGEVIEW_MIN=3\n",
		".env.broken": "CONCURRENCY=1\nCONCURRENCY=2\n",
	} {
		must(t, afero.WriteFile(fsys, "/presets/"+name, []byte(text), 0o600))
	}
	l := setup.New(nil, unseen(), fsys, "/presets", "")
	good, faulty, err := l.BuiltInPresets()
	must(t, err)
	if len(good) != 1 || good[0].Name != "good" || len(good[0].Values) != 1 || good[0].Values["CONCURRENCY"] != 7 {
		t.Errorf("good: %+v", good)
	}
	if len(faulty) != 2 || faulty[0].File != ".env.broken" || faulty[1].File != ".env.past" {
		t.Fatalf("faulty: %+v", faulty)
	}
	if told := faulty[1].Errors.Error(); told != "BACKFILL_ENABLED: is not part of the saved configuration; start a "+
		"backfill with it\n"+
		"PAGEVIEW_MIN: is not a known setting; did you mean PAGEVIEWS_MIN?" {
		t.Error(told)
	}
	if _, err := l.LoadPreset(t.Context(), "broken", 0); err == nil || !strings.Contains(err.Error(), "CONCURRENCY") {
		t.Errorf("loading a faulty one: %v", err)
	}
}

func TestAFunnelIsSavedChangedInPartsAndRemoved(t *testing.T) {
	l := newLibrary(t)
	a, err := l.CreateFunnel(t.Context(),
		[]byte(`{"name":"A","description":"d","config":{"probability":0.5,"priority":1,"steps":[`+step+`]}}`))
	must(t, err)
	b, err := l.CreateFunnel(t.Context(), []byte(`{"name":"B","probability":0.5,"steps":[`+step+`]}`))
	must(t, err)
	list, err := l.Funnels(t.Context())
	must(t, err)
	if len(list) != 2 || list[0].ID != b.ID || list[0].Share != .5 || list[1].Share != .25 || !list[1].Config.Enabled ||
		!list[1].Config.ExitAfterCompletion {
		t.Errorf("%+v", list)
	}
	c, err := l.UpdateFunnel(t.Context(), a.ID, []byte(`{"description":"","config":{"enabled":false}}`))
	must(t, err)
	if c.Name != "A" || c.Description != "" || c.Config.Enabled || c.Config.Probability != .5 ||
		len(c.Config.Steps) != 1 || c.Share != 0 {
		t.Errorf("%+v", c)
	}
	if _, err := l.UpdateFunnel(t.Context(), a.ID, []byte(`{"name":"b"}`)); !errors.Is(err, setup.ErrNameTaken) {
		t.Errorf("got %v", err)
	}
	if _, err := l.UpdateFunnel(t.Context(), 99, []byte(`{}`)); !errors.Is(err, setup.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	must(t, l.DeleteFunnel(t.Context(), a.ID))
	if _, err := l.Funnel(t.Context(), a.ID); !errors.Is(err, setup.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestTheFaultsOfAFunnelNameItsFields(t *testing.T) {
	l := newLibrary(t)
	for body, places := range map[string][]string{
		`{"name":"","probability":2,"steps":[{"type":"event"}],"x":1}`: {"x", "name", "probability",
			"steps[0].event_category", "steps[0].event_action", "steps[0].event_name", "steps[0].type"},
		`[]`:              {"funnel"},
		`{"config":7}`:    {"config"},
		`{"name"`:         {"funnel"},
		`null`:            {"name", "probability", "steps"},
		`{"config":null}`: {"name", "probability", "steps"},
	} {
		_, err := l.CreateFunnel(t.Context(), []byte(body))
		refused(t, err, places...)
		refused(t, l.ValidateFunnel([]byte(body)).Errors(), places...)
	}
}
