package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/controller/internal/setup"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/spec"
)

func read(t *testing.T, path ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{"..", "..", "..", ".."}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestPageComposeFileAndInterfaceShowTheSettingsAsTheyAre(t *testing.T) {
	t.Parallel()
	for name, parts := range map[string][]part{
		"docs/configuration.md": {knobs, own}, "docker-compose.yml": {compose},
		"controller/web/src/text/settings.gen.ts": {web},
	} {
		page := read(t, name)
		for _, p := range parts {
			fresh, err := p.refresh(page)
			if err != nil {
				t.Fatal(err)
			}
			if fresh != page {
				t.Errorf("what %s says of the settings is stale; run make generate", name)
			}
		}
	}
}

func TestAPageWithoutMarkersIsRefused(t *testing.T) {
	t.Parallel()
	for _, page := range []string{"", knobs.begin, knobs.end + knobs.begin} {
		if _, err := knobs.refresh(page); err == nil {
			t.Errorf("refresh(%q) went through", page)
		}
	}
}

func TestTheFormHasANameForEverySettingThatItShows(t *testing.T) {
	t.Parallel()
	for _, f := range spec.Fields() {
		isThis := func(saved spec.Field) bool { return saved.Key == f.Key }
		shown := f.Group == spec.BackfillGroup && f.Key != "BACKFILL_ENABLED" ||
			slices.ContainsFunc(setup.Fields(), isThis)
		if shown != (f.Name != "") {
			t.Errorf("a form shows %s: %t; its name is %q", f.Key, shown, f.Name)
		}
	}
}

var presets = []string{"light", "medium", "heavy", "extreme"}

func preset(t *testing.T, name string) map[string]string {
	t.Helper()
	file := ".env." + name
	values, problems := exchange.ParseEnv(file, []byte(read(t, "presets", file)))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return values
}

func TestPresetsAreGoodSettingsThatLackOnlyAServer(t *testing.T) {
	t.Parallel()
	for _, name := range presets {
		values := preset(t, name)
		if url, token := values["MATOMO_URL"], values["MATOMO_TOKEN_AUTH"]; url != "" || token != "" {
			t.Errorf("%s names a server or a token: %q %q", name, url, token)
		}
		values["MATOMO_URL"] = "https://matomo.example.com/matomo.php"
		_, problems := spec.Parse(values, os.ReadFile)
		for _, p := range append(problems, spec.Unknown(name, values, problem.Error)...) {
			if p.Severity == problem.Error {
				t.Errorf("%s: %s", name, p)
			}
		}
	}
}

func TestThePageOfPresetsShowsTheirValues(t *testing.T) {
	t.Parallel()
	page := read(t, "presets", "README.md")
	columns := make([]map[string]string, len(presets))
	for i, name := range presets {
		columns[i] = preset(t, name)
	}
	for key := range columns[0] {
		if strings.HasPrefix(key, "MATOMO_") {
			continue
		}
		row := "| " + key
		for _, values := range columns {
			row += " | " + values[key]
		}
		if row += " |\n"; !strings.Contains(page, row) {
			t.Errorf("presets/README.md lacks the row %q", row)
		}
	}
}

// composed are the settings that docker-compose.yml hands on, with what it writes for each.
func composed(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^      ([A-Z_]+): (\S.*?)(?: # .*)?$`).FindAllStringSubmatch(read(t,
		"docker-compose.yml"), -1) {
		if m[1] != "BUILD" {
			out[m[1]] = m[2]
		}
	}
	return out
}

func TestComposeHandsOnEveryKnob(t *testing.T) {
	t.Parallel()
	settings := composed(t)
	// the image's, and the controller's
	others := []string{"EXCHANGE_DIR", "STATE_DIR", "MATOMO_READ_TOKEN", "LOADGEN_ENV_FILE", "START_ID"}
	for _, f := range spec.Fields() {
		key, want := f.Key, "${"+f.Key+":-}"
		switch {
		case slices.Contains(others, key):
			continue
		case key == "TELEMETRY_ADDR":
			want = "${TELEMETRY_ADDR:-:8010}"
		case f.Secret:
			key, want = key+spec.FileSuffix, "/run/secrets/"+strings.ToLower(key)
		}
		if got := settings[key]; got != want {
			t.Errorf("docker-compose.yml sets %s to %q, want %q", key, got, want)
		}
	}
	proxies := []string{"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"}
	for key := range settings {
		if !spec.IsKnown(key) && !slices.Contains(proxies, key) {
			t.Errorf("docker-compose.yml sets %s, which is no knob; nearest is %s", key, spec.Nearest(key))
		}
	}
}

// Who starts the loadgen by hand does not want the settings that a controller left in the folder they share.
func TestTheWebStackAloneReadsTheControllersSettings(t *testing.T) {
	t.Parallel()
	const key, file = "LOADGEN_ENV_FILE:", " /app/data/loadgen.env\n"
	if strings.Contains(read(t, "docker-compose.yml"), key) ||
		!strings.Contains(read(t, "docker-compose.webui.yml"), key+file) {
		t.Errorf("docker-compose.webui.yml, and it alone, should set %s%s", key, file)
	}
}
